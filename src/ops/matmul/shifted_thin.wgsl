// The thin rows of F16 or F32 beside others: THIN_LANES threads a row, a vec4u of weights at a time.
// Their segments are the last ones, the first of them params.thin_segment; segment i begins at vec4u thin_at_i and is
// F32 where bit i of params.thin_f32s is set.
// Needs: THIN_BINDING, THIN_LANES (<= LANES_INSIDE); shifted_x, x_float, segment, epilogue, store_f32. Gives: thin_group
@group(0) @binding(THIN_BINDING) var<storage, read> thin: array<vec4u>;

const THIN_EARLY = (VECTORS / 2u + THIN_LANES - 1u) / THIN_LANES;  // vec4us of a row of F16 in a thread

fn thin_dot(w: vec4u, f32s: bool, at: u32) -> f32 {
    if f32s { return dot(bitcast<vec4f>(w), x_float(at)); }
    return dot(vec4f(unpack2x16float(w.x), unpack2x16float(w.y)), x_float(2u * at)) +
           dot(vec4f(unpack2x16float(w.z), unpack2x16float(w.w)), x_float(2u * at + 1u));
}

fn thin_group(group: u32, lane: Lane) {
    let part = lane.thread % THIN_LANES;
    let first = params.first_thin + group * (WORKGROUP / THIN_LANES);
    let row = first + lane.thread / THIN_LANES;
    let segment = segment_of(first);
    let index = segment_index(first);
    let i_thin = index - params.thin_segment;
    let f32s = ((params.thin_f32s >> i_thin) & 1u) == 1u;
    let n = select(VECTORS / 2u, VECTORS, f32s);
    let begin = select(params.first_thin, segment_end(max(index, 1u) - 1u), i_thin > 0u);
    let row_at = vec4u(params.thin_at0, params.thin_at1, params.thin_at2, params.thin_at3)[i_thin] + (row - begin) * n;
    var early: array<vec4u, THIN_EARLY>;
    for (var i = 0u; i < THIN_EARLY; i++) { early[i] = thin[row_at + min(part + i * THIN_LANES, n - 1u)]; }
    shifted_x(segment.x_at / VECTORS, false, false, lane);
    var sum = 0.0;
    for (var i = 0u; i < THIN_EARLY; i++) {
        let at = part + i * THIN_LANES;
        if at < n { sum += thin_dot(early[i], f32s, at); }
    }
    for (var at = part + THIN_EARLY * THIN_LANES; at < n; at += THIN_LANES) {
        sum += thin_dot(thin[row_at + at], f32s, at);
    }
    sum = lanes_sum_inside(vec4f(sum, 0.0, 0.0, 0.0), 1u, THIN_LANES).x;
    if part == 0u { store_value(0u, params.row_at + row, 0u, epilogue(segment.act, sum, 0.0, 0.0)); }
}
