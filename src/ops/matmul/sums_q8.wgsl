// The sums of ROWS rows of a matvec of integers whose x is in int8 form: packed dot products of 4 weights each. A thread
// takes every LANES-th block of 32 weights for all tokens.
// Needs: LANES, ROWS (1, 2, 4), TOKENS, BLOCKS (of a row); a codec (weight_bytes, weight_lines), Segment,
// dots_q8. Gives: row_sums.
@group(0) @binding(4) var<storage, read> x: array<vec4u>;         // [T, (K/4 + K/16) / 4]

const STEPS = (BLOCKS + LANES - 1u) / LANES;

// a thread's part of them, for each token
fn row_sums(row: u32, last: u32, segment: Segment, part: u32, token: u32, tokens: u32) -> array<vec4f, TOKENS> {
    let stride = (params.quads + params.quads / 4u + 3u) / 4u;
    var sums: array<vec4f, TOKENS>;
    for (var step = 0u; step < STEPS; step++) {
        let block = part + step * LANES;
        if BLOCKS % LANES != 0u && block >= BLOCKS { continue; }
        var weights: array<array<vec4u, 2>, ROWS>;
        var lines: array<vec4f, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
            weights[r] = weight_bytes(min(row + r, last), block);
            lines[r] = weight_lines(min(row + r, last), block);
        }
        let at = segment.x_at / 8u + block;
        for (var t = 0u; t < TOKENS; t++) {
            let row_at = min(token + t, tokens - 1u) * stride;
            let first_half = x[row_at + 2u * at];
            let last_half = x[row_at + 2u * at + 1u];
            let pair = x[row_at + params.quads / 4u + at / 2u];
            let scale = select(pair.xy, pair.zw, (at & 1u) == 1u);
            for (var r = 0u; r < ROWS; r++) {
                sums[t][r] += block_dot(weights[r], lines[r], first_half, last_half, scale);
            }
        }
    }
    return sums;
}
