// y = (x - mean(x)) / sd(x) * scale + bias: a workgroup a row. All loads come first; one reduction.
// Needs: FLOATS (1: y is written); norm/row, q8_store.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> scale: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_at = group.x * VECTORS;
    let shift = row_shift(x[row_at]);
    var row: Row;
    var scales: Row;
    var biases: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS {
            row[i] = x[row_at + c];
            scales[i] = scale[c];
            biases[i] = bias[c];
        }
    }
    let sums = lanes_sum(vec4f(row_sums(&row, shift, lane), 0.0, 0.0), lane);
    let m = row_moments(sums.xy, shift, params.eps);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        let out = (row[i] - m.mean) * m.inverse_sd * scales[i] + biases[i];
        if FLOATS == 1u && c < VECTORS { y[row_at + c] = out; }
        q8_store(group.x, VECTORS, c, out, c < VECTORS, lane);
    }
}
