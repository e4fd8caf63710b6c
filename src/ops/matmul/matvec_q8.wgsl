// y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) for up to TOKENS tokens at once,
// W integers, x in int8 form: packed dot products of 4 weights each. Rows fall into segments as in matvec.wgsl.
// LANES threads share ROWS rows: each takes every LANES-th block of 32 weights for all tokens.
// grid: x = tokens / TOKENS, so that neighbours read the same weights; y = rows / (WORKGROUP / LANES * ROWS)
// Needs: WORKGROUP, LANES, ROWS (1, 2, 4), TOKENS, BLOCKS (of a row); a codec (weight_bytes, weight_lines), a reduce, segment,
// epilogue, store_*.
@group(0) @binding(4) var<storage, read> x: array<vec4u>;         // [T, (K/4 + K/16) / 4]
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]

const STEPS = (BLOCKS + LANES - 1u) / LANES;

fn dot16(a: vec4u, b: vec4u) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + (dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w));
}

// 32 weights, q * line.x + line.y (the last 16: line.z, line.w), times 32 values of x, their d and sums of q
fn block_dot(weights: array<vec4u, 2>, line: vec4f, first: vec4u, last: vec4u, scale: vec2u) -> f32 {
    let a = dot16(weights[0], first);
    let b = dot16(weights[1], last);
    var sum = 0.0;
    if WEIGHT_HALVES { sum = line.x * f32(a) + line.z * f32(b); } else { sum = line.x * f32(a + b); }
    if WEIGHT_OFFSET {
        let sums = bitcast<i32>(scale.y);
        let sum_a = extractBits(sums, 0u, 16u);
        let sum_b = sums >> 16u;
        if WEIGHT_HALVES { sum += line.y * f32(sum_a) + line.w * f32(sum_b); } else { sum += line.y * f32(sum_a + sum_b); }
    }
    return sum * bitcast<f32>(scale.x);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let token = group.x * TOKENS;
    let row = (group.y * (WORKGROUP / LANES) + lane.thread / LANES) * ROWS;
    let part = lane.thread % LANES;
    let last = params.rows - 1u;
    let segment = segment_of(row);
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
