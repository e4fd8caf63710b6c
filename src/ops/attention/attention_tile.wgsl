// Attention of many tokens (Dao et al., arXiv 2205.14135): a workgroup takes ROWS query rows, a token's GROUP heads that
// share a key-value head side by side, and BLOCK keys at a time, which it reads once for all of them.
// A thread has 4 rows: the scores of 4 keys, then sums of every 16th vector of values. 32 columns of q and of the keys at
// a time go through workgroup memory, turned so that a thread reads 4 rows (keys) as one vector; then the weights, turned
// likewise, and the values of VALUE_KEYS keys at a time. What comes next is fetched into registers meanwhile. In rows of
// that memory vectors are `swapped`, so that threads which write a column of them do not meet in one bank.
// Tokens of a tile may be of several sequences: these come one after the other, and rows of others weigh nothing.
// Where tiles are few, their positions are divided among workgroups, and each makes a part as attention_token does.
// grid: x = query heads / GROUP, y = tokens / TOKENS; with SPLIT params.slots, all splits of a tile side by side
// Needs: VECTORS (head size / 4), GROUP, ROWS (32 or 64), TOKENS (ROWS / GROUP), WORKGROUP = 4 ROWS, LANES = 16,
// BLOCK (64), VALUE_KEYS (a divisor of BLOCK), SPLIT (1: parts are made, 0: y); a reduce, attention_span,
// attention_tile_splits, kv_quad.
@group(0) @binding(2) var<storage, read> q_in: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;  // y, or parts: [T, heads, splits, VECTORS + 1]

const ROW_QUADS = ROWS / 4u;
const KEY_QUADS = BLOCK / 4u;
const KEYS_AT = 32u * ROW_QUADS;     // in memory: [32, ROW_QUADS] of q, then [32, KEY_QUADS] of keys;
const VALUES_AT = BLOCK * ROW_QUADS; // or [BLOCK, ROW_QUADS] weights, then [VALUE_KEYS, VECTORS] values
const CHUNKS = (VECTORS + 7u) / 8u;
const TASKS = 8u * (ROW_QUADS + KEY_QUADS);
const EACH_TASK = (TASKS + WORKGROUP - 1u) / WORKGROUP;
const EACH_VALUE = (VALUE_KEYS * VECTORS + WORKGROUP - 1u) / WORKGROUP;
const EACH_SUM = (VECTORS + 15u) / 16u;
const LOWEST = -3.0e38;

var<workgroup> memory: array<vec4f, max(KEYS_AT + 32u * KEY_QUADS, VALUES_AT + VALUE_KEYS * VECTORS)>;

alias Columns = array<mat4x4f, EACH_TASK>;
alias Values = array<vec4f, EACH_VALUE>;
alias Sums = array<vec4f, EACH_SUM>;

// what the threads of a workgroup share
struct Tile {
    slot: u32,       // of the sequence
    key: u32,        // first of BLOCK positions
    last: u32,       // last one that is there
    token: u32,      // first one of the tile
    head: u32,       // first one of the group
    key_quad: u32,   // first of its key's vectors in a row of the cache
}

fn swapped(row: u32, quad: u32) -> u32 { return quad ^ ((row / 4u) & 7u); }

// where a position's row begins; those behind the last one are not there, it stands for them
fn tile_row_at(tile: Tile, position: u32) -> u32 { return kv_row_at(tile.slot, min(position, tile.last)); }

// vector `at` of a query row
fn tile_q(tile: Tile, row: u32, at: u32) -> vec4f {
    let t = min(tile.token + row / GROUP, batch.n_tokens - 1u);
    return q_in[t * params.vectors + (tile.head + row % GROUP) * VECTORS + at] * params.scale;
}

