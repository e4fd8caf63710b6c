// One row of activations in the registers of a workgroup: thread i has the vec4s i, i + WORKGROUP, ...
// Needs: WORKGROUP, VECTORS (vec4s in a row), reduce/* with LANES = WORKGROUP. Gives: Row, row_sum, row_standardize.
const ITEMS = (VECTORS + WORKGROUP - 1u) / WORKGROUP;
alias Row = array<vec4f, ITEMS>;

fn row_sum(values: vec4f, lane: Lane) -> f32 {
    return dot(lanes_sum(values, lane), vec4f(1.0));
}

// x = (x - mean(x)) / sqrt(variance(x) + eps); vec4s past the row's end are not used
fn row_standardize(x: ptr<function, Row>, eps: f32, lane: Lane) {
    var sum = vec4f();
    for (var i = 0u; i < ITEMS; i++) {
        if i * WORKGROUP + lane.thread < VECTORS { sum += (*x)[i]; }
    }
    let mean = row_sum(sum, lane) / f32(4u * VECTORS);
    var squares = vec4f();
    for (var i = 0u; i < ITEMS; i++) {
        (*x)[i] -= mean;
        if i * WORKGROUP + lane.thread < VECTORS { squares += (*x)[i] * (*x)[i]; }
    }
    let inverse_sd = inverseSqrt(row_sum(squares, lane) / f32(4u * VECTORS) + eps);
    for (var i = 0u; i < ITEMS; i++) { (*x)[i] *= inverse_sd; }
}
