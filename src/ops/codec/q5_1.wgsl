// q5_1.wgsl - Q5_1 weights (quant/q5_0.c): d * q + m.
//   quants  1 vec4u for 2 spans, the first in x and y: byte b of those holds the low 4 bits of weight b, 8 + b (low nibble)
//           and of weight 4 + b, 12 + b (high nibble)
//   scales  1 vec2u for 2 spans: x has d in the low half and m in the high half (f16); y has the high bits: bit
//           8b + 4p + c belongs to weight 4c + b of the pair's span p
// needs: params.spans (spans in a row)
// gives: weight_fetch, weight_decode, weight_span; for int8 activations weight_bytes, weight_lines

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<vec2u>;

const WEIGHT_HALVES = false;
const WEIGHT_OFFSET = true;

// a byte each for the 16 weights of a span; bit 8b + c of high (c < 4) is the high bit of weight 4c + b
fn q5_1_bytes(q: vec2u, high: u32) -> vec4u {
    return (vec4u(q.x, q.x >> 4u, q.y, q.y >> 4u) & vec4u(0x0f0f0f0fu)) |
           (vec4u(high << 4u, high << 3u, high << 2u, high << 1u) & vec4u(0x10101010u));
}

fn q5_1_high(row: u32, block: u32) -> u32 { return scales[row * (params.spans / 2u) + block].y; }

fn q5_1_line(row: u32, block: u32) -> vec2f { return unpack2x16float(scales[row * (params.spans / 2u) + block].x); }

fn q5_1_column(bytes: u32, line: vec2f) -> vec4f { return vec4f(unpack4xU8(bytes)) * line.x + line.y; }

// what 16 consecutive weights of a row are decoded from
struct WeightWords { quants: vec4u, entry: vec2u }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    return WeightWords(quants[row * (params.spans / 2u) + span / 2u], scales[row * (params.spans / 2u) + span / 2u]);
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    let q = select(words.quants.xy, words.quants.zw, (span & 1u) == 1u);
    let bytes = q5_1_bytes(q, words.entry.y >> ((span & 1u) * 4u));
    let line = unpack2x16float(words.entry.x);
    return mat4x4f(q5_1_column(bytes.x, line), q5_1_column(bytes.y, line), q5_1_column(bytes.z, line),
                   q5_1_column(bytes.w, line));
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }

// 32 consecutive weights of a row as integers, in bytes
fn weight_bytes(row: u32, block: u32) -> array<vec4u, 2> {
    let pair = quants[row * (params.spans / 2u) + block];
    let high = q5_1_high(row, block);
    return array<vec4u, 2>(q5_1_bytes(pair.xy, high), q5_1_bytes(pair.zw, high >> 4u));
}

// their scale and offset: of the first 16, of the last 16
fn weight_lines(row: u32, block: u32) -> vec4f {
    return vec4f(q5_1_line(row, block), 0.0, 0.0);
}
