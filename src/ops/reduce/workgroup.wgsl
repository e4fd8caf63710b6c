// Sums and maxima over LANES neighbouring threads, through workgroup memory.
// Needs: WORKGROUP, LANES (powers of two, LANES <= WORKGROUP). Gives: Lane, lanes_sum, lanes_max.
// All threads of the workgroup must call them together; every thread gets its group's result.
struct Lane {
    @builtin(local_invocation_index) thread: u32,
}
var<workgroup> lanes_partial: array<vec4f, WORKGROUP>;

fn lanes_sum(value: vec4f, lane: Lane) -> vec4f {
    lanes_partial[lane.thread] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane.thread % LANES < half { lanes_partial[lane.thread] += lanes_partial[lane.thread + half]; }
        workgroupBarrier();
    }
    let total = lanes_partial[lane.thread / LANES * LANES];
    workgroupBarrier();
    return total;
}

fn lanes_max(value: f32, lane: Lane) -> f32 {
    lanes_partial[lane.thread].x = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane.thread % LANES < half {
            lanes_partial[lane.thread].x = max(lanes_partial[lane.thread].x, lanes_partial[lane.thread + half].x);
        }
        workgroupBarrier();
    }
    let total = lanes_partial[lane.thread / LANES * LANES].x;
    workgroupBarrier();
    return total;
}