// a thread's part of columns 32 chunk .. of q and of the keys from position `key` on: 4 rows of a vector each
fn fetch_columns(tile: Tile, key: u32, chunk: u32, thread: u32) -> Columns {
    var columns: Columns;
    for (var i = 0u; i < EACH_TASK; i++) {
        let task = i * WORKGROUP + thread;
        let at = chunk * 8u + task % 8u;
        if task < 8u * ROW_QUADS && at < VECTORS {
            let row = task / 8u * 4u;
            columns[i] = mat4x4f(tile_q(tile, row, at), tile_q(tile, row + 1u, at), tile_q(tile, row + 2u, at),
                                 tile_q(tile, row + 3u, at));
        } else if task >= 8u * ROW_QUADS && task < TASKS && at < VECTORS {
            let row = key + (task / 8u - ROW_QUADS) * 4u;
            let quad = tile.key_quad + at;
            columns[i] = mat4x4f(kv_quad(tile_row_at(tile, row), quad), kv_quad(tile_row_at(tile, row + 1u), quad),
                                 kv_quad(tile_row_at(tile, row + 2u), quad), kv_quad(tile_row_at(tile, row + 3u), quad));
        } else {
            columns[i] = mat4x4f();
        }
    }
    return columns;
}

fn put_columns(columns: Columns, thread: u32) {
    for (var i = 0u; i < EACH_TASK; i++) {
        let task = i * WORKGROUP + thread;
        if task < TASKS {
            let is_key = task >= 8u * ROW_QUADS;
            let quad = select(task / 8u, task / 8u - ROW_QUADS, is_key);
            let column = 4u * (task % 8u);
            let stride = select(ROW_QUADS, KEY_QUADS, is_key);
            let place = select(0u, KEYS_AT, is_key) + column * stride + swapped(column, quad);
            let turned = transpose(columns[i]);
            memory[place] = turned[0];
            memory[place + stride] = turned[1];
            memory[place + 2u * stride] = turned[2];
            memory[place + 3u * stride] = turned[3];
        }
    }
}

// a thread's part of VALUE_KEYS values from position `key` on
fn fetch_values(tile: Tile, key: u32, thread: u32) -> Values {
    var values: Values;
    for (var i = 0u; i < EACH_VALUE; i++) {
        let task = i * WORKGROUP + thread;
        let row_at = tile_row_at(tile, key + task / VECTORS);
        values[i] = kv_quad(row_at, params.row_quads / 2u + tile.key_quad + task % VECTORS);
    }
    return values;
}

fn put_values(values: Values, thread: u32) {
    for (var i = 0u; i < EACH_VALUE; i++) {
        let task = i * WORKGROUP + thread;
        if task < VALUE_KEYS * VECTORS { memory[VALUES_AT + task] = values[i]; }
    }
}

