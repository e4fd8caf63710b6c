// z = x / rms(x) * scale + residual, and y = z or its norm: a workgroup a row.
// Needs: RESIDUAL (1 if there is one), FLOATS (1: y is written); norm/row, rms_norm_again, q8_store. Gives:
// rms_norm_inverse.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

fn rms_norm_inverse(row: ptr<function, Row>, lane: Lane) -> f32 {
    var squares = vec4f();
    for (var i = 0u; i < ITEMS; i++) { squares += (*row)[i] * (*row)[i]; }
    return inverseSqrt(row_sum(squares, lane) / f32(4u * VECTORS) + params.eps);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_at = group.x * VECTORS;
    var row: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[row_at + c]; }
    }
    let inverse_rms = rms_norm_inverse(&row, lane);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS {
            row[i] *= inverse_rms * scale[c];
            if RESIDUAL == 1u { row[i] += residual[row_at + c]; }
        }
    }
    rms_norm_again(&row, row_at, lane);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS && FLOATS == 1u { y[row_at + c] = row[i]; }
        q8_store(group.x, VECTORS, c, row[i], c < VECTORS, lane);
    }
}
