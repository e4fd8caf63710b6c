// q8_0.wgsl - Q8_0 weights (quant/q8_0.c): d * q.
//   quants  1 vec4u a span: byte b of component w is weight 4w + b, signed
//   scales  1 word for 4 spans: d of spans 0, 1 in the low half, of spans 2, 3 in the high half (f16)
// needs: params.spans (spans in a row)
// gives: weight_fetch, weight_decode, weight_span; for int8 activations weight_bytes, weight_lines

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

const WEIGHT_HALVES = false;
const WEIGHT_OFFSET = false;

fn q8_0_pair(row: u32, block: u32) -> u32 { return scales[row * ((params.spans + 3u) / 4u) + block / 2u]; }

fn q8_0_scale(pair: u32, block: u32) -> f32 { return unpack2x16float(pair >> ((block & 1u) * 16u)).x; }

// what 16 consecutive weights of a row are decoded from
struct WeightWords { quants: vec4u, pair: u32 }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    return WeightWords(quants[row * params.spans + span], q8_0_pair(row, span / 2u));
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    let q = words.quants;
    let d = q8_0_scale(words.pair, span / 2u);
    return mat4x4f(vec4f(unpack4xI8(q.x)) * d, vec4f(unpack4xI8(q.y)) * d,
                   vec4f(unpack4xI8(q.z)) * d, vec4f(unpack4xI8(q.w)) * d);
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }

// 32 consecutive weights of a row as integers, in bytes
fn weight_bytes(row: u32, block: u32) -> array<vec4u, 2> {
    let at = row * params.spans + 2u * block;
    return array<vec4u, 2>(quants[at], quants[at + 1u]);
}

// their scale and offset: of the first 16, of the last 16
fn weight_lines(row: u32, block: u32) -> vec4f {
    return vec4f(q8_0_scale(q8_0_pair(row, block), block), 0.0, 0.0, 0.0);
}
