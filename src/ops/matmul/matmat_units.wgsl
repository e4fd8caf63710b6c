// Y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) on matrix units, for many
// tokens.
// A workgroup makes a tile of 128 rows of one segment x 128 tokens, each of its 8 subgroups ("units") 32 rows x 64
// tokens of that, in sums of 16 x 16. 64 columns at a time go through workgroup memory as f16, weights decoded once;
// the next ones are on their way meanwhile. Sums have names, and all that they meet stands in main: compilers keep arrays
// of them in memory, at a fifth of the speed.
// f16 holds up to 65504, x may be more: it is taken as x / 16, exact down to 1/1024 and below that no worse than 1e-6.
// Beyond 1048064 it is cut off, so that nothing becomes infinite.
// grid: x = tiles of rows, segment after segment; y = tokens / 128
// Needs: SUBGROUP (32), TAIL (1: a segment may end within 64 columns), f16; a codec (weight_span), x_quad, segment,
// epilogue.
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

const WORKGROUP = 256u;
const TILE = 128u;
const SPANS = 4u;                        // of a row of a tile: 64 columns
const VECTORS = 16u;
const STRIDE = VECTORS + 2u;             // 16 bytes more spread rows over the banks of the memory
const NEXT = 16u * STRIDE;               // from 16 rows or tokens to the next
const EACH_W = TILE * SPANS / WORKGROUP; // spans and vectors that a thread brings
const EACH_X = TILE * VECTORS / WORKGROUP;
const SHRINK = 0.0625;
const HALF_MAX = 65504.0;
var<workgroup> tile_w: array<vec4<f16>, TILE * STRIDE>;  // [row, column / 4]
var<workgroup> tile_x: array<vec4<f16>, TILE * STRIDE>;  // [token, column / 4]
var<workgroup> stage: array<f32, 8u * 256u>;             // 16 x 16 sums of each unit

alias Sum = coop_mat16x16<f32, C>;    // [token, row]
alias PartX = coop_mat16x16<f16, A>;  // [token, column]
alias PartW = coop_mat16x16<f16, B>;  // [column, row]

// what a thread is about
struct Place {
    tokens: u32,  // of the step
    token: u32,   // first one of its unit
    row: u32,     // first row of its unit, in the part,
    end: u32,     // and where the segment ends
    act: u32,
    thread: u32,
}

// the first row of a tile, and where its segment ends
fn units_rows(index: u32) -> vec2u {
    var tile = index;
    var first = 0u;
    for (var s = 0u; s < 8u; s++) {
        let end = segment_end(s);
        let tiles = (end - first + TILE - 1u) / TILE;
        if tile < tiles { return vec2u(first + tile * TILE, end); }
        tile -= tiles;
        first = end;
    }
    return vec2u(); // not reached: the grid has as many tiles
}

// 16 columns of a row of W; 0 past the end of the segment
fn units_fetch_w(row: u32, span: u32, spans: u32) -> mat4x4<f16> {
    var w: mat4x4f;
    if TAIL == 0u || span < spans { w = weight_span(row, span); }
    return mat4x4<f16>(vec4<f16>(w[0]), vec4<f16>(w[1]), vec4<f16>(w[2]), vec4<f16>(w[3]));
}

// 4 columns of a token's x; those past the end meet weights that are 0
fn units_fetch_x(token: u32, column: u32) -> vec4<f16> {
    let v = x_quad(token, select(min(column, params.quads - 1u), column, TAIL == 0u)) * SHRINK;
    return vec4<f16>(clamp(v, vec4f(-HALF_MAX), vec4f(HALF_MAX)));
}

