// Rows of integers whose x is in int8 form in workgroup memory: a thread takes every ROW_LANES-th block of 32 weights.
// Needs: BLOCKS (of a row), ROW_LANES, ROWS; a codec (weight_bytes, weight_lines), x_own, x_scales, dots_q8.
// Gives: own_sums.
const STEPS = (BLOCKS + ROW_LANES - 1u) / ROW_LANES;

// a thread's part of the sums of ROWS rows
fn own_sums(row: u32, last: u32, part: u32) -> vec4f {
    var sums = vec4f();
    for (var step = 0u; step < STEPS; step++) {
        let block = part + step * ROW_LANES;
        if BLOCKS % ROW_LANES != 0u && block >= BLOCKS { continue; }
        let first_half = x_own[block];
        let last_half = x_own[BLOCKS + block];
        let scale = x_scales[block];
        for (var r = 0u; r < ROWS; r++) {
            sums[r] += block_dot(weight_bytes(min(row + r, last), block), weight_lines(min(row + r, last), block),
                                 first_half, last_half, scale);
        }
    }
    return sums;
}
