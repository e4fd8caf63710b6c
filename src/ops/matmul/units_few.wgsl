// y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) on matrix units, for few tokens:
// weights are read and decoded once for up to 48 of them.
// A workgroup makes a tile of ROW_GROUPS x ROW_UNITS x 16 rows of one segment x TOKEN_UNITS x 16 tokens. Its subgroups
// ("units") are ROW_GROUPS by SPLIT; the latter share the columns, and their sums are added up in the end. A step takes
// SPLIT x 32 columns through workgroup memory as f16, while what the next one is decoded from is on its way into
// registers. x is taken as x / 16, as in matmat_units, which says why, and why sums have names. So has what a thread
// brings for the next step, and the products of a step are written out: compilers leave loops with such products as
// they are, and then arrays in memory.
// grid: x = tiles of rows, segment after segment; y = tokens / (16 TOKEN_UNITS)
// Needs: WORKGROUP (32 ROW_GROUPS SPLIT, SPLIT > 1), TOKEN_UNITS (1-3), ROW_UNITS (1, 2), ROW_GROUPS, TAIL (1: a
// segment may end within a step), f16; a codec (weight_fetch, weight_decode), few_x_*,
// segment, epilogue, q8_store with FLOATS (1: y as floats is written); where it stores, ROW_GROUPS is even.
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

const SPLIT = WORKGROUP / 32u / ROW_GROUPS;
const ROWS = 16u * ROW_UNITS * ROW_GROUPS;
const TOKENS = 16u * TOKEN_UNITS;
const SPANS = SPLIT * 2u;                // of a row in a step
const STRIDE = 4u * SPANS + 2u;          // 16 bytes more spread rows over the banks of the memory
const NEXT = 16u * STRIDE;               // from 16 rows or tokens to the next
const ITEMS_X = TOKENS * SPANS;          // spans of x; of W there are ROW_UNITS for each thread
var<workgroup> tile_w: array<vec4<f16>, ROWS * STRIDE>;    // [row, column / 4]
var<workgroup> tile_x: array<vec4<f16>, TOKENS * STRIDE>;  // [token, column / 4]
var<workgroup> sums: array<f32, WORKGROUP / 32u * 256u>;  // 16 x 16 sums of each unit

alias Sum = coop_mat16x16<f32, C>;    // [token, row]
alias PartX = coop_mat16x16<f16, A>;  // [token, column]
alias PartW = coop_mat16x16<f16, B>;  // [column, row]

// what a workgroup is about
struct Tile {
    tokens: u32,  // of the step
    token: u32,   // the first one,
    row: u32,     // the first row, in the part,
    end: u32,     // and where the segment ends
    segment: Segment,
}

// Item i of a step is span units_span(i) of row or token units_line(i) of the tile: a subgroup brings 4 spans of 8
// lines, which lie in all banks of the memory.
fn units_span(i: u32) -> u32 { return i % 4u + i / 32u % (SPANS / 4u) * 4u; }
fn units_line(i: u32) -> u32 { return i / 4u % 8u + i / 32u / (SPANS / 4u) * 8u; }

// what is past the end of rows, tokens or columns is fetched in vain
fn units_fetch_w(tile: Tile, item: u32, first: u32) -> WeightWords {
    return weight_fetch(min(tile.row + units_line(item), tile.end - 1u),
                        min(first + units_span(item), tile.segment.spans - 1u));
}

fn units_fetch_x(tile: Tile, item: u32, first: u32) -> XWords {
    return x_fetch(min(tile.token + units_line(item), tile.tokens - 1u),
                   tile.segment.x_at + 4u * min(first + units_span(item), tile.segment.spans - 1u));
}

fn units_put_w(tile: Tile, item: u32, first: u32, words: WeightWords) {
    let span = first + units_span(item);
    let at = units_line(item) * STRIDE + units_span(item) * 4u;
    var w: mat4x4f;
    if TAIL == 0u || span < tile.segment.spans { w = weight_decode(words, span); }
    tile_w[at] = vec4<f16>(w[0].xzyw);
    tile_w[at + 1u] = vec4<f16>(w[1].xzyw);
    tile_w[at + 2u] = vec4<f16>(w[2].xzyw);
    tile_w[at + 3u] = vec4<f16>(w[3].xzyw);
}

