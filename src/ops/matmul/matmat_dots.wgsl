// Y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) by packed dot products, for many
// tokens: integer weights, x in int8 form (quant/q8_row.h).
// A workgroup of ACROSS x DOWN threads makes a tile of 4 ACROSS rows x DOWN TOKENS tokens, a thread 4 x TOKENS of it:
// every ACROSS-th row, every DOWN-th token. BLOCKS blocks of 32 columns at a time go through workgroup memory as bytes,
// weights decoded once. Columns that share a scale (32, or 16 of some types: a "part") are summed as integers, then as
// floats. In workgroup memory rows of W and then of x ("lines") lie side by side, [vector of a row][line] and
// [part][line]: threads beside each other read lines beside each other. Sums have names: some compilers keep arrays of
// them in memory.
// A tile lies in one segment (segment.wgsl); all segments are one dispatch, so that thin ones fill the device together.
// grid: x = tiles of rows, segment after segment; y = tokens / (DOWN TOKENS)
// Needs: ACROSS, DOWN, TOKENS (4 or 8), BLOCKS; a codec (weight_bytes, weight_lines), segment, epilogue.
@group(0) @binding(4) var<storage, read> x: array<vec4u>;         // [T, (K/4 + K/16) / 4]
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

const WORKGROUP = ACROSS * DOWN;
const TILE_ROWS = 4u * ACROSS;
const TILE_TOKENS = DOWN * TOKENS;
const LINES = TILE_ROWS + TILE_TOKENS;
const BLOCK_PARTS = select(1u, 2u, WEIGHT_HALVES);
const VECTORS = 2u / BLOCK_PARTS;  // of 16 bytes, of a part
const PARTS = BLOCKS * BLOCK_PARTS;
const BYTES_STRIDE = LINES + 1u;   // the blocks of a line, stored side by side, lie in different banks
const SCALES_STRIDE = LINES + 4u;
var<workgroup> tile_bytes: array<vec4u, 2u * BLOCKS * BYTES_STRIDE>;
var<workgroup> tile_scales: array<vec2f, PARTS * SCALES_STRIDE>;  // scale and offset; of x: d and d * sum of q

// a block of a line; scale and offset of the first part, of the second one
struct DotsBlock {
    bytes: array<vec4u, 2>,
    scales: vec4f,
}

// a part of 4 rows, and of a token
struct DotsRows {
    first: array<vec4u, 4>,
    last: array<vec4u, 4>,
    scale: vec4f,
    offset: vec4f,
}

struct DotsToken {
    first: vec4u,
    last: vec4u,
    scale: vec2f,
}

fn dots_fetch_x(token: u32, block: u32) -> DotsBlock {
    let row = token * ((params.quads + params.quads / 4u + 3u) / 4u);
    let pair = x[row + params.quads / 4u + block / 2u];
    let scale = select(pair.xy, pair.zw, (block & 1u) == 1u);
    let first = extractBits(bitcast<i32>(scale.y), 0u, 16u);
    let last = bitcast<i32>(scale.y) >> 16u;
    let sums = vec2f(vec2i(select(first + last, first, WEIGHT_HALVES), last));
    return DotsBlock(array<vec4u, 2>(x[row + 2u * block], x[row + 2u * block + 1u]),
                     bitcast<f32>(scale.x) * vec4f(1.0, sums.x, 1.0, sums.y));
}

// 0 past the end of the segment
fn dots_fetch(line: u32, tile: vec2u, token0: u32, tokens: u32, segment: Segment, block: u32) -> DotsBlock {
    if 2u * block >= segment.spans { return DotsBlock(); }
    if line >= TILE_ROWS {
        return dots_fetch_x(min(token0 + line - TILE_ROWS, tokens - 1u), segment.x_at / 8u + block);
    }
    let row = min(tile.x + line, tile.y - 1u);
    return DotsBlock(weight_bytes(row, block), weight_lines(row, block));
}

fn dots_keep(line: u32, block: u32, b: DotsBlock) {
    tile_bytes[2u * block * BYTES_STRIDE + line] = b.bytes[0];
    tile_bytes[(2u * block + 1u) * BYTES_STRIDE + line] = b.bytes[1];
    tile_scales[BLOCK_PARTS * block * SCALES_STRIDE + line] = b.scales.xy;
    if WEIGHT_HALVES { tile_scales[(2u * block + 1u) * SCALES_STRIDE + line] = b.scales.zw; }
}

