// y = x / rms(x) * scale + residual: a workgroup a row.
// Needs: RESIDUAL (1 if there is one).
// Needs: FLOATS (1: y is written); norm/row, q8_store.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_at = group.x * VECTORS;
    var row: Row;
    var squares = vec4f();
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[row_at + c]; }
        squares += row[i] * row[i];
    }
    let inverse_rms = inverseSqrt(row_sum(squares, lane) / f32(4u * VECTORS) + params.eps);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        var out = vec4f();
        if c < VECTORS {
            out = row[i] * inverse_rms * scale[c];
            if RESIDUAL == 1u { out += residual[row_at + c]; }
            if FLOATS == 1u { y[row_at + c] = out; }
        }
        q8_store(group.x, VECTORS, c, out, c < VECTORS, lane);
    }
}