fn units_put_x(item: u32, words: XWords) {
    let at = units_line(item) * STRIDE + units_span(item) * 4u;
    let v = x_halves(words);
    tile_x[at] = v[0];
    tile_x[at + 1u] = v[1];
    tile_x[at + 2u] = v[2];
    tile_x[at + 3u] = v[3];
}

// what the units have put into `sums`, from `token` and `row` of the tile on: 4 rows a thread
fn units_store(tile: Tile, token: u32, row: u32, lane: Lane) {
    workgroupBarrier();
    let quad = lane.thread % (4u * ROW_GROUPS);
    let local = lane.thread / (4u * ROW_GROUPS);
    let t = tile.token + token + local;
    let r = tile.row + quad / 4u * 16u + row + quad % 4u * 4u;
    let writes = local < 16u && t < tile.tokens && r < tile.end;
    var value: vec4f;
    if writes {
        for (var s = 0u; s < SPLIT; s++) {
            let at = (s * ROW_GROUPS + quad / 4u) * 256u + local * 16u + quad % 4u * 4u;
            value += vec4f(sums[at], sums[at + 1u], sums[at + 2u], sums[at + 3u]);
        }
        let m = params.row_at + r;
        for (var i = 0u; i < 4u; i++) {
            let at = t * params.out_cols + m + i;
            value[i] = epilogue(tile.segment.act, value[i] * 16.0, bias[min(m + i, arrayLength(&bias) - 1u)],
                                other[min(at, arrayLength(&other) - 1u)]);
            if FLOATS == 1u { y[at] = value[i]; }
        }
    }
    q8_store(t, params.out_cols / 4u, (params.row_at + r) / 4u, value, writes, lane);
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let rows = segment_tile(group.x, ROWS);
    let tile = Tile(tokens, group.y * TOKENS, rows.x, rows.y, segment_of(rows.x));
    let unit = lane.thread / 32u;
    let x_at = unit / ROW_GROUPS * 8u;
    let w_at = unit % ROW_GROUPS * NEXT + x_at;
    // what this thread brings: of W an item for each of ROW_UNITS, of x up to 3
    let item = lane.thread;
    let item1 = item + WORKGROUP;
    let item2 = item + 2u * WORKGROUP;
    let has_x0 = ITEMS_X >= WORKGROUP || item < ITEMS_X;
    let has_x1 = ITEMS_X >= 2u * WORKGROUP || (ITEMS_X > WORKGROUP && item1 < ITEMS_X);
    let has_x2 = ITEMS_X >= 3u * WORKGROUP || (ITEMS_X > 2u * WORKGROUP && item2 < ITEMS_X);
    var sum00: Sum; // 16 tokens x 16 rows: tokens 0-15, rows 0-15
    var sum01: Sum; // the rows 16 ROW_GROUPS further
    var sum10: Sum; // tokens 16-31
    var sum11: Sum;
    var sum20: Sum;
    var sum21: Sum;
    var next_w0 = units_fetch_w(tile, item, 0u);
    var next_w1: WeightWords;
    var next_x0: XWords;
    var next_x1: XWords;
    var next_x2: XWords;
    if ROW_UNITS > 1u { next_w1 = units_fetch_w(tile, item1, 0u); }
    if has_x0 { next_x0 = units_fetch_x(tile, item, 0u); }
    if has_x1 { next_x1 = units_fetch_x(tile, item1, 0u); }
    if has_x2 { next_x2 = units_fetch_x(tile, item2, 0u); }
    for (var span = 0u; span < tile.segment.spans; span += SPANS) {
        units_put_w(tile, item, span, next_w0);
        if ROW_UNITS > 1u { units_put_w(tile, item1, span, next_w1); }
        if has_x0 { units_put_x(item, next_x0); }
        if has_x1 { units_put_x(item1, next_x1); }
        if has_x2 { units_put_x(item2, next_x2); }
        workgroupBarrier();
        let next = span + SPANS;
        next_w0 = units_fetch_w(tile, item, next);
        if ROW_UNITS > 1u { next_w1 = units_fetch_w(tile, item1, next); }
        if has_x0 { next_x0 = units_fetch_x(tile, item, next); }
        if has_x1 { next_x1 = units_fetch_x(tile, item1, next); }
        if has_x2 { next_x2 = units_fetch_x(tile, item2, next); }
        let aw0 = coopLoad<PartW>(&tile_w[w_at], STRIDE);
        let ax0 = coopLoadT<PartX>(&tile_x[x_at], STRIDE);
        sum00 = coopMultiplyAdd(ax0, aw0, sum00);
        if ROW_UNITS > 1u {
            let aw1 = coopLoad<PartW>(&tile_w[w_at + ROW_GROUPS * NEXT], STRIDE);
            sum01 = coopMultiplyAdd(ax0, aw1, sum01);
            if TOKEN_UNITS > 1u {
                let ax1 = coopLoadT<PartX>(&tile_x[x_at + NEXT], STRIDE);
                sum10 = coopMultiplyAdd(ax1, aw0, sum10);
                sum11 = coopMultiplyAdd(ax1, aw1, sum11);
            }
            if TOKEN_UNITS > 2u {
                let ax2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT], STRIDE);
                sum20 = coopMultiplyAdd(ax2, aw0, sum20);
                sum21 = coopMultiplyAdd(ax2, aw1, sum21);
            }
        } else {
            if TOKEN_UNITS > 1u {
                let ax1 = coopLoadT<PartX>(&tile_x[x_at + NEXT], STRIDE);
                sum10 = coopMultiplyAdd(ax1, aw0, sum10);
            }
            if TOKEN_UNITS > 2u {
                let ax2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT], STRIDE);
                sum20 = coopMultiplyAdd(ax2, aw0, sum20);
            }
        }
        let bw0 = coopLoad<PartW>(&tile_w[w_at + 4u], STRIDE);
        let bx0 = coopLoadT<PartX>(&tile_x[x_at + 4u], STRIDE);
        sum00 = coopMultiplyAdd(bx0, bw0, sum00);
        if ROW_UNITS > 1u {
            let bw1 = coopLoad<PartW>(&tile_w[w_at + 4u + ROW_GROUPS * NEXT], STRIDE);
            sum01 = coopMultiplyAdd(bx0, bw1, sum01);
            if TOKEN_UNITS > 1u {
                let bx1 = coopLoadT<PartX>(&tile_x[x_at + 4u + NEXT], STRIDE);
                sum10 = coopMultiplyAdd(bx1, bw0, sum10);
                sum11 = coopMultiplyAdd(bx1, bw1, sum11);
            }
            if TOKEN_UNITS > 2u {
                let bx2 = coopLoadT<PartX>(&tile_x[x_at + 4u + 2u * NEXT], STRIDE);
                sum20 = coopMultiplyAdd(bx2, bw0, sum20);
                sum21 = coopMultiplyAdd(bx2, bw1, sum21);
            }
        } else {
            if TOKEN_UNITS > 1u {
                let bx1 = coopLoadT<PartX>(&tile_x[x_at + 4u + NEXT], STRIDE);
                sum10 = coopMultiplyAdd(bx1, bw0, sum10);
            }
            if TOKEN_UNITS > 2u {
                let bx2 = coopLoadT<PartX>(&tile_x[x_at + 4u + 2u * NEXT], STRIDE);
                sum20 = coopMultiplyAdd(bx2, bw0, sum20);
            }
        }
        workgroupBarrier();
    }
    let at = unit * 256u;
    let stride = 16u;
    let done00 = sum00;
    coopStoreT(done00, &sums[at], stride);
    units_store(tile, 0u, 0u, lane);
    if ROW_UNITS > 1u {
        let done01 = sum01;
        coopStoreT(done01, &sums[at], stride);
        units_store(tile, 0u, 16u * ROW_GROUPS, lane);
    }
    if TOKEN_UNITS > 1u {
        let done10 = sum10;
        coopStoreT(done10, &sums[at], stride);
        units_store(tile, 16u, 0u, lane);
    }
    if TOKEN_UNITS > 1u && ROW_UNITS > 1u {
        let done11 = sum11;
        coopStoreT(done11, &sums[at], stride);
        units_store(tile, 16u, 16u * ROW_GROUPS, lane);
    }
    if TOKEN_UNITS > 2u {
        let done20 = sum20;
        coopStoreT(done20, &sums[at], stride);
        units_store(tile, 32u, 0u, lane);
    }
    if TOKEN_UNITS > 2u && ROW_UNITS > 1u {
        let done21 = sum21;
        coopStoreT(done21, &sums[at], stride);
        units_store(tile, 32u, 16u * ROW_GROUPS, lane);
    }
}
