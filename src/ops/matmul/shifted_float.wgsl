// Rows whose x are floats in workgroup memory: a thread takes every ROW_LANES-th span of 16 weights.
// Needs: ROW_LANES, ROWS, VECTORS; a codec (weight_span), x_float. Gives: own_sums.
const SPANS = (VECTORS + 3u) / 4u;
const STEPS = (SPANS + ROW_LANES - 1u) / ROW_LANES;

// a thread's part of the sums of ROWS rows
fn own_sums(row: u32, last: u32, part: u32) -> vec4f {
    var sums = vec4f();
    for (var step = 0u; step < STEPS; step++) {
        let span = part + step * ROW_LANES;
        if SPANS % ROW_LANES != 0u && span >= SPANS { continue; }
        let v = mat4x4f(x_float(4u * span), x_float(4u * span + 1u), x_float(4u * span + 2u), x_float(4u * span + 3u));
        for (var r = 0u; r < ROWS; r++) {
            let w = weight_span(min(row + r, last), span);
            sums[r] += dot(w[0], v[0]) + dot(w[1], v[1]) + (dot(w[2], v[2]) + dot(w[3], v[3]));
        }
    }
    return sums;
}
