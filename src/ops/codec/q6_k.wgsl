// q6_k.wgsl - Q6_K weights (quant/q6_k.c): d * scale * (q - 32); one scale a span.
//   quants  1 vec4u for 2 spans, the first in x and y: byte b of those holds the low 4 bits of weight b, 8 + b (low nibble)
//           and of weight 4 + b, 12 + b (high nibble)
//   scales  21 words for 16 spans: 4 words of scales (byte s of them is span s's, signed), 1 word with d (f16) in its
//           low half, 16 words of high bits, one for each span: bits 8b + 2c and 8b + 2c + 1 belong to weight 4c + b
// needs: params.spans (spans in a row)
// gives: weight_fetch, weight_decode, weight_span; for int8 activations weight_bytes, weight_lines

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

const WEIGHT_HALVES = true;
const WEIGHT_OFFSET = true;

// a byte each for the 16 weights of a span
fn q6_k_bytes(q: vec2u, high: u32) -> vec4u {
    return (vec4u(q.x, q.x >> 4u, q.y, q.y >> 4u) & vec4u(0x0f0f0f0fu)) |
           (vec4u(high << 4u, high << 2u, high, high >> 2u) & vec4u(0x30303030u));
}

fn q6_k_entry(row: u32, span: u32) -> u32 { return (row * (params.spans / 16u) + span / 16u) * 21u; }

fn q6_k_high(row: u32, span: u32) -> u32 { return scales[q6_k_entry(row, span) + 5u + (span & 15u)]; }

fn q6_k_line(four: u32, d: u32, span: u32) -> vec2f {
    let scale = extractBits(bitcast<i32>(four), (span & 3u) * 8u, 8u);
    return unpack2x16float(d).x * f32(scale) * vec2f(1.0, -32.0);
}

fn q6_k_line_of(row: u32, span: u32) -> vec2f {
    let entry = q6_k_entry(row, span);
    return q6_k_line(scales[entry + (span & 15u) / 4u], scales[entry + 4u], span);
}

fn q6_k_column(bytes: u32, line: vec2f) -> vec4f { return vec4f(unpack4xU8(bytes)) * line.x + line.y; }

// what 16 consecutive weights of a row are decoded from
struct WeightWords { quants: vec4u, scales: u32, d: u32, high: u32 }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    let entry = q6_k_entry(row, span);
    return WeightWords(quants[row * (params.spans / 2u) + span / 2u], scales[entry + (span & 15u) / 4u],
                       scales[entry + 4u], q6_k_high(row, span));
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    let q = select(words.quants.xy, words.quants.zw, (span & 1u) == 1u);
    let bytes = q6_k_bytes(q, words.high);
    let line = q6_k_line(words.scales, words.d, span);
    return mat4x4f(q6_k_column(bytes.x, line), q6_k_column(bytes.y, line), q6_k_column(bytes.z, line),
                   q6_k_column(bytes.w, line));
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }

// 32 consecutive weights of a row as integers, in bytes
fn weight_bytes(row: u32, block: u32) -> array<vec4u, 2> {
    let pair = quants[row * (params.spans / 2u) + block];
    return array<vec4u, 2>(q6_k_bytes(pair.xy, q6_k_high(row, 2u * block)),
                           q6_k_bytes(pair.zw, q6_k_high(row, 2u * block + 1u)));
}

// their scale and offset: of the first 16, of the last 16
fn weight_lines(row: u32, block: u32) -> vec4f {
    return vec4f(q6_k_line_of(row, 2u * block), q6_k_line_of(row, 2u * block + 1u));
}