fn dots_rows(part: u32, line: u32) -> DotsRows {
    let at = part * VECTORS * BYTES_STRIDE + line;
    let last = at + (VECTORS - 1u) * BYTES_STRIDE;
    let scale_at = part * SCALES_STRIDE + line;
    let scales = mat4x2f(tile_scales[scale_at], tile_scales[scale_at + ACROSS], tile_scales[scale_at + 2u * ACROSS],
                         tile_scales[scale_at + 3u * ACROSS]);
    let columns = transpose(scales);
    return DotsRows(array<vec4u, 4>(tile_bytes[at], tile_bytes[at + ACROSS], tile_bytes[at + 2u * ACROSS],
                                    tile_bytes[at + 3u * ACROSS]),
                    array<vec4u, 4>(tile_bytes[last], tile_bytes[last + ACROSS], tile_bytes[last + 2u * ACROSS],
                                    tile_bytes[last + 3u * ACROSS]),
                    columns[0], columns[1]);
}

fn dots_token(part: u32, line: u32) -> DotsToken {
    let at = part * VECTORS * BYTES_STRIDE + line;
    return DotsToken(tile_bytes[at], tile_bytes[at + (VECTORS - 1u) * BYTES_STRIDE],
                     tile_scales[part * SCALES_STRIDE + line]);
}

fn dots_dot(a: vec4u, b: vec4u, sum: i32) -> i32 {
    return dot4I8Packed(a.w, b.w) +
           (dot4I8Packed(a.z, b.z) + (dot4I8Packed(a.y, b.y) + (dot4I8Packed(a.x, b.x) + sum)));
}

// sums of 4 rows for a token, with this part
fn dots_add(r: DotsRows, t: DotsToken, sums: vec4f) -> vec4f {
    var q = vec4i(dots_dot(r.first[0], t.first, 0), dots_dot(r.first[1], t.first, 0), dots_dot(r.first[2], t.first, 0),
                  dots_dot(r.first[3], t.first, 0));
    if VECTORS > 1u {
        q = vec4i(dots_dot(r.last[0], t.last, q.x), dots_dot(r.last[1], t.last, q.y), dots_dot(r.last[2], t.last, q.z),
                  dots_dot(r.last[3], t.last, q.w));
    }
    let scaled = sums + r.scale * t.scale.x * vec4f(q);
    if WEIGHT_OFFSET { return scaled + r.offset * t.scale.y; }
    return scaled;
}

fn dots_store(token: u32, tokens: u32, row: u32, end: u32, act: u32, sums: vec4f) {
    if token >= tokens { return; }
    for (var r = 0u; r < 4u; r++) {
        if row + r * ACROSS < end {
            let m = params.row_at + row + r * ACROSS;
            let at = token * params.out_cols + m;
            let bias_at = min(m, arrayLength(&bias) - 1u);
            y[at] = epilogue(act, sums[r], bias[bias_at], other[min(at, arrayLength(&other) - 1u)]);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let tile = segment_tile(group.x, TILE_ROWS);
    let segment = segment_of(tile.x);
    let token0 = group.y * TILE_TOKENS;
    let across = thread % ACROSS;
    let down = thread / ACROSS;
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    var s4 = vec4f();
    var s5 = vec4f();
    var s6 = vec4f();
    var s7 = vec4f();
    for (var block0 = 0u; 2u * block0 < segment.spans; block0 += BLOCKS) {
        for (var i = thread; i < LINES * BLOCKS; i += WORKGROUP) {
            let block = i % BLOCKS;
            dots_keep(i / BLOCKS, block, dots_fetch(i / BLOCKS, tile, token0, tokens, segment, block0 + block));
        }
        workgroupBarrier();
        for (var part = 0u; part < PARTS; part++) {
            let rows = dots_rows(part, across);
            let line = TILE_ROWS + down;
            s0 = dots_add(rows, dots_token(part, line), s0);
            s1 = dots_add(rows, dots_token(part, line + DOWN), s1);
            s2 = dots_add(rows, dots_token(part, line + 2u * DOWN), s2);
            s3 = dots_add(rows, dots_token(part, line + 3u * DOWN), s3);
            if TOKENS > 4u {
                s4 = dots_add(rows, dots_token(part, line + 4u * DOWN), s4);
                s5 = dots_add(rows, dots_token(part, line + 5u * DOWN), s5);
                s6 = dots_add(rows, dots_token(part, line + 6u * DOWN), s6);
                s7 = dots_add(rows, dots_token(part, line + 7u * DOWN), s7);
            }
        }
        workgroupBarrier();
    }
    let row = tile.x + across;
    let token = token0 + down;
    dots_store(token, tokens, row, tile.y, segment.act, s0);
    dots_store(token + DOWN, tokens, row, tile.y, segment.act, s1);
    dots_store(token + 2u * DOWN, tokens, row, tile.y, segment.act, s2);
    dots_store(token + 3u * DOWN, tokens, row, tile.y, segment.act, s3);
    if TOKENS > 4u {
        dots_store(token + 4u * DOWN, tokens, row, tile.y, segment.act, s4);
        dots_store(token + 5u * DOWN, tokens, row, tile.y, segment.act, s5);
        dots_store(token + 6u * DOWN, tokens, row, tile.y, segment.act, s6);
        dots_store(token + 7u * DOWN, tokens, row, tile.y, segment.act, s7);
    }
}
