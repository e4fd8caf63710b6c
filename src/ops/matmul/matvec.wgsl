// y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) for up to TOKENS tokens at once.
// Rows fall into segments. LANES threads share ROWS rows.
// grid: x = tokens / TOKENS, so that neighbours read the same weights; y = rows / (WORKGROUP / LANES * ROWS)
// Needs: WORKGROUP, LANES, ROWS (1, 2, 4), TOKENS; row_sums (matmul/sums_*), a reduce (Lane, lanes_sum), segment,
// epilogue, store_*.
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let token = group.x * TOKENS;
    let row = (group.y * (WORKGROUP / LANES) + lane.thread / LANES) * ROWS;
    let part = lane.thread % LANES;
    let last = params.rows - 1u;
    let segment = segment_of(row);
    var sums = row_sums(row, last, segment, part, token, tokens);
    for (var t = 0u; t < TOKENS; t++) {
        let sum = lanes_sum(sums[t], lane);
        for (var r = part; r < ROWS; r += LANES) {
            if row + r <= last && token + t < tokens {
                let m = params.row_at + row + r;
                let at = min((token + t) * params.out_cols + m, arrayLength(&other) - 1u);
                store_value(token + t, m, lane.thread / LANES * ROWS + r,
                            epilogue(segment.act, sum[r], bias[min(m, arrayLength(&bias) - 1u)], other[at]));
            }
        }
        store_token(token + t, token + t < tokens, params.row_at + group.y * (WORKGROUP / LANES) * ROWS, lane);
    }
}
