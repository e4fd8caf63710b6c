// y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) for up to TOKENS tokens at once.
// Rows fall into segments. LANES threads share ROWS rows: each takes every LANES-th span of 16 weights, decodes it once
// for all tokens.
// grid: x = tokens / TOKENS, so that neighbours read the same weights; y = rows / (WORKGROUP / LANES * ROWS)
// Needs: WORKGROUP, LANES, ROWS (1, 2, 4), TOKENS; a codec (weight_span), a reduce (Lane, lanes_sum), segment,
// epilogue, store_*.
@group(0) @binding(4) var<storage, read> x: array<vec4f>;         // [T, K/4]
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]

fn matvec_x(token: u32, quad: u32) -> mat4x4f {
    // the last span may reach past the row; its weights there are 0
    let row = token * params.quads;
    let last = params.quads - 1u;
    return mat4x4f(x[row + min(quad, last)], x[row + min(quad + 1u, last)], x[row + min(quad + 2u, last)],
                   x[row + min(quad + 3u, last)]);
}

fn matvec_dot(a: mat4x4f, b: mat4x4f) -> f32 {
    return dot(a[0], b[0]) + dot(a[1], b[1]) + (dot(a[2], b[2]) + dot(a[3], b[3]));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let token = group.x * TOKENS;
    let row = (group.y * (WORKGROUP / LANES) + lane.thread / LANES) * ROWS;
    let part = lane.thread % LANES;
    let last = params.rows - 1u;
    let segment = segment_of(row);
    var sums: array<vec4f, TOKENS>;
    for (var span = part; span < segment.spans; span += LANES) {
        let w0 = weight_span(min(row, last), span);
        var w1: mat4x4f;
        var w2: mat4x4f;
        var w3: mat4x4f;
        if ROWS > 1u { w1 = weight_span(min(row + 1u, last), span); }
        if ROWS > 2u {
            w2 = weight_span(min(row + 2u, last), span);
            w3 = weight_span(min(row + 3u, last), span);
        }
        for (var t = 0u; t < TOKENS; t++) {
            let v = matvec_x(min(token + t, tokens - 1u), segment.x_at + span * 4u);
            var sum = vec4f(matvec_dot(w0, v), 0.0, 0.0, 0.0);
            if ROWS > 1u { sum.y = matvec_dot(w1, v); }
            if ROWS > 2u {
                sum.z = matvec_dot(w2, v);
                sum.w = matvec_dot(w3, v);
            }
            sums[t] += sum;
        }
    }
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
