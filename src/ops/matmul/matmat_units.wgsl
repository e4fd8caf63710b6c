// Sums of W[row, k] x[t, x_at + k] over k on matrix units, for many tokens; units_sum makes y of them.
// A workgroup makes a tile of 128 rows of one segment x 128 tokens, each of its 8 subgroups ("units") 32 rows x 64
// tokens of that, in sums of 16 x 16. 64 columns at a time go through workgroup memory as f16, weights decoded once;
// the next ones are on their way meanwhile. Sums have names, and all that they meet stands in main, written out:
// compilers keep arrays of them in memory, at a fifth of the speed. What y needs besides is a kernel of its own, as it
// would take the registers that hide the memory's latency here.
// Tiles that would leave the device idle are shared: some workgroups each take some of the columns (units_shares).
// grid: x = tiles of rows, segment after segment; y = tokens / 128; z = workgroups of a shared tile, at most
// Needs: SUBGROUP (32), TAIL (1: a segment may end within 64 columns), f16; a codec (weight_span), half_x, segment,
// units_shares with TILE_TOKENS (128).
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;  // [tiles and shares, 128 tokens, 128 rows]

const WORKGROUP = 256u;
const SPANS = 4u;                        // of a row of a tile: 64 columns
const VECTORS = 16u;
const STRIDE = VECTORS + 2u;             // 16 bytes more spread rows over the banks of the memory
const NEXT = 16u * STRIDE;               // from 16 rows or tokens to the next
const EACH_W = TILE * SPANS / WORKGROUP; // spans and vectors that a thread brings
const EACH_X = TILE * VECTORS / WORKGROUP;
var<workgroup> tile_w: array<vec4<f16>, TILE * STRIDE>;  // [row, column / 4]
var<workgroup> tile_x: array<vec4<f16>, TILE * STRIDE>;  // [token, column / 4]

alias Sum = coop_mat16x16<f32, C>;    // [token, row]
alias PartX = coop_mat16x16<f16, A>;  // [token, column]
alias PartW = coop_mat16x16<f16, B>;  // [column, row]

// 16 columns of a row of W; 0 past the end of the segment
fn units_fetch_w(row: u32, span: u32, spans: u32) -> mat4x4<f16> {
    var w: mat4x4f;
    if TAIL == 0u || span < spans { w = weight_span(row, span); }
    return mat4x4<f16>(vec4<f16>(w[0]), vec4<f16>(w[1]), vec4<f16>(w[2]), vec4<f16>(w[3]));
}

// 4 columns of a token's x; those past the end meet weights that are 0
fn units_fetch_x(token: u32, quad: u32) -> vec4<f16> {
    return half_x(token, select(min(quad, params.quads - 1u), quad, TAIL == 0u));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tokens = units_tokens();
    let tile = group.y * params.tiles + group.x;
    let shares = select(units_shares(), 1u, tile < units_whole());
    if group.z >= shares { return; }
    let rows = segment_tile(group.x, TILE);
    let segment = segment_of(rows.x);
    let token0 = group.y * TILE;
    let unit = thread / SUBGROUP;
    let unit_row = unit % 4u * 32u;
    let unit_token = unit / 4u * 64u;
    let w_at = unit_row * STRIDE;
    let x_at = unit_token * STRIDE;
    let steps = (segment.spans + SPANS - 1u) / SPANS;
    let begin = steps * group.z / shares * SPANS;
    let end = steps * (group.z + 1u) / shares * SPANS;
    let last = max(end, SPANS) - SPANS;
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
    let first = min(begin, last);
    for (var i = 0u; i < EACH_W; i++) {
        let item = i * WORKGROUP + thread;
        let row = min(rows.x + item / SPANS, rows.y - 1u);
        next_w[i] = units_fetch_w(row, first + item % SPANS, segment.spans);
    }
    for (var i = 0u; i < EACH_X; i++) {
        let item = i * WORKGROUP + thread;
        let quad = segment.x_at + first * 4u + item % VECTORS;
        next_x[i] = units_fetch_x(min(token0 + item / VECTORS, tokens - 1u), quad);
    }
    for (var span = begin; span < end; span += SPANS) {
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
        let next = min(span + SPANS, last); // the last turn fetches its own columns once more, in vain
        for (var i = 0u; i < EACH_W; i++) {
            let item = i * WORKGROUP + thread;
            let row = min(rows.x + item / SPANS, rows.y - 1u);
            next_w[i] = units_fetch_w(row, next + item % SPANS, segment.spans);
        }
        for (var i = 0u; i < EACH_X; i++) {
            let item = i * WORKGROUP + thread;
            let quad = segment.x_at + next * 4u + item % VECTORS;
            next_x[i] = units_fetch_x(min(token0 + item / VECTORS, tokens - 1u), quad);
        }
        { // columns 0 to 15
            let w0 = coopLoad<PartW>(&tile_w[w_at + 0u], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + 0u], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at + 0u], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + 0u], STRIDE);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + 0u], STRIDE);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + 0u], STRIDE);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
        }
        { // columns 16 to 31
            let w0 = coopLoad<PartW>(&tile_w[w_at + 4u], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + 4u], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at + 4u], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + 4u], STRIDE);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + 4u], STRIDE);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + 4u], STRIDE);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
        }
        { // columns 32 to 47
            let w0 = coopLoad<PartW>(&tile_w[w_at + 8u], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + 8u], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at + 8u], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + 8u], STRIDE);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + 8u], STRIDE);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + 8u], STRIDE);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
        }
        { // columns 48 to 63
            let w0 = coopLoad<PartW>(&tile_w[w_at + 12u], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + 12u], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at + 12u], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + 12u], STRIDE);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + 12u], STRIDE);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + 12u], STRIDE);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
        }
        workgroupBarrier();
    }
    let at = units_slot(tile, group.z) * TILE * TILE + unit_token * TILE + unit_row;
    let stride = TILE;
    let done00 = sum00;
    let at00 = at + 0u * TILE + 0u;
    coopStoreT(done00, &sums[at00], stride);
    let done01 = sum01;
    let at01 = at + 0u * TILE + 16u;
    coopStoreT(done01, &sums[at01], stride);
    let done10 = sum10;
    let at10 = at + 16u * TILE + 0u;
    coopStoreT(done10, &sums[at10], stride);
    let done11 = sum11;
    let at11 = at + 16u * TILE + 16u;
    coopStoreT(done11, &sums[at11], stride);
    let done20 = sum20;
    let at20 = at + 32u * TILE + 0u;
    coopStoreT(done20, &sums[at20], stride);
    let done21 = sum21;
    let at21 = at + 32u * TILE + 16u;
    coopStoreT(done21, &sums[at21], stride);
    let done30 = sum30;
    let at30 = at + 48u * TILE + 0u;
    coopStoreT(done30, &sums[at30], stride);
    let done31 = sum31;
    let at31 = at + 48u * TILE + 16u;
    coopStoreT(done31, &sums[at31], stride);
}
