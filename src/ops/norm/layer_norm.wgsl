// y = (x - mean(x)) / sd(x) * scale + bias: a workgroup a row.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> scale: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_at = group.x * VECTORS;
    var row: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[row_at + c]; }
    }
    row_standardize(&row, params.eps, lane);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { y[row_at + c] = row[i] * scale[c] + bias[c]; }
    }
}
