// The x of a matrix product in int8 form (quant/q8_row.h). Gives: x_quad.
@group(0) @binding(4) var<storage, read> x: array<vec4u>;         // [T, (K/4 + K/16) / 4]

fn x_quad(token: u32, quad: u32) -> vec4f {
    let row = token * ((params.quads + params.quads / 4u + 3u) / 4u);
    let at = params.quads + quad / 8u * 2u;
    let d = bitcast<f32>(x[row + at / 4u][at % 4u]);
    return vec4f(unpack4xI8(x[row + quad / 4u][quad % 4u])) * d;
}
