// y[t, row] = act(sum_k W[row, k] x[t, k]) * sum_k W[F + row, k] x[t, k] for up to TOKENS tokens at once: params.rows is F,
// the segments are the two halves of W. LANES threads share ROWS rows of each. grid: as matvec
// Needs: WORKGROUP, LANES, ROWS (1, 2, 4), TOKENS; row_sums (matmul/sums_*), a reduce (Lane, lanes_sum), segment, activate,
// store_*.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = batch.n_tokens;
    let token = group.x * TOKENS;
    let row = (group.y * (WORKGROUP / LANES) + lane.thread / LANES) * ROWS;
    let part = lane.thread % LANES;
    let last = params.rows - 1u;
    let segment = segment_of(0u);
    var gates = row_sums(row, last, segment, part, token, tokens);
    var ups = row_sums(params.rows + min(row, last), 2u * params.rows - 1u, segment, part, token, tokens);
    for (var t = 0u; t < TOKENS; t++) {
        let gate = lanes_sum(gates[t], lane);
        let up = lanes_sum(ups[t], lane);
        for (var r = part; r < ROWS; r += LANES) {
            if row + r <= last && token + t < tokens {
                store_value(token + t, row + r, lane.thread / LANES * ROWS + r, activate(segment.act, gate[r]) * up[r]);
            }
        }
        store_token(token + t, token + t < tokens, group.y * (WORKGROUP / LANES) * ROWS, lane);
    }
}
