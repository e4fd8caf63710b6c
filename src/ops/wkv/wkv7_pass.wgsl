// The serial half of wkv7 over chunks of tokens (algebra: wkv7_chunked.c): a sequence's state from chunk to chunk.
//
// A workgroup has SPLIT_ROWS rows of S of one head. For every chunk it multiplies W and Q by S^T, in tiles of 4 x 4
// that 4 neighbours share, then S by the decay and adds what the chunk brings and removes, each thread to ROWS x 4 of S
// in its registers. The next chunk is on its way meanwhile. y is left as it is, for wkv7_finish.
// grid: x = heads * SPLIT, y = sequences
// Needs: HEAD (a multiple of 16), CHUNK, SPLIT, WORKGROUP = CHUNK * HEAD / SPLIT / 2, LANES >= HEAD / 4,
// ROWS = LANES * 2 / CHUNK (1, 2 or 4); reduce/subgroup.
@group(0) @binding(2) var<storage, read> chunks: array<vec4f>;  // [T, 33 C / 16], see wkv7_solve: blocks of C / 4
@group(0) @binding(3) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y_out: array<f32>;

const VECTORS = HEAD / 4u;
const SPLIT_ROWS = HEAD / SPLIT;
const QUADS = SPLIT_ROWS / 4u;  // of rows
const BLOCKS = CHUNK / 4u;      // of 4 tokens
const LINES = 4u * CHUNK;       // W, Q, key, removal of a chunk
const STRIDE = VECTORS + 1u;    // of a line or row in workgroup memory, against bank conflicts
const LOADS = LINES * VECTORS / WORKGROUP;

var<workgroup> lines: array<vec4f, LINES * STRIDE>;
var<workgroup> rows: array<vec4f, SPLIT_ROWS * STRIDE>;     // S
var<workgroup> values: array<vec4f, SPLIT_ROWS * BLOCKS>;   // of a row of S, 4 tokens each
var<workgroup> removed: array<vec4f, SPLIT_ROWS * BLOCKS>;  // -Z, likewise
var<workgroup> decay: array<vec4f, VECTORS>;

struct Chunk {
    lines: array<vec4f, LOADS>,
    base: vec4f,    // U or P of this thread's share of its tile
    values: vec4f,  // of a row of S and 4 tokens
    decay: vec4f,
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

// quarter: of C, where a block begins; v: a vec4 of the block. Rows outside of the part may hold anything.
fn chunk_at(row: u32, quarter: u32, v: u32) -> u32 {
    var inside = row;
    if MAX_TOKENS % CHUNK > 0u { inside = min(row, MAX_TOKENS - 1u); }
    return (inside * 33u + quarter) * (params.vectors / 4u) + v;
}

// channel c of 4 tokens
fn chunk_column(row: u32, quarter: u32, c: u32) -> vec4f {
    let v = c / 4u;
    return vec4f(chunks[chunk_at(row, quarter, v)][c % 4u], chunks[chunk_at(row + 1u, quarter, v)][c % 4u],
                 chunks[chunk_at(row + 2u, quarter, v)][c % 4u], chunks[chunk_at(row + 3u, quarter, v)][c % 4u]);
}

// share: what this thread gets of a tile
fn chunk_load(part: Part, head_at: u32, quad: u32, share: Share, lane: Lane) -> Chunk {
    var chunk: Chunk;
    for (var i = 0u; i < LOADS; i++) {
        let e = lane.thread + i * WORKGROUP;
        let block = e / VECTORS / CHUNK * 4u;
        chunk.lines[i] = chunks[chunk_at(part.row + e / VECTORS % CHUNK, block, head_at + e % VECTORS)];
    }
    let c = (head_at + quad) * 4u;
    chunk.base = chunk_column(part.row + share.line % CHUNK, 16u + share.line / CHUNK * 4u, c + share.row);
    let e = min(lane.thread, SPLIT_ROWS * BLOCKS - 1u);
    chunk.values = chunk_column(part.row + e % BLOCKS * 4u, 24u, c + e / BLOCKS);
    chunk.decay = chunks[chunk_at(part.first, 28u, head_at + min(lane.thread, VECTORS - 1u))];
    return chunk;
}

// 0 for the tokens from `row` on that do not belong to the part
fn in_part_only(part: Part, row: u32, values: vec4f) -> vec4f {
    let rows_of = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(), values, (rows_of >= vec4u(part.first)) & (rows_of < vec4u(part.end)));
}

