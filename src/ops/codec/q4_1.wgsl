// q4_1.wgsl - Q4_1 weights (quant/q4_0.c): d * q + m.
//   quants  1 vec4u for 2 spans, the first in x and y: byte b of those holds weight b, 8 + b (low nibble) and weight 4 + b,
//           12 + b (high nibble)
//   scales  1 word for 2 spans: d in the low half, m in the high half (f16)
// needs: params.spans (spans in a row)
// gives: weight_fetch, weight_decode, weight_span; for int8 activations weight_bytes, weight_lines

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

const WEIGHT_HALVES = false;
const WEIGHT_OFFSET = true;

// a byte each for the 16 weights of a span
fn q4_1_bytes(q: vec2u) -> vec4u { return vec4u(q.x, q.x >> 4u, q.y, q.y >> 4u) & vec4u(0x0f0f0f0fu); }

fn q4_1_line(row: u32, block: u32) -> vec2f { return unpack2x16float(scales[row * (params.spans / 2u) + block]); }

fn q4_1_column(bytes: u32, line: vec2f) -> vec4f { return vec4f(unpack4xU8(bytes)) * line.x + line.y; }

// what 16 consecutive weights of a row are decoded from
struct WeightWords { quants: vec4u, line: u32 }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    return WeightWords(quants[row * (params.spans / 2u) + span / 2u], scales[row * (params.spans / 2u) + span / 2u]);
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    let q = select(words.quants.xy, words.quants.zw, (span & 1u) == 1u);
    let bytes = q4_1_bytes(q);
    let line = unpack2x16float(words.line);
    return mat4x4f(q4_1_column(bytes.x, line), q4_1_column(bytes.y, line), q4_1_column(bytes.z, line),
                   q4_1_column(bytes.w, line));
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }

// 32 consecutive weights of a row as integers, in bytes
fn weight_bytes(row: u32, block: u32) -> array<vec4u, 2> {
    let pair = quants[row * (params.spans / 2u) + block];
    return array<vec4u, 2>(q4_1_bytes(pair.xy), q4_1_bytes(pair.zw));
}

// their scale and offset: of the first 16, of the last 16
fn weight_lines(row: u32, block: u32) -> vec4f {
    return vec4f(q4_1_line(row, block), 0.0, 0.0);
}
