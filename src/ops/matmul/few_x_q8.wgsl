// The x of a product on matrix units in int8 form (quant/q8_row.h). Gives: XWords, x_fetch, x_halves.
@group(0) @binding(4) var<storage, read> x: array<vec4u>;         // [T, (K/4 + K/16) / 4]

// 16 values, from column 4 `quad` on, as they lie in memory
struct XWords {
    bytes: vec4u,
    d: u32,
}

fn x_fetch(token: u32, quad: u32) -> XWords {
    let row = token * ((params.quads + params.quads / 4u + 3u) / 4u);
    let at = params.quads + quad / 8u * 2u;
    return XWords(x[row + quad / 4u], x[row + at / 4u][at % 4u]);
}

// Two bytes, b + 128, behind the exponent that 8 has as f16, are 8 + (b + 128) / 128: quicker than from integers.
fn x_pair(bytes: u32) -> vec2<f16> {
    return vec2<f16>(unpack2x16float((bytes & 0x00ff00ffu) | 0x48004800u)) - vec2<f16>(9.0h);
}

fn x_half(bytes: u32, d: vec2<f16>) -> vec4<f16> {
    let flipped = bytes ^ 0x80808080u;
    return vec4<f16>(x_pair(flipped) * d, x_pair(flipped >> 8u) * d);
}

// those values / 16, a block with one beyond what f16 holds made smaller, the second and third of each 4 in each
// other's place; products in f16 round the scale as well
fn x_halves(words: XWords) -> mat4x4<f16> {
    let d = vec2<f16>(f16(min(bitcast<f32>(words.d) * 8.0, 65504.0))); // b / 128 * 8 d = b d / 16
    return mat4x4<f16>(x_half(words.bytes.x, d), x_half(words.bytes.y, d), x_half(words.bytes.z, d),
                       x_half(words.bytes.w, d));
}
