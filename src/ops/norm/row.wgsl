// One row of activations in the registers of a workgroup: thread i has the vec4s i, i + WORKGROUP, ...
// Needs: WORKGROUP, VECTORS (vec4s in a row), reduce/* with LANES = WORKGROUP. Gives: Row, row_sum, row_shift,
// row_sums, Moments, row_moments.
const ITEMS = (VECTORS + WORKGROUP - 1u) / WORKGROUP;
alias Row = array<vec4f, ITEMS>;

fn row_sum(values: vec4f, lane: Lane) -> f32 {
    return dot(lanes_sum(values, lane), vec4f(1.0));
}

// Mean and variance in one pass over x - shift. With the mean of a few values of the row as shift, what the
// subtraction of squares cancels is little.
fn row_shift(first: vec4f) -> f32 {
    return dot(first, vec4f(0.25));
}

// this thread's part of sum(x - shift) and sum((x - shift)^2), to be summed over the workgroup
fn row_sums(x: ptr<function, Row>, shift: f32, lane: Lane) -> vec2f {
    var sum = vec4f();
    var squares = vec4f();
    for (var i = 0u; i < ITEMS; i++) {
        if i * WORKGROUP + lane.thread < VECTORS {
            let d = (*x)[i] - shift;
            sum += d;
            squares += d * d;
        }
    }
    return vec2f(dot(sum, vec4f(1.0)), dot(squares, vec4f(1.0)));
}

struct Moments {
    mean: f32,
    inverse_sd: f32,
}

fn row_moments(sums: vec2f, shift: f32, eps: f32) -> Moments {
    let means = sums / f32(4u * VECTORS);
    return Moments(shift + means.x, inverseSqrt(max(means.y - means.x * means.x, 0.0) + eps));
}
