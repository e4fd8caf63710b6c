// Sums and maxima over LANES neighbouring threads, through workgroup memory.
// Needs: WORKGROUP, LANES (powers of two, LANES <= WORKGROUP). Gives: Lane, lanes_sum, lanes_max.
// All threads of the workgroup must call them together; every thread gets its group's result.
// Also, for sums over so few neighbours that they need no barrier, here none: LANES_INSIDE, lanes_sum_inside,
// lanes_sum_both.
struct Lane {
    @builtin(local_invocation_index) thread: u32,
}
const LANES_INSIDE = 1u;
var<workgroup> lanes_partial: array<vec4f, WORKGROUP>;

// width is 1 <= LANES_INSIDE
fn lanes_sum_inside(value: vec4f, count: u32, width: u32) -> vec4f {
    return value;
}

struct LanesSums {
    all: vec4f,
    own: f32,
}

// width >= count, so that count is 1 too
fn lanes_sum_both(a: vec4f, b: vec4f, count: u32, width: u32, lane: Lane) -> LanesSums {
    return LanesSums(a, b.x);
}

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
