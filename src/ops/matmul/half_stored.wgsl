// x as f16 for matrix units, which units_halve made. Needs: f16. Gives: half_x.
@group(0) @binding(4) var<storage, read> halves: array<vec4<f16>>;  // [T, K/4]

fn half_x(token: u32, quad: u32) -> vec4<f16> { return halves[token * params.quads + quad]; }