fn chunk_place(chunk: Chunk, part: Part, lane: Lane) {
    for (var i = 0u; i < LOADS; i++) {
        let e = lane.thread + i * WORKGROUP;
        lines[e / VECTORS * STRIDE + e % VECTORS] =
            select(vec4f(), chunk.lines[i], in_part(part, part.row + e / VECTORS % CHUNK));
    }
    if lane.thread < SPLIT_ROWS * BLOCKS {
        values[lane.thread] = in_part_only(part, part.row + lane.thread % BLOCKS * 4u, chunk.values);
    }
    if lane.thread < VECTORS { decay[lane.thread] = chunk.decay; }
}

// the sum over 4 neighbours of low or, in threads with this bit, of high
fn half_sum(low: vec4f, high: vec4f, bit: u32, lane: Lane) -> vec4f {
    let is_high = (lane.thread & bit) != 0u;
    return select(low, high, is_high) + subgroupShuffleXor(select(high, low, is_high), bit);
}

// What a thread gets of a tile of S W^T or S Q^T, which has 4 rows of S and 4 tokens: a row.
struct Share {
    line: u32,  // first of the 4 in W, then Q
    row: u32,   // of the workgroup's
}

fn share_of(lane: Lane) -> Share {
    let tile = lane.thread / 4u;
    return Share(tile / QUADS * 4u, tile % QUADS * 4u + lane.thread % 4u);
}

fn share_sum(share: Share, lane: Lane) -> vec4f {
    let line = share.line * STRIDE;
    let row = share.row / 4u * 4u * STRIDE;
    var a = vec4f();
    var b = vec4f();
    var c = vec4f();
    var d = vec4f();
    for (var i = 0u; i < VECTORS / 4u; i++) {
        let q = i * 4u + lane.thread % 4u;
        let tokens = mat4x4f(lines[line + q], lines[line + STRIDE + q], lines[line + 2u * STRIDE + q],
                             lines[line + 3u * STRIDE + q]);
        a += rows[row + q] * tokens;
        b += rows[row + STRIDE + q] * tokens;
        c += rows[row + 2u * STRIDE + q] * tokens;
        d += rows[row + 3u * STRIDE + q] * tokens;
    }
    return half_sum(half_sum(a, c, 2u, lane), half_sum(b, d, 2u, lane), 1u, lane);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let end = batch.first[group.y] + batch.count[group.y];
    let head_at = group.x / SPLIT * VECTORS;
    let quad = group.x % SPLIT * QUADS;  // first of the rows
    let row = lane.thread / LANES * ROWS;
    let column = lane.thread % LANES;
    let inside = column < VECTORS;
    let state_at = batch.slot[group.y] * params.slot_vectors + (head_at + quad) * HEAD + row * VECTORS + column;
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
    if part.first < end { next = chunk_load(part, head_at, quad, share, lane); }
    while part.first < end {
        chunk_place(next, part, lane);
        let base = next.base;
        workgroupBarrier();
        let following = part_at(part.end, end);
        if following.first < end { next = chunk_load(following, head_at, quad, share, lane); }
        let sum = base + share_sum(share, lane);
        let token = part.row + share.line % CHUNK;
        if share.line < CHUNK {
            removed[share.row * BLOCKS + share.line / 4u] = -in_part_only(part, token, sum);
        } else {
            for (var t = 0u; t < 4u; t++) {
                if in_part(part, token + t) {
                    y_out[((token + t) * params.vectors + head_at + quad) * 4u + share.row] = sum[t];
                }
            }
        }
        workgroupBarrier();
        if inside {
            for (var i = 0u; i < ROWS; i++) { s[i] *= decay[column]; }
            for (var b = 0u; b < BLOCKS; b++) {
                let key_at = (2u * CHUNK + b * 4u) * STRIDE + column;
                let removal_at = (3u * CHUNK + b * 4u) * STRIDE + column;
                let key = mat4x4f(lines[key_at], lines[key_at + STRIDE], lines[key_at + 2u * STRIDE],
                                  lines[key_at + 3u * STRIDE]);
                let removal = mat4x4f(lines[removal_at], lines[removal_at + STRIDE], lines[removal_at + 2u * STRIDE],
                                      lines[removal_at + 3u * STRIDE]);
                for (var i = 0u; i < ROWS; i++) {
                    s[i] += key * values[(row + i) * BLOCKS + b] + removal * removed[(row + i) * BLOCKS + b];
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
