// The x of a product on matrix units as floats. Gives: XWords, x_fetch, x_halves.
@group(0) @binding(4) var<storage, read> x: array<vec4f>;         // [T, K/4]

// 16 values, from column 4 `quad` on, as they lie in memory; a row may end within them
alias XWords = mat4x4f;

fn x_fetch(token: u32, quad: u32) -> XWords {
    let row = token * params.quads;
    let last = params.quads - 1u;
    return mat4x4f(x[row + min(quad, last)], x[row + min(quad + 1u, last)], x[row + min(quad + 2u, last)],
                   x[row + min(quad + 3u, last)]);
}

fn x_half(v: vec4f) -> vec4<f16> { return vec4<f16>(clamp(v.xzyw / 16.0, vec4f(-65504.0), vec4f(65504.0))); }

// those values / 16, the second and third of each 4 in each other's place
fn x_halves(words: XWords) -> mat4x4<f16> {
    return mat4x4<f16>(x_half(words[0]), x_half(words[1]), x_half(words[2]), x_half(words[3]));
}
