// bf16.wgsl - BF16 weights (quant/f16.c): 2 vec4u a span, two weights a word, the even one in the low half.
// A BF16 is the upper half of an f32.
// needs: params.spans (spans in a row)    gives: weight_fetch, weight_decode, weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // unused

fn bf16_column(low: u32, high: u32) -> vec4f {
    return bitcast<vec4f>(vec4u(low << 16u, low & 0xffff0000u, high << 16u, high & 0xffff0000u));
}

// what 16 consecutive weights of a row are decoded from
struct WeightWords { a: vec4u, b: vec4u }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    let at = (row * params.spans + span) * 2u;
    return WeightWords(quants[at], quants[at + 1u]);
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    let a = words.a;
    let b = words.b;
    return mat4x4f(bf16_column(a.x, a.y), bf16_column(a.z, a.w), bf16_column(b.x, b.y), bf16_column(b.z, b.w));
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }
