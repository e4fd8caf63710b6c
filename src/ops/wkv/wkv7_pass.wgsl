// The serial half of wkv7 over chunks of tokens (algebra: wkv7_chunked.c): a sequence's state from chunk to chunk.
//
// A workgroup has SPLIT_ROWS rows of S of one head. For every chunk it multiplies W and Q by S^T, in tiles of 4 x 4
// that SHARES neighbours share, then S by the decay and adds what the chunk brings and removes, each thread to ROWS x 4
// of S in its registers. The next chunk is on its way meanwhile. y is left as it is, for wkv7_finish.
// grid: x = heads * SPLIT, y = sequences
// Needs: HEAD (a multiple of 4 SHARES), CHUNK, SPLIT, SHARES (4, 8), WORKGROUP = CHUNK * HEAD / SPLIT * SHARES / 8,
// LANES >= HEAD / 4, ROWS = HEAD / SPLIT * LANES / WORKGROUP (1, 2 or 4); wkv/chunk, reduce/subgroup.
@group(0) @binding(2) var<storage, read> chunks: array<vec4f>;  // see wkv/chunk
@group(0) @binding(3) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y_out: array<f32>;

const VECTORS = HEAD / 4u;
const SPLIT_ROWS = HEAD / SPLIT;
const QUADS = SPLIT_ROWS / 4u;   // of rows
const LINES = 4u * BLOCKS;       // W, Q, key, removal, 4 tokens each
const STRIDE = VECTORS + 1u;     // of a row of S in workgroup memory, against bank conflicts
const STEP = VECTORS + 2u;       // in a line there: from a channel to the next, which lie by channel % 4
const LINE = 4u * STEP + 4u;
const LOADS = LINES * HEAD / WORKGROUP;

var<workgroup> lines: array<vec4f, LINES * LINE>;
var<workgroup> rows: array<vec4f, SPLIT_ROWS * STRIDE>;     // S
var<workgroup> values: array<vec4f, SPLIT_ROWS * BLOCKS>;   // of a row of S, 4 tokens each
var<workgroup> removed: array<vec4f, SPLIT_ROWS * BLOCKS>;  // -Z, likewise
var<workgroup> decay: array<f32, HEAD>;

struct Chunk {
    lines: array<vec4f, LOADS>,
    base: vec4f,    // U or P of this thread's share of its tile
    values: vec4f,  // of a row of S and 4 tokens
    decay: f32,
}

struct Part {
    first: u32,  // rows of the step
    end: u32,
    row: u32,    // of the chunk
}

fn part_at(row: u32, end: u32) -> Part {
    let at = row / CHUNK * CHUNK;
    return Part(row, min(at + CHUNK, end), at);
}

fn in_part(part: Part, row: u32) -> bool { return row >= part.first && row < part.end; }

// 0 for the tokens from `row` on that do not belong to the part
fn in_part_only(part: Part, row: u32, values: vec4f) -> vec4f {
    let rows_of = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(), values, (rows_of >= vec4u(part.first)) & (rows_of < vec4u(part.end)));
}

// first: channel of the workgroup's first row; share: what this thread gets of a tile
fn chunk_load(part: Part, head: u32, first: u32, share: Share, lane: Lane) -> Chunk {
    let region = chunk_region(part.row, head);
    var chunk: Chunk;
    for (var i = 0u; i < LOADS; i++) { chunk.lines[i] = chunks[region + lane.thread + i * WORKGROUP]; }
    chunk.base = chunks[region + U + share.line * HEAD + first + share.row];
    let e = min(lane.thread, SPLIT_ROWS * BLOCKS - 1u);
    chunk.values = chunks[region + VALUE + e % BLOCKS * HEAD + first + e / BLOCKS];
    let t = part.first % CHUNK;
    chunk.decay = chunks[region + DECAY + t / 4u * HEAD + min(lane.thread, HEAD - 1u)][t % 4u];
    return chunk;
}

fn chunk_place(chunk: Chunk, part: Part, lane: Lane) {
    for (var i = 0u; i < LOADS; i++) {
        let e = lane.thread + i * WORKGROUP;
        lines[e / HEAD * LINE + e % 4u * STEP + e % HEAD / 4u] = chunk.lines[i];
    }
    if lane.thread < SPLIT_ROWS * BLOCKS {
        values[lane.thread] = in_part_only(part, part.row + lane.thread % BLOCKS * 4u, chunk.values);
    }
    if lane.thread < HEAD { decay[lane.thread] = chunk.decay; }
}

// the sum over 4 neighbours of low or, in threads with this bit, of high
fn half_sum(low: vec4f, high: vec4f, bit: u32, lane: Lane) -> vec4f {
    let is_high = (lane.thread & bit) != 0u;
    return select(low, high, is_high) + subgroupShuffleXor(select(high, low, is_high), bit);
}

// What a thread gets of a tile of S W^T or S Q^T, which has 4 rows of S and 4 tokens: a row. Where 8 share it, the last
// 4 get what the others have.
struct Share {
    line: u32,  // W, then Q
    row: u32,   // of the workgroup's
}

fn share_of(lane: Lane) -> Share {
    let tile = lane.thread / SHARES;
    return Share(tile / QUADS, tile % QUADS * 4u + lane.thread % 4u);
}

fn share_sum(share: Share, lane: Lane) -> vec4f {
    let row = share.row / 4u * 4u * STRIDE;
    var a = vec4f();
    var b = vec4f();
    var c = vec4f();
    var d = vec4f();
    for (var i = 0u; i < VECTORS / SHARES; i++) {
        let q = i * SHARES + lane.thread % SHARES;
        let s0 = rows[row + q];
        let s1 = rows[row + STRIDE + q];
        let s2 = rows[row + 2u * STRIDE + q];
        let s3 = rows[row + 3u * STRIDE + q];
        for (var k = 0u; k < 4u; k++) {
            let line = lines[share.line * LINE + k * STEP + q];
            a = fma(vec4f(s0[k]), line, a);
            b = fma(vec4f(s1[k]), line, b);
            c = fma(vec4f(s2[k]), line, c);
            d = fma(vec4f(s3[k]), line, d);
        }
    }
    let sum = half_sum(half_sum(a, c, 2u, lane), half_sum(b, d, 2u, lane), 1u, lane);
    if SHARES == 8u { return sum + subgroupShuffleXor(sum, 4u); }
    return sum;
}

// x + the transposed lines of 4 channels times the values of 4 tokens
fn add_lines(x: vec4f, a: vec4f, b: vec4f, c: vec4f, d: vec4f, values: vec4f) -> vec4f {
    var sum = fma(vec4f(a.x, b.x, c.x, d.x), vec4f(values.x), x);
    sum = fma(vec4f(a.y, b.y, c.y, d.y), vec4f(values.y), sum);
    sum = fma(vec4f(a.z, b.z, c.z, d.z), vec4f(values.z), sum);
    return fma(vec4f(a.w, b.w, c.w, d.w), vec4f(values.w), sum);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let end = batch.first[group.y] + batch.count[group.y];
    let head = group.x / SPLIT;
    let first = group.x % SPLIT * SPLIT_ROWS;
    let row = lane.thread / LANES * ROWS;
    let column = lane.thread % LANES;
    let inside = column < VECTORS;
    let state_at = batch.slot[group.y] * params.slot_vectors + (head * HEAD + first + row) * VECTORS + column;
    let share = share_of(lane);
    var part = part_at(batch.first[group.y], end);
    var next: Chunk;
    var s: array<vec4f, ROWS>;
    if inside {
        for (var i = 0u; i < ROWS; i++) {
            s[i] = state[state_at + i * VECTORS];
            rows[(row + i) * STRIDE + column] = s[i];
        }
    }
    if part.first < end { next = chunk_load(part, head, first, share, lane); }
    while part.first < end {
        chunk_place(next, part, lane);
        let base = next.base;
        workgroupBarrier();
        let following = part_at(part.end, end);
        if following.first < end { next = chunk_load(following, head, first, share, lane); }
        let sum = base + share_sum(share, lane);
        let token = part.row + share.line % BLOCKS * 4u;
        let tells = lane.thread % SHARES < 4u;
        if share.line < BLOCKS && tells {
            removed[share.row * BLOCKS + share.line] = -in_part_only(part, token, sum);
        }
        if share.line >= BLOCKS && tells {
            let y_at = token * params.vectors * 4u + head * HEAD + first + share.row;
            for (var t = 0u; t < 4u; t++) {
                if in_part(part, token + t) { y_out[y_at + t * params.vectors * 4u] = sum[t]; }
            }
        }
        workgroupBarrier();
        if inside {
            let c = column * 4u;
            let faded = vec4f(decay[c], decay[c + 1u], decay[c + 2u], decay[c + 3u]);
            for (var i = 0u; i < ROWS; i++) { s[i] *= faded; }
            for (var b = 0u; b < BLOCKS; b++) {
                let key = (2u * BLOCKS + b) * LINE + column;
                let removal = (3u * BLOCKS + b) * LINE + column;
                let k0 = lines[key];
                let k1 = lines[key + STEP];
                let k2 = lines[key + 2u * STEP];
                let k3 = lines[key + 3u * STEP];
                let r0 = lines[removal];
                let r1 = lines[removal + STEP];
                let r2 = lines[removal + 2u * STEP];
                let r3 = lines[removal + 3u * STEP];
                for (var i = 0u; i < ROWS; i++) {
                    s[i] = add_lines(s[i], k0, k1, k2, k3, values[(row + i) * BLOCKS + b]);
                    s[i] = add_lines(s[i], r0, r1, r2, r3, removed[(row + i) * BLOCKS + b]);
                }
            }
            for (var i = 0u; i < ROWS; i++) { rows[(row + i) * STRIDE + column] = s[i]; }
        }
        workgroupBarrier();
        part = following;
    }
    if inside {
        for (var i = 0u; i < ROWS; i++) { state[state_at + i * VECTORS] = s[i]; }
    }
}
