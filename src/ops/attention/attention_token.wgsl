// Attention of few tokens: the positions that a token sees are divided among workgroups, each for GROUP query heads that
// share a key-value head, so that a key is read once for them and one token fills the device. What a workgroup finds is a
// part: sums of values weighted by exp(score - top), not yet divided, and behind them top and the sum of weights;
// attention_combine adds the parts up.
// Keys go in blocks of BLOCK: teams of LANES threads score a key each, then VECTORS threads add up the values of every
// PARTS-th key, 4 channels each. Online: what is summed so far shrinks by exp(old top - new) (Milakov and Gimelshein,
// arXiv 1805.02867). A part of a token's positions is one block or few.
// grid: x = query heads / GROUP, y = params.slots, all splits of a token side by side
// Needs: VECTORS (head size / 4), GROUP, LANES (<= VECTORS), WORKGROUP >= VECTORS, BLOCK (a multiple of WORKGROUP / LANES);
// a reduce, attention_span, kv_quad.
@group(0) @binding(2) var<storage, read> q_in: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4f>;  // [T, heads, splits, VECTORS + 1]

const FOURS = (GROUP + 3u) / 4u;               // of heads
const EACH = (VECTORS + LANES - 1u) / LANES;   // vectors of a key that a thread takes
const TEAMS = WORKGROUP / LANES;
const TURNS = BLOCK / TEAMS;
const PARTS = WORKGROUP / VECTORS;
const VALUE_TURNS = (BLOCK + PARTS - 1u) / PARTS;
const LOWEST = -3.0e38;

var<workgroup> shares: array<vec4f, BLOCK * FOURS>;     // [key, heads in fours]
var<workgroup> team_top: array<vec4f, TEAMS * FOURS>;
var<workgroup> part_total: array<vec4f, PARTS * FOURS>;
var<workgroup> part_sum: array<vec4f, WORKGROUP>;

// what the threads have found, for each head of the group: the first one's part begins at `place`, each next `apart`
fn write_parts(place: u32, apart: u32, i: u32, sum: ptr<function, array<vec4f, GROUP>>,
               top: ptr<function, array<vec4f, FOURS>>, total: ptr<function, array<vec4f, FOURS>>) {
    for (var f = 0u; f < FOURS; f++) {
        if i % VECTORS == 0u && i / VECTORS < PARTS { part_total[i / VECTORS * FOURS + f] = (*total)[f]; }
    }
    for (var h = 0u; h < GROUP; h++) {
        part_sum[i] = (*sum)[h];
        workgroupBarrier();
        if i < VECTORS {
            var all = (*sum)[h];
            for (var other = 1u; other < PARTS; other++) { all += part_sum[other * VECTORS + i]; }
            parts[place + h * apart + i] = all;
        }
        if i == 0u {
            var all = 0.0;
            for (var other = 0u; other < PARTS; other++) { all += part_total[other * FOURS + h / 4u][h % 4u]; }
            parts[place + h * apart + VECTORS] = vec4f((*top)[h / 4u][h % 4u], all, 0.0, 0.0);
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let splits = count_splits();
    let t = min(group.y / splits, batch.n_tokens - 1u);
    let split = group.y % splits;
    let span = part_of(visible(t), split, splits);
    if group.y / splits > t || span.begin == span.end { return; } // all threads alike
    let i = lane.thread;
    let team = i / LANES;
    let own = i % LANES;
    let part = i / VECTORS;
    let channel = i % VECTORS;
    let head = group.x * GROUP;
    let slot = batch.slot[batch.seq[t]];
    let key_quad = head / params.heads_per_kv * VECTORS;
    let value_quad = params.row_quads / 2u + key_quad;
    var q: array<vec4f, GROUP * EACH>;
    for (var h = 0u; h < GROUP; h++) {
        for (var e = 0u; e < EACH; e++) {
            let at = e * LANES + own;
            if at < VECTORS { q[h * EACH + e] = q_in[t * params.vectors + (head + h) * VECTORS + at] * params.scale; }
        }
    }
    var top: array<vec4f, FOURS>;
    var total: array<vec4f, FOURS>;
    var sum: array<vec4f, GROUP>;
    for (var f = 0u; f < FOURS; f++) { top[f] = vec4f(LOWEST); }
    for (var block = span.begin; block < span.end; block += BLOCK) {
        let last = min(BLOCK, span.end - block) - 1u;
        var k: array<vec4f, TURNS * EACH>;
        for (var turn = 0u; turn < TURNS; turn++) {
            let row_at = kv_row_at(slot, block + min(turn * TEAMS + team, last));
            for (var e = 0u; e < EACH; e++) {
                k[turn * EACH + e] = kv_quad(row_at, key_quad + min(e * LANES + own, VECTORS - 1u));
            }
        }
        // the values are on their way while the weights are found
        var value: array<vec4f, VALUE_TURNS>;
        for (var turn = 0u; turn < VALUE_TURNS; turn++) {
            let row_at = kv_row_at(slot, block + min(turn * PARTS + part, last));
            value[turn] = kv_quad(row_at, value_quad + channel);
        }
        var score: array<vec4f, TURNS * FOURS>;
        var block_top: array<vec4f, FOURS>;
        for (var f = 0u; f < FOURS; f++) { block_top[f] = vec4f(LOWEST); }
        for (var turn = 0u; turn < TURNS; turn++) {
            for (var f = 0u; f < FOURS; f++) {
                var dots = vec4f();
                for (var j = 0u; j < min(4u, GROUP - 4u * f); j++) {
                    var products = vec4f();
                    for (var e = 0u; e < EACH; e++) { products += q[(4u * f + j) * EACH + e] * k[turn * EACH + e]; }
                    dots[j] = dot(products, vec4f(1.0));
                }
                let s = lanes_sum(dots, lane);
                score[turn * FOURS + f] = select(vec4f(LOWEST), s, turn * TEAMS + team <= last);
                block_top[f] = max(block_top[f], score[turn * FOURS + f]);
            }
        }
        for (var f = 0u; f < FOURS; f++) {
            if own == 0u { team_top[team * FOURS + f] = block_top[f]; }
        }
        workgroupBarrier();
        for (var f = 0u; f < FOURS; f++) {
            let old = top[f];
            for (var other = 0u; other < TEAMS; other++) { top[f] = max(top[f], team_top[other * FOURS + f]); }
            let shrink = exp(old - top[f]);
            total[f] *= shrink;
            for (var j = 0u; j < min(4u, GROUP - 4u * f); j++) { sum[4u * f + j] *= shrink[j]; }
            for (var turn = 0u; turn < TURNS; turn++) {
                let key = turn * TEAMS + team;
                if own == turn % LANES {
                    shares[key * FOURS + f] = select(vec4f(), exp(score[turn * FOURS + f] - top[f]), key <= last);
                }
            }
        }
        workgroupBarrier();
        for (var turn = 0u; turn < VALUE_TURNS; turn++) {
            let key = turn * PARTS + part;
            let live = part < PARTS && key < BLOCK;
            for (var f = 0u; f < FOURS; f++) {
                let share = select(vec4f(), shares[min(key, BLOCK - 1u) * FOURS + f], live);
                total[f] += share;
                for (var j = 0u; j < min(4u, GROUP - 4u * f); j++) { sum[4u * f + j] += share[j] * value[turn]; }
            }
        }
        workgroupBarrier();
    }
    let place = ((t * (params.vectors / VECTORS) + head) * splits + split) * (VECTORS + 1u);
    write_parts(place, splits * (VECTORS + 1u), i, &sum, &top, &total);
}