fn top_of(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

// which of 4 keys a row sees
fn sees(keys: vec4u, begin: u32, end: u32) -> vec4<bool> { return (keys >= vec4u(begin)) & (keys < vec4u(end)); }

// what became of a row
fn tile_store(t: u32, head: u32, split: u32, column: u32, sums: Sums, top: f32, total: f32) {
    if SPLIT == 0u {
        for (var j = 0u; j < EACH_SUM; j++) {
            let at = column + 16u * j;
            if at < VECTORS { out[t * params.vectors + head * VECTORS + at] = sums[j] / total; }
        }
        return;
    }
    let part = ((t * (params.vectors / VECTORS) + head) * count_splits() + split) * (VECTORS + 1u);
    for (var j = 0u; j < EACH_SUM; j++) {
        let at = column + 16u * j;
        if at < VECTORS { out[part + at] = sums[j]; }
    }
    if column == 0u { out[part + VECTORS] = vec4f(top, total, 0.0, 0.0); }
}

// what a thread's rows see, from and up to, while the tokens [first, next) are done; other rows nothing
fn bounds_of(rows: vec4u, tokens: vec4u, first: u32, next: u32) -> array<vec4u, 2> {
    var begin = vec4u();
    var end = vec4u();
    for (var r = 0u; r < 4u; r++) {
        if rows[r] < TOKENS * GROUP && tokens[r] >= first && tokens[r] < next {
            let span = visible(tokens[r]);
            begin[r] = span.begin;
            end[r] = span.end;
        }
    }
    return array<vec4u, 2>(begin, end);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let row_quad = lane.thread / 16u;
    let column = lane.thread % 16u;
    let splits = select(1u, count_splits(), SPLIT == 1u);
    let split = group.y % splits;
    var tile: Tile;
    tile.token = group.y / splits * TOKENS;
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
        let bounds = bounds_of(rows, tokens, t, next);
        let begin = bounds[0];
        let end = bounds[1];
        let span = part_of(Span(visible(t).begin, batch.position[next - 1u] + 1u), split, splits);
        tile.slot = batch.slot[seq];
        tile.last = max(span.end, 1u) - 1u;
        var columns: Columns;
        if span.begin < span.end { columns = fetch_columns(tile, span.begin, 0u, lane.thread); }
        for (tile.key = span.begin; tile.key < span.end; tile.key += BLOCK) {
            var s0 = vec4f(); // a row's scores of the thread's 4 keys
            var s1 = vec4f();
            var s2 = vec4f();
            var s3 = vec4f();
            var values: Values;
            for (var chunk = 0u; chunk < CHUNKS; chunk++) {
                put_columns(columns, lane.thread);
                workgroupBarrier();
                if chunk + 1u < CHUNKS { columns = fetch_columns(tile, tile.key, chunk + 1u, lane.thread); }
                else { values = fetch_values(tile, tile.key, lane.thread); }
                for (var d = 0u; d < 32u; d++) {
                    let q = memory[d * ROW_QUADS + swapped(d, row_quad)];
                    let k = memory[KEYS_AT + d * KEY_QUADS + swapped(d, column)];
                    s0 += q.x * k;
                    s1 += q.y * k;
                    s2 += q.z * k;
                    s3 += q.w * k;
                }
                workgroupBarrier();
            }
            let keys = tile.key + 4u * column + vec4u(0u, 1u, 2u, 3u);
            let seen0 = sees(keys, begin.x, min(end.x, span.end));
            let seen1 = sees(keys, begin.y, min(end.y, span.end));
            let seen2 = sees(keys, begin.z, min(end.z, span.end));
            let seen3 = sees(keys, begin.w, min(end.w, span.end));
            let lowest = vec4f(LOWEST);
            let old = top;
            top = max(top, vec4f(lanes_max(top_of(select(lowest, s0, seen0)), lane),
                                 lanes_max(top_of(select(lowest, s1, seen1)), lane),
                                 lanes_max(top_of(select(lowest, s2, seen2)), lane),
                                 lanes_max(top_of(select(lowest, s3, seen3)), lane)));
            let weights = mat4x4f(select(vec4f(), exp(s0 - top.x), seen0), select(vec4f(), exp(s1 - top.y), seen1),
                                  select(vec4f(), exp(s2 - top.z), seen2), select(vec4f(), exp(s3 - top.w), seen3));
            let shrink = exp(old - top);
            let turned = transpose(weights);
            total = total * shrink + (turned[0] + turned[1] + (turned[2] + turned[3]));
            for (var j = 0u; j < EACH_SUM; j++) {
                sum0[j] *= shrink.x;
                sum1[j] *= shrink.y;
                sum2[j] *= shrink.z;
                sum3[j] *= shrink.w;
            }
            let place = 4u * column * ROW_QUADS + swapped(4u * column, row_quad);
            memory[place] = turned[0];
            memory[place + ROW_QUADS] = turned[1];
            memory[place + 2u * ROW_QUADS] = turned[2];
            memory[place + 3u * ROW_QUADS] = turned[3];
            for (var first = 0u; first < BLOCK && tile.key + first < span.end; first += VALUE_KEYS) {
                put_values(values, lane.thread);
                workgroupBarrier();
                let more = first + VALUE_KEYS;
                if more < BLOCK && tile.key + more < span.end {
                    values = fetch_values(tile, tile.key + more, lane.thread);
                } else if tile.key + BLOCK < span.end {
                    columns = fetch_columns(tile, tile.key + BLOCK, 0u, lane.thread);
                }
                for (var k = 0u; k < VALUE_KEYS; k++) {
                    let weight = memory[(first + k) * ROW_QUADS + swapped(first + k, row_quad)];
                    for (var j = 0u; j < EACH_SUM; j++) {
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
    let heads = tile.head + rows % GROUP;
    let there = (rows < vec4u(TOKENS * GROUP)) & (tokens < vec4u(tokens_end));
    if there.x { tile_store(tokens.x, heads.x, split, column, sum0, top.x, total.x); }
    if there.y { tile_store(tokens.y, heads.y, split, column, sum1, top.y, total.y); }
    if there.z { tile_store(tokens.z, heads.z, split, column, sum2, top.z, total.z); }
    if there.w { tile_store(tokens.w, heads.w, split, column, sum3, top.w, total.w); }
}
