// The x of a matrix product as floats. Gives: x_quad.
@group(0) @binding(4) var<storage, read> x: array<vec4f>;         // [T, K/4]

fn x_quad(token: u32, quad: u32) -> vec4f { return x[token * params.quads + quad]; }
