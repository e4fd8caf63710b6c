// f32.wgsl - F32 weights (quant/f32.c): 4 vec4f a span.
// needs: params.spans (spans in a row)    gives: weight_fetch, weight_decode, weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4f>;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // unused

// what 16 consecutive weights of a row are decoded from
alias WeightWords = mat4x4f;

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    let at = (row * params.spans + span) * 4u;
    return mat4x4f(quants[at], quants[at + 1u], quants[at + 2u], quants[at + 3u]);
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f { return words; }

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }
