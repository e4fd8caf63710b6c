// Attention of many tokens (Dao et al., arXiv 2205.14135): a workgroup takes ROWS query rows, a token's GROUP heads that
// share a key-value head side by side, and KEYS keys at a time, which it reads once for all of them.
// A thread has 4 rows: the scores of 4 keys, then sums of every 16th vector of values. 32 columns of q and of the keys at
// a time go through workgroup memory, turned so that a thread reads 4 rows (keys) as one vector; then the weights, turned
// likewise, and the values of VALUE_KEYS keys at a time. In rows of that memory vectors are swapped, by the bits of
// `swapped`, so that threads which write a column of them do not meet in one bank.
// Tokens of a tile may be of several sequences: these come one after the other, and rows of others weigh nothing.
// grid: x = query heads / GROUP, y = tokens / TOKENS
// Needs: VECTORS (head size / 4), GROUP, ROWS (32 or 64), WORKGROUP = 4 ROWS, LANES = 16, BLOCK = KEYS (64), VALUE_KEYS (a
// divisor of KEYS); a reduce, attention_span, kv_quad.
@group(0) @binding(2) var<storage, read> q_in: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

const TOKENS = ROWS / GROUP;
const KEYS = BLOCK;
const ROW_QUADS = ROWS / 4u;
const KEY_QUADS = KEYS / 4u;
const KEYS_AT = 32u * ROW_QUADS;    // in memory: [32, ROW_QUADS] of q, then [32, KEY_QUADS] of keys;
const VALUES_AT = KEYS * ROW_QUADS; // or [KEYS, ROW_QUADS] weights, then [VALUE_KEYS, VECTORS] values
const CHUNKS = (VECTORS + 7u) / 8u;
const EACH = (VECTORS + 15u) / 16u;
const LOWEST = -3.0e38;

var<workgroup> memory: array<vec4f, max(KEYS_AT + 32u * KEY_QUADS, VALUES_AT + VALUE_KEYS * VECTORS)>;

alias Sums = array<vec4f, EACH>;

// what the threads of a workgroup share
struct Tile {
    slot: u32,       // of the sequence
    key: u32,        // first of KEYS positions
    last: u32,       // of them that is there
    token: u32,      // first one of the tile
    head: u32,       // first one of the group
    key_quad: u32,   // first of its key's vectors in a row of the cache
}

fn swapped(row: u32, quad: u32) -> u32 { return quad ^ ((row / 4u) & 7u); }

fn tile_row_at(tile: Tile, key: u32) -> u32 { return kv_row_at(tile.slot, min(tile.key + key, tile.last)); }

// vector `at` of a query row
fn tile_q(tile: Tile, row: u32, at: u32) -> vec4f {
    let t = min(tile.token + row / GROUP, batch.n_tokens - 1u);
    return q_in[t * params.vectors + (tile.head + row % GROUP) * VECTORS + at] * params.scale;
}

// columns 32 chunk .. of the tile's q and keys
fn tile_load(tile: Tile, chunk: u32, thread: u32) {
    for (var task = thread; task < 8u * (ROW_QUADS + KEY_QUADS); task += WORKGROUP) {
        let part = task % 8u;
        let at = chunk * 8u + part;
        let is_key = task >= 8u * ROW_QUADS;
        let quad = select(task / 8u, task / 8u - ROW_QUADS, is_key);
        var rows: mat4x4f;
        if at < VECTORS {
            for (var r = 0u; r < 4u; r++) {
                if is_key { rows[r] = kv_quad(tile_row_at(tile, 4u * quad + r), tile.key_quad + at); }
                else { rows[r] = tile_q(tile, 4u * quad + r, at); }
            }
        }
        let columns = transpose(rows);
        for (var j = 0u; j < 4u; j++) {
            let column = 4u * part + j;
            let place = swapped(column, quad);
            memory[select(column * ROW_QUADS + place, KEYS_AT + column * KEY_QUADS + place, is_key)] = columns[j];
        }
    }
}

// scores of a thread's 4 rows: column r has those of row r with 4 keys
fn tile_scores(tile: Tile, row_quad: u32, column: u32, thread: u32) -> mat4x4f {
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    for (var chunk = 0u; chunk < CHUNKS; chunk++) {
        workgroupBarrier();
        tile_load(tile, chunk, thread);
        workgroupBarrier();
        for (var d = 0u; d < 32u; d++) {
            let q = memory[d * ROW_QUADS + swapped(d, row_quad)];
            let k = memory[KEYS_AT + d * KEY_QUADS + swapped(d, column)];
            s0 += q.x * k;
            s1 += q.y * k;
            s2 += q.z * k;
            s3 += q.w * k;
        }
    }
    return mat4x4f(s0, s1, s2, s3);
}

fn top_of(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn tile_store(token: u32, head: u32, column: u32, writes: bool, sums: Sums, total: f32) {
    if !writes { return; }
    for (var j = 0u; j < EACH; j++) {
        let at = column + 16u * j;
        if at < VECTORS { y[token * params.vectors + head * VECTORS + at] = sums[j] / total; }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_quad = lane.thread / 16u;
    let column = lane.thread % 16u;
    var tile: Tile;
    tile.token = group.y * TOKENS;
    tile.head = group.x * GROUP;
    tile.key_quad = tile.head / params.heads_per_kv * VECTORS;
    let tokens_end = min(tile.token + TOKENS, batch.n_tokens);
    let rows = 4u * row_quad + vec4u(0u, 1u, 2u, 3u);
    let tokens = tile.token + rows / GROUP;
    var sum0: Sums;
    var sum1: Sums;
    var sum2: Sums;
    var sum3: Sums;
    var top = vec4f(LOWEST);
    var total = vec4f();
    for (var t = tile.token; t < tokens_end;) {
        let seq = batch.seq[t];
        let next = min(batch.first[seq] + batch.count[seq], tokens_end);
        tile.slot = batch.slot[seq];
        // what the thread's rows see; rows of other sequences nothing
        var begin = vec4u();
        var end = vec4u();
        for (var r = 0u; r < 4u; r++) {
            if rows[r] < TOKENS * GROUP && tokens[r] >= t && tokens[r] < next {
                let span = visible(tokens[r]);
                begin[r] = span.begin;
                end[r] = span.end;
            }
        }
        let keys_end = batch.position[next - 1u] + 1u;
        tile.last = keys_end - 1u;
        for (tile.key = visible(t).begin; tile.key < keys_end; tile.key += KEYS) {
            var scores = tile_scores(tile, row_quad, column, lane.thread);
            let keys = tile.key + 4u * column + vec4u(0u, 1u, 2u, 3u);
            var tops: vec4f;
            for (var r = 0u; r < 4u; r++) {
                scores[r] = select(vec4f(LOWEST), scores[r], (keys >= vec4u(begin[r])) & (keys < vec4u(end[r])));
                tops[r] = lanes_max(top_of(scores[r]), lane);
            }
            let new_top = max(top, tops);
            let shrink = exp(top - new_top);
            top = new_top;
            total *= shrink;
            for (var r = 0u; r < 4u; r++) {
                let sees = (keys >= vec4u(begin[r])) & (keys < vec4u(end[r]));
                scores[r] = select(vec4f(), exp(scores[r] - top[r]), sees);
                total[r] += dot(scores[r], vec4f(1.0));
            }
            for (var j = 0u; j < EACH; j++) {
                sum0[j] *= shrink.x;
                sum1[j] *= shrink.y;
                sum2[j] *= shrink.z;
                sum3[j] *= shrink.w;
            }
            workgroupBarrier();
            let weights = transpose(scores);
            for (var j = 0u; j < 4u; j++) {
                let key = 4u * column + j;
                memory[key * ROW_QUADS + swapped(key, row_quad)] = weights[j];
            }
            for (var first = 0u; first < KEYS && tile.key + first < keys_end; first += VALUE_KEYS) {
                for (var task = lane.thread; task < VALUE_KEYS * VECTORS; task += WORKGROUP) {
                    let row_at = tile_row_at(tile, first + task / VECTORS);
                    memory[VALUES_AT + task] = kv_quad(row_at, params.row_quads / 2u + tile.key_quad + task % VECTORS);
                }
                workgroupBarrier();
                for (var k = 0u; k < VALUE_KEYS; k++) {
                    let key = first + k;
                    let weight = memory[key * ROW_QUADS + swapped(key, row_quad)];
                    for (var j = 0u; j < EACH; j++) {
                        let value = memory[VALUES_AT + k * VECTORS + min(column + 16u * j, VECTORS - 1u)];
                        sum0[j] += weight.x * value;
                        sum1[j] += weight.y * value;
                        sum2[j] += weight.z * value;
                        sum3[j] += weight.w * value;
                    }
                }
                workgroupBarrier();
            }
        }
        t = next;
    }
    total = lanes_sum(total, lane);
    for (var r = 0u; r < 4u; r++) {
        let writes = rows[r] < TOKENS * GROUP && tokens[r] < tokens_end;
        var sums = sum0;
        if r == 1u { sums = sum1; }
        if r == 2u { sums = sum2; }
        if r == 3u { sums = sum3; }
        tile_store(tokens[r], tile.head + rows[r] % GROUP, column, writes, sums, total[r]);
    }
}