// the unit's 256 values in `stage`, from `token` and `row` of its results on
fn units_store(p: Place, token: u32, row: u32) {
    workgroupBarrier();
    for (var i = p.thread % SUBGROUP; i < 256u; i += SUBGROUP) {
        let t = p.token + token + i / 16u;
        let r = p.row + row + i % 16u;
        if t < p.tokens && r < p.end {
            let m = params.row_at + r;
            let at = t * params.out_cols + m;
            let value = stage[p.thread / SUBGROUP * 256u + i] / SHRINK;
            let bias_at = min(m, arrayLength(&bias) - 1u);
            y[at] = epilogue(p.act, value, bias[bias_at], other[min(at, arrayLength(&other) - 1u)]);
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let rows = units_rows(group.x);
    let segment = segment_of(rows.x);
    let token0 = group.y * TILE;
    let unit = thread / SUBGROUP;
    let unit_row = unit % 4u * 32u;
    let unit_token = unit / 4u * 64u;
    let w_at = unit_row * STRIDE;
    let x_at = unit_token * STRIDE;
    var next_w: array<mat4x4<f16>, EACH_W>;
    var next_x: array<vec4<f16>, EACH_X>;
    var sum00: Sum;
    var sum01: Sum;
    var sum10: Sum;
    var sum11: Sum;
    var sum20: Sum;
    var sum21: Sum;
    var sum30: Sum;
    var sum31: Sum;
    for (var i = 0u; i < EACH_W; i++) {
        let item = i * WORKGROUP + thread;
        next_w[i] = units_fetch_w(min(rows.x + item / SPANS, rows.y - 1u), item % SPANS, segment.spans);
    }
    for (var i = 0u; i < EACH_X; i++) {
        let item = i * WORKGROUP + thread;
        next_x[i] = units_fetch_x(min(token0 + item / VECTORS, tokens - 1u), segment.x_at + item % VECTORS);
    }
    for (var span = 0u; span < segment.spans; span += SPANS) {
        for (var i = 0u; i < EACH_W; i++) {
            let item = i * WORKGROUP + thread;
            let at = item / SPANS * STRIDE + item % SPANS * 4u;
            let w = next_w[i];
            tile_w[at] = w[0];
            tile_w[at + 1u] = w[1];
            tile_w[at + 2u] = w[2];
            tile_w[at + 3u] = w[3];
        }
        for (var i = 0u; i < EACH_X; i++) {
            let item = i * WORKGROUP + thread;
            tile_x[item / VECTORS * STRIDE + item % VECTORS] = next_x[i];
        }
        workgroupBarrier();
        // without a tail the last turn fetches its own columns once more, in vain
        let next = select(span + SPANS, min(span + SPANS, segment.spans - SPANS), TAIL == 0u);
        if TAIL == 0u || next < segment.spans {
            for (var i = 0u; i < EACH_W; i++) {
                let item = i * WORKGROUP + thread;
                next_w[i] = units_fetch_w(min(rows.x + item / SPANS, rows.y - 1u), next + item % SPANS, segment.spans);
            }
            for (var i = 0u; i < EACH_X; i++) {
                let item = i * WORKGROUP + thread;
                let column = segment.x_at + next * 4u + item % VECTORS;
                next_x[i] = units_fetch_x(min(token0 + item / VECTORS, tokens - 1u), column);
            }
        }
        for (var k = 0u; k < SPANS; k++) {
            let w0 = coopLoad<PartW>(&tile_w[w_at + k * 4u], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + k * 4u], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at + k * 4u], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + k * 4u], STRIDE);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + k * 4u], STRIDE);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + k * 4u], STRIDE);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
        }
        workgroupBarrier();
    }
    let place = Place(tokens, token0 + unit_token, rows.x + unit_row, rows.y, segment.act, thread);
    let at = unit * 256u;
    let stride = 16u;
    let done00 = sum00;
    coopStoreT(done00, &stage[at], stride);
    units_store(place, 0u, 0u);
    let done01 = sum01;
    coopStoreT(done01, &stage[at], stride);
    units_store(place, 0u, 16u);
    let done10 = sum10;
    coopStoreT(done10, &stage[at], stride);
    units_store(place, 16u, 0u);
    let done11 = sum11;
    coopStoreT(done11, &stage[at], stride);
    units_store(place, 16u, 16u);
    let done20 = sum20;
    coopStoreT(done20, &stage[at], stride);
    units_store(place, 32u, 0u);
    let done21 = sum21;
    coopStoreT(done21, &stage[at], stride);
    units_store(place, 32u, 16u);
    let done30 = sum30;
    coopStoreT(done30, &stage[at], stride);
    units_store(place, 48u, 0u);
    let done31 = sum31;
    coopStoreT(done31, &stage[at], stride);
    units_store(place, 48u, 16u);
}
