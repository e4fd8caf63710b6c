// y from the parts that attention_token or attention_tile made: a workgroup does CHANNELS vectors of a head of a token.
// grid: x = query heads * VECTORS / CHANNELS, y = tokens
// Needs: VECTORS (head size / 4), CHANNELS (a divisor), LANES = WORKGROUP >= CHANNELS, SLOTS (>= splits); FLOATS (1: y is
// written); a reduce, attention_span, attention_*_splits, q8_store.
@group(0) @binding(2) var<storage, read> parts: array<vec4f>;  // [T, heads, splits, VECTORS + 1]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

const PARTS = WORKGROUP / CHANNELS;
const LOWEST = -3.0e38;

var<workgroup> weight: array<f32, SLOTS>;
var<workgroup> part_sum: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let i = lane.thread;
    let head = group.x / (VECTORS / CHANNELS);
    let first = group.x % (VECTORS / CHANNELS) * CHANNELS;
    let splits = count_splits();
    let used = count_used(t, splits);
    let at = (t * (params.vectors / VECTORS) + head) * splits * (VECTORS + 1u);
    var top = LOWEST;
    for (var s = i; s < used; s += WORKGROUP) { top = max(top, parts[at + s * (VECTORS + 1u) + VECTORS].x); }
    top = lanes_max(top, lane);
    var total = 0.0;
    for (var s = i; s < used; s += WORKGROUP) {
        let found = parts[at + s * (VECTORS + 1u) + VECTORS];
        weight[s] = exp(found.x - top);
        total += weight[s] * found.y;
    }
    total = lanes_sum(vec4f(total, 0.0, 0.0, 0.0), lane).x;
    workgroupBarrier();
    let part = i / CHANNELS;
    var sum = vec4f();
    if part < PARTS {
        for (var s = part; s < used; s += PARTS) {
            // a part without positions has no sums
            if weight[s] > 0.0 { sum += weight[s] * parts[at + s * (VECTORS + 1u) + first + i % CHANNELS]; }
        }
    }
    part_sum[i] = sum;
    workgroupBarrier();
    var all = vec4f();
    let quad = head * VECTORS + first + i;
    if i < CHANNELS {
        for (var other = 0u; other < PARTS; other++) { all += part_sum[other * CHANNELS + i]; }
        all /= total;
        if FLOATS == 1u { y[t * params.vectors + quad] = all; }
    }
    q8_store(t, params.vectors, quad, all, i < CHANNELS, lane);
}
