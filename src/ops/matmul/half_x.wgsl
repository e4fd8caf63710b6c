// x as f16 for matrix units. f16 holds up to 65504, x may be more: it is taken as x / 16, exact down to 1/1024 and
// below that no worse than 1e-6. Beyond 1048064 it is cut off, so that nothing becomes infinite.
// Needs: f16; x_quad. Gives: half_x.
const SHRINK = 0.0625;
const HALF_MAX = 65504.0;

// 4 columns of a token
fn half_x(token: u32, quad: u32) -> vec4<f16> {
    return vec4<f16>(clamp(x_quad(token, quad) * SHRINK, vec4f(-HALF_MAX), vec4f(HALF_MAX)));
}
