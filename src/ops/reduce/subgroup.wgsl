// Sums and maxima over LANES neighbouring threads: shuffles within a subgroup, workgroup memory across subgroups.
// Needs: WORKGROUP, LANES (powers of two, LANES <= WORKGROUP), SUBGROUP (the measured size; lane = thread % size).
// Gives: Lane, lanes_sum, lanes_max. All threads of the workgroup must call them together; every thread gets its
// group's result.
// Also, for sums over so few neighbours that they need no barrier: LANES_INSIDE, lanes_sum_inside, lanes_sum_both.
struct Lane {
    @builtin(local_invocation_index) thread: u32,
}
const LANES_INSIDE = min(LANES, SUBGROUP);
const LANES_OUTSIDE = LANES / LANES_INSIDE;
var<workgroup> lanes_partial: array<vec4f, WORKGROUP / LANES_INSIDE>;

fn lanes_sum_step(sum: vec4f, count: u32, mask: u32) -> vec4f {
    if count == 1u { return vec4f(sum.x + subgroupShuffleXor(sum.x, mask), 0.0, 0.0, 0.0); }
    if count == 2u { return vec4f(sum.xy + subgroupShuffleXor(sum.xy, mask), 0.0, 0.0); }
    return sum + subgroupShuffleXor(sum, mask);
}

// Over `width` neighbours, a power of two <= LANES_INSIDE, the first `count` components (1, 2 or 4).
fn lanes_sum_inside(value: vec4f, count: u32, width: u32) -> vec4f {
    var sum = value;
    for (var mask = 1u; mask < width; mask *= 2u) { sum = lanes_sum_step(sum, count, mask); }
    return sum;
}

struct LanesSums {
    all: vec4f,
    own: f32,
}

// lanes_sum_inside of a, and component thread % count of that of b, which takes fewer shuffles; width >= count.
// Compilers keep shuffles in order: they alternate, so that the second sum does not wait for the first.
fn lanes_sum_both(a: vec4f, b: vec4f, count: u32, width: u32, lane: Lane) -> LanesSums {
    var sum = a;
    var own = b.x;
    if count == 4u {
        let high = (lane.thread & 2u) != 0u;
        let odd = (lane.thread & 1u) != 0u;
        let pair = select(b.xy, b.zw, high) + subgroupShuffleXor(select(b.zw, b.xy, high), 2u);
        sum += subgroupShuffleXor(sum, 2u);
        own = select(pair.x, pair.y, odd) + subgroupShuffleXor(select(pair.y, pair.x, odd), 1u);
        sum += subgroupShuffleXor(sum, 1u);
    } else if count == 2u {
        let odd = (lane.thread & 1u) != 0u;
        own = select(b.x, b.y, odd) + subgroupShuffleXor(select(b.y, b.x, odd), 1u);
        sum = lanes_sum_step(sum, count, 1u);
    }
    for (var mask = count; mask < width; mask *= 2u) {
        own += subgroupShuffleXor(own, mask);
        sum = lanes_sum_step(sum, count, mask);
    }
    return LanesSums(sum, own);
}

fn lanes_sum(value: vec4f, lane: Lane) -> vec4f {
    var sum = lanes_sum_inside(value, 4u, LANES_INSIDE);
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
