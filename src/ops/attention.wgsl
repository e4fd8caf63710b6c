// y = softmax(scale q K^T) V, online (Milakov and Gimelshein, arXiv 1805.02867): a workgroup a head of a token.
//
// Keys go in blocks of WORKGROUP. A thread scores one key; what is summed so far shrinks by exp(old maximum - new);
// then VECTORS threads add up the values of every PARTS-th key of the block, 4 channels each.
// Needs: VECTORS (head size / 4), WORKGROUP = LANES >= VECTORS.
@group(0) @binding(2) var<storage, read> q_in: array<vec4f>;
@group(0) @binding(3) var<storage, read> cache: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

const PARTS = WORKGROUP / VECTORS;
const LOWEST = -3.0e38;

var<workgroup> q: array<vec4f, VECTORS>;
var<workgroup> share: array<f32, WORKGROUP>;
var<workgroup> part_sum: array<vec4f, PARTS * VECTORS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let q_at = t * params.vectors + group.x * VECTORS;
    let i = lane.thread;
    if i < VECTORS { q[i] = q_in[q_at + i] * params.scale; }
    workgroupBarrier();

    let end = batch.position[t] + 1u;
    let begin = select(0u, end - min(end, params.window), params.window > 0u);
    let keys_at = batch.slot[batch.seq[t]] * params.slot_vectors + group.x / params.heads_per_kv * VECTORS;
    let part = i / VECTORS;
    let channel = i % VECTORS;
    var top = LOWEST;
    var total = 0.0;
    var sum = vec4f();
    for (var block = begin; block < end; block += WORKGROUP) {
        let position = block + i;
        var score = LOWEST;
        if position < end {
            let at = keys_at + position % params.rows * params.row_vectors;
            var products = vec4f();
            for (var j = 0u; j < VECTORS; j++) { products += q[j] * cache[at + j]; }
            score = dot(products, vec4f(1.0));
        }
        let old_top = top;
        top = max(top, lanes_max(score, lane));
        let own = exp(score - top); // 0 behind the end
        let shrink = exp(old_top - top);
        total = total * shrink + lanes_sum(vec4f(own, 0.0, 0.0, 0.0), lane).x;
        share[i] = own;
        workgroupBarrier();
        sum *= shrink;
        if part < PARTS {
            for (var key = part; key < min(WORKGROUP, end - block); key += PARTS) {
                let at = keys_at + params.row_vectors / 2u + (block + key) % params.rows * params.row_vectors;
                sum += share[key] * cache[at + channel];
            }
        }
        workgroupBarrier();
    }

    if part < PARTS { part_sum[i] = sum; }
    workgroupBarrier();
    if i < VECTORS {
        for (var other = 1u; other < PARTS; other++) { sum += part_sum[other * VECTORS + i]; }
        y[q_at + i] = sum / total;
    }
}
