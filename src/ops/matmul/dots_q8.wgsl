// Products of integer weights and int8 activations. Needs: a codec (WEIGHT_HALVES, WEIGHT_OFFSET). Gives: block_dot.
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
