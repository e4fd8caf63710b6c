// Sums and maxima over LANES neighbouring threads: shuffles within a subgroup, workgroup memory across subgroups.
// Needs: WORKGROUP, LANES (powers of two, LANES <= WORKGROUP), SUBGROUP (the measured size; lane = thread % size).
// Gives: Lane, lanes_sum, lanes_max. All threads of the workgroup must call them together; every thread gets its
// group's result.
struct Lane {
    @builtin(local_invocation_index) thread: u32,
}
const LANES_INSIDE = min(LANES, SUBGROUP);
const LANES_OUTSIDE = LANES / LANES_INSIDE;
var<workgroup> lanes_partial: array<vec4f, WORKGROUP / LANES_INSIDE>;

fn lanes_sum(value: vec4f, lane: Lane) -> vec4f {
    var sum = value;
    for (var mask = LANES_INSIDE / 2u; mask > 0u; mask /= 2u) { sum += subgroupShuffleXor(sum, mask); }
    if LANES_OUTSIDE == 1u { return sum; }
    if lane.thread % LANES_INSIDE == 0u { lanes_partial[lane.thread / LANES_INSIDE] = sum; }
    workgroupBarrier();
    let first = lane.thread / LANES * LANES_OUTSIDE;
    sum = lanes_partial[first];
    for (var i = 1u; i < LANES_OUTSIDE; i++) { sum += lanes_partial[first + i]; }
    workgroupBarrier();
    return sum;
}

fn lanes_max(value: f32, lane: Lane) -> f32 {
    var top = value;
    for (var mask = LANES_INSIDE / 2u; mask > 0u; mask /= 2u) { top = max(top, subgroupShuffleXor(top, mask)); }
    if LANES_OUTSIDE == 1u { return top; }
    if lane.thread % LANES_INSIDE == 0u { lanes_partial[lane.thread / LANES_INSIDE].x = top; }
    workgroupBarrier();
    let first = lane.thread / LANES * LANES_OUTSIDE;
    top = lanes_partial[first].x;
    for (var i = 1u; i < LANES_OUTSIDE; i++) { top = max(top, lanes_partial[first + i].x); }
    workgroupBarrier();
    return top;
}
