// y from the parts that attention_token made: a workgroup a head of a token.
// grid: x = query heads, y = tokens
// Needs: VECTORS (head size / 4), LANES = WORKGROUP >= VECTORS, SLOTS (>= splits); FLOATS (1: y is written); a reduce,
// attention_span, q8_store.
@group(0) @binding(2) var<storage, read> parts: array<vec4f>;  // [T, heads, splits, VECTORS + 1]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

const PARTS = WORKGROUP / VECTORS;
const LOWEST = -3.0e38;

var<workgroup> weight: array<f32, SLOTS>;
var<workgroup> part_sum: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let i = lane.thread;
    let splits = count_splits();
    let used = count_parts(visible(t), splits);
    let at = (t * (params.vectors / VECTORS) + group.x) * splits * (VECTORS + 1u);
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
    let part = i / VECTORS;
    var sum = vec4f();
    if part < PARTS {
        for (var s = part; s < used; s += PARTS) { sum += weight[s] * parts[at + s * (VECTORS + 1u) + i % VECTORS]; }
    }
    part_sum[i] = sum;
    workgroupBarrier();
    var all = vec4f();
    if i < VECTORS {
        for (var other = 0u; other < PARTS; other++) { all += part_sum[other * VECTORS + i]; }
        all /= total;
        if FLOATS == 1u { y[t * params.vectors + group.x * VECTORS + i] = all; }
    }
    q8_store(t, params.vectors, group.x * VECTORS + i, all, i < VECTORS, lane);
}
