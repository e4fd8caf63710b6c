// The group norm over the channels of a head, which LANES neighbouring threads hold by fours.
// Needs: HEAD, a reduce. Gives: head_sum, head_standardize.
fn head_sum(values: vec4f, lane: Lane) -> f32 {
    return lanes_sum(vec4f(dot(values, vec4f(1.0)), 0.0, 0.0, 0.0), lane).x;
}

// (y - mean) / sqrt(variance + eps); `inside` is false where a thread holds no channels, and y is zero there
fn head_standardize(y: vec4f, inside: bool, eps: f32, lane: Lane) -> vec4f {
    let centred = select(vec4f(), y - head_sum(y, lane) / f32(HEAD), inside);
    return centred * inverseSqrt(head_sum(centred * centred, lane) / f32(HEAD) + eps);
}
