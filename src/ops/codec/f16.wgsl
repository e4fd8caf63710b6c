// f16.wgsl - F16 weights (quant/f16.c): 2 vec4u a span, two weights a word, the even one in the low half.
// needs: params.spans (spans in a row)    gives: weight_fetch, weight_decode, weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // unused

fn f16_column(low: u32, high: u32) -> vec4f {
    return vec4f(unpack2x16float(low), unpack2x16float(high));
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
    return mat4x4f(f16_column(a.x, a.y), f16_column(a.z, a.w), f16_column(b.x, b.y), f16_column(b.z, b.w));
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }
