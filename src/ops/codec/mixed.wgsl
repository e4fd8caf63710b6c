// mixed.wgsl - F32, F16 and BF16 weights of a stack, each segment of rows in its own type and width (mixed_row.wgsl).
// needs: mixed_row    gives: weight_fetch, weight_decode, weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // unused

// what 16 consecutive weights of a row are decoded from; c and d of F32 only
struct WeightWords { a: vec4u, b: vec4u, c: vec4u, d: vec4u, is_wide: bool, is_brain: bool }

fn weight_fetch(row: u32, span: u32) -> WeightWords {
    let place = mixed_row(row);
    let at = place.at + span * place.size;
    var words = WeightWords(quants[at], quants[at + 1u], vec4u(), vec4u(), place.size == 4u, place.is_brain);
    if words.is_wide {
        words.c = quants[at + 2u];
        words.d = quants[at + 3u];
    }
    return words;
}

// those weights: column c is weights 4c to 4c + 3
fn weight_decode(words: WeightWords, span: u32) -> mat4x4f {
    if words.is_wide { return mixed_floats(words.a, words.b, words.c, words.d); }
    return mixed_halves(words.is_brain, words.a, words.b);
}

fn weight_span(row: u32, span: u32) -> mat4x4f { return weight_decode(weight_fetch(row, span), span); }
