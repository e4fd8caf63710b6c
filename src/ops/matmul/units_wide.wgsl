// The same as matmat_units in wider tiles, where these are enough to fill the device: for integer weights, which it
// decodes half as often.
// A workgroup makes a tile of 128 rows of one segment x 256 tokens, each of its 8 subgroups ("units") 64 rows x 64
// tokens of that, in sums of 16 x 16. 32 columns at a time go through workgroup memory as f16. What the next ones
// are made of is on its way into registers meanwhile; once the units have their parts of the last 16 columns in
// registers, the next ones take their place while these are multiplied. All stands in main, written out, and what is
// on its way has names as well: compilers leave loops with such products as they are, and then arrays in memory.
// grid: x = tiles of rows, segment after segment; y = tokens / 256; z = workgroups of a shared tile, at most
// Needs: SUBGROUP (32), TILE_TOKENS (256), f16; a codec (weight_fetch, weight_decode), half_x, segment,
// units_shares; columns of segments are multiples of 32.
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;  // [tiles and shares, 256 tokens, 128 rows]

const SPANS = 2u;                       // of a row of a tile: 32 columns
const STRIDE = 4u * SPANS + 2u;         // 16 bytes more spread rows over the banks of the memory
const NEXT = 16u * STRIDE;              // from 16 rows or tokens to the next
const TOKENS_APART = 64u;               // a thread brings 8 columns each of x for four tokens
var<workgroup> tile_w: array<vec4<f16>, TILE * STRIDE>;         // [row, column / 4]
var<workgroup> tile_x: array<vec4<f16>, TILE_TOKENS * STRIDE>;  // [token, column / 4]

alias Sum = coop_mat16x16<f32, C>;    // [token, row]
alias PartX = coop_mat16x16<f16, A>;  // [token, column]
alias PartW = coop_mat16x16<f16, B>;  // [column, row]

// 16 columns of a row of W
fn units_w(words: WeightWords, span: u32) -> mat4x4<f16> {
    let w = weight_decode(words, span);
    return mat4x4<f16>(vec4<f16>(w[0]), vec4<f16>(w[1]), vec4<f16>(w[2]), vec4<f16>(w[3]));
}

@compute @workgroup_size(TILE_TOKENS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tokens = units_tokens();
    let tile = group.y * params.tiles + group.x;
    let shares = select(units_shares(), 1u, tile < units_whole());
    if group.z >= shares { return; }
    let rows = segment_tile(group.x, TILE);
    let segment = segment_of(rows.x);
    let unit = thread / SUBGROUP;
    let unit_row = unit % 2u * 64u;
    let unit_token = unit / 2u * 64u;
    let w_at = unit_row * STRIDE;
    let x_at = unit_token * STRIDE;
    // 8 rows of one span and then of the other: these lie in all banks
    let row = thread % 8u + thread / 16u * 8u;
    let span = thread / 8u % SPANS;
    let token = thread / 4u;
    let to_w = row * STRIDE + span * 4u;
    let to_x = token * STRIDE + thread % 4u * 2u;
    let row_from = min(rows.x + row, rows.y - 1u);
    let quad = segment.x_at + thread % 4u * 2u;
    let token0 = min(group.y * TILE_TOKENS + token, tokens - 1u);
    let token1 = min(group.y * TILE_TOKENS + token + TOKENS_APART, tokens - 1u);
    let token2 = min(group.y * TILE_TOKENS + token + 2u * TOKENS_APART, tokens - 1u);
    let token3 = min(group.y * TILE_TOKENS + token + 3u * TOKENS_APART, tokens - 1u);
    let steps = (segment.spans + SPANS - 1u) / SPANS;
    let begin = steps * group.z / shares * SPANS;
    let end = steps * (group.z + 1u) / shares * SPANS;
    let last = max(end, SPANS) - SPANS;
    var sum00: Sum;
    var sum01: Sum;
    var sum02: Sum;
    var sum03: Sum;
    var sum10: Sum;
    var sum11: Sum;
    var sum12: Sum;
    var sum13: Sum;
    var sum20: Sum;
    var sum21: Sum;
    var sum22: Sum;
    var sum23: Sum;
    var sum30: Sum;
    var sum31: Sum;
    var sum32: Sum;
    var sum33: Sum;
    var next: u32;
    var w: mat4x4<f16>;
    var next_w: WeightWords;
    var next_x00: vec4<f16>;
    var next_x01: vec4<f16>;
    var next_x10: vec4<f16>;
    var next_x11: vec4<f16>;
    var next_x20: vec4<f16>;
    var next_x21: vec4<f16>;
    var next_x30: vec4<f16>;
    var next_x31: vec4<f16>;
    next = min(begin, last);
    next_w = weight_fetch(row_from, next + span);
    next_x00 = half_x(token0, quad + next * 4u);
    next_x01 = half_x(token0, quad + next * 4u + 1u);
    next_x10 = half_x(token1, quad + next * 4u);
    next_x11 = half_x(token1, quad + next * 4u + 1u);
    next_x20 = half_x(token2, quad + next * 4u);
    next_x21 = half_x(token2, quad + next * 4u + 1u);
    next_x30 = half_x(token3, quad + next * 4u);
    next_x31 = half_x(token3, quad + next * 4u + 1u);
    w = units_w(next_w, next + span);
    tile_w[to_w] = w[0];
    tile_w[to_w + 1u] = w[1];
    tile_w[to_w + 2u] = w[2];
    tile_w[to_w + 3u] = w[3];
    tile_x[to_x] = next_x00;
    tile_x[to_x + 1u] = next_x01;
    tile_x[to_x + TOKENS_APART * STRIDE] = next_x10;
    tile_x[to_x + TOKENS_APART * STRIDE + 1u] = next_x11;
    tile_x[to_x + 2u * TOKENS_APART * STRIDE] = next_x20;
    tile_x[to_x + 2u * TOKENS_APART * STRIDE + 1u] = next_x21;
    tile_x[to_x + 3u * TOKENS_APART * STRIDE] = next_x30;
    tile_x[to_x + 3u * TOKENS_APART * STRIDE + 1u] = next_x31;
    workgroupBarrier();
    next = min(begin + SPANS, last);
    next_w = weight_fetch(row_from, next + span);
    next_x00 = half_x(token0, quad + next * 4u);
    next_x01 = half_x(token0, quad + next * 4u + 1u);
    next_x10 = half_x(token1, quad + next * 4u);
    next_x11 = half_x(token1, quad + next * 4u + 1u);
    next_x20 = half_x(token2, quad + next * 4u);
    next_x21 = half_x(token2, quad + next * 4u + 1u);
    next_x30 = half_x(token3, quad + next * 4u);
    next_x31 = half_x(token3, quad + next * 4u + 1u);
    for (var k = begin; k < end; k += SPANS) {
        { // columns 0 to 15
            let w0 = coopLoad<PartW>(&tile_w[w_at], STRIDE);
            let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT], STRIDE);
            let w2 = coopLoad<PartW>(&tile_w[w_at + 2u * NEXT], STRIDE);
            let w3 = coopLoad<PartW>(&tile_w[w_at + 3u * NEXT], STRIDE);
            let x0 = coopLoadT<PartX>(&tile_x[x_at], STRIDE);
            let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT], STRIDE);
            let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT], STRIDE);
            let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT], STRIDE);
            sum00 = coopMultiplyAdd(x0, w0, sum00);
            sum01 = coopMultiplyAdd(x0, w1, sum01);
            sum02 = coopMultiplyAdd(x0, w2, sum02);
            sum03 = coopMultiplyAdd(x0, w3, sum03);
            sum10 = coopMultiplyAdd(x1, w0, sum10);
            sum11 = coopMultiplyAdd(x1, w1, sum11);
            sum12 = coopMultiplyAdd(x1, w2, sum12);
            sum13 = coopMultiplyAdd(x1, w3, sum13);
            sum20 = coopMultiplyAdd(x2, w0, sum20);
            sum21 = coopMultiplyAdd(x2, w1, sum21);
            sum22 = coopMultiplyAdd(x2, w2, sum22);
            sum23 = coopMultiplyAdd(x2, w3, sum23);
            sum30 = coopMultiplyAdd(x3, w0, sum30);
            sum31 = coopMultiplyAdd(x3, w1, sum31);
            sum32 = coopMultiplyAdd(x3, w2, sum32);
            sum33 = coopMultiplyAdd(x3, w3, sum33);
        }
        // columns 16 to 31
        let w0 = coopLoad<PartW>(&tile_w[w_at + 4u], STRIDE);
        let w1 = coopLoad<PartW>(&tile_w[w_at + NEXT + 4u], STRIDE);
        let w2 = coopLoad<PartW>(&tile_w[w_at + 2u * NEXT + 4u], STRIDE);
        let w3 = coopLoad<PartW>(&tile_w[w_at + 3u * NEXT + 4u], STRIDE);
        let x0 = coopLoadT<PartX>(&tile_x[x_at + 4u], STRIDE);
        let x1 = coopLoadT<PartX>(&tile_x[x_at + NEXT + 4u], STRIDE);
        let x2 = coopLoadT<PartX>(&tile_x[x_at + 2u * NEXT + 4u], STRIDE);
        let x3 = coopLoadT<PartX>(&tile_x[x_at + 3u * NEXT + 4u], STRIDE);
        workgroupBarrier();
        // the next columns, and the ones after them; the last turns fetch what was there already, in vain
        w = units_w(next_w, next + span);
        tile_w[to_w] = w[0];
        tile_w[to_w + 1u] = w[1];
        tile_w[to_w + 2u] = w[2];
        tile_w[to_w + 3u] = w[3];
        tile_x[to_x] = next_x00;
        tile_x[to_x + 1u] = next_x01;
        tile_x[to_x + TOKENS_APART * STRIDE] = next_x10;
        tile_x[to_x + TOKENS_APART * STRIDE + 1u] = next_x11;
        tile_x[to_x + 2u * TOKENS_APART * STRIDE] = next_x20;
        tile_x[to_x + 2u * TOKENS_APART * STRIDE + 1u] = next_x21;
        tile_x[to_x + 3u * TOKENS_APART * STRIDE] = next_x30;
        tile_x[to_x + 3u * TOKENS_APART * STRIDE + 1u] = next_x31;
        next = min(k + 2u * SPANS, last);
        next_w = weight_fetch(row_from, next + span);
        next_x00 = half_x(token0, quad + next * 4u);
        next_x01 = half_x(token0, quad + next * 4u + 1u);
        next_x10 = half_x(token1, quad + next * 4u);
        next_x11 = half_x(token1, quad + next * 4u + 1u);
        next_x20 = half_x(token2, quad + next * 4u);
        next_x21 = half_x(token2, quad + next * 4u + 1u);
        next_x30 = half_x(token3, quad + next * 4u);
        next_x31 = half_x(token3, quad + next * 4u + 1u);
        // meanwhile
        sum00 = coopMultiplyAdd(x0, w0, sum00);
        sum01 = coopMultiplyAdd(x0, w1, sum01);
        sum02 = coopMultiplyAdd(x0, w2, sum02);
        sum03 = coopMultiplyAdd(x0, w3, sum03);
        sum10 = coopMultiplyAdd(x1, w0, sum10);
        sum11 = coopMultiplyAdd(x1, w1, sum11);
        sum12 = coopMultiplyAdd(x1, w2, sum12);
        sum13 = coopMultiplyAdd(x1, w3, sum13);
        sum20 = coopMultiplyAdd(x2, w0, sum20);
        sum21 = coopMultiplyAdd(x2, w1, sum21);
        sum22 = coopMultiplyAdd(x2, w2, sum22);
        sum23 = coopMultiplyAdd(x2, w3, sum23);
        sum30 = coopMultiplyAdd(x3, w0, sum30);
        sum31 = coopMultiplyAdd(x3, w1, sum31);
        sum32 = coopMultiplyAdd(x3, w2, sum32);
        sum33 = coopMultiplyAdd(x3, w3, sum33);
        workgroupBarrier();
    }
    let at = (units_slot(tile, group.z) * TILE_TOKENS + unit_token) * TILE + unit_row;
    let stride = TILE;
    let done00 = sum00;
    let at00 = at;
    coopStoreT(done00, &sums[at00], stride);
    let done01 = sum01;
    let at01 = at + 16u;
    coopStoreT(done01, &sums[at01], stride);
    let done02 = sum02;
    let at02 = at + 32u;
    coopStoreT(done02, &sums[at02], stride);
    let done03 = sum03;
    let at03 = at + 48u;
    coopStoreT(done03, &sums[at03], stride);
    let done10 = sum10;
    let at10 = at + 16u * TILE;
    coopStoreT(done10, &sums[at10], stride);
    let done11 = sum11;
    let at11 = at + 16u * TILE + 16u;
    coopStoreT(done11, &sums[at11], stride);
    let done12 = sum12;
    let at12 = at + 16u * TILE + 32u;
    coopStoreT(done12, &sums[at12], stride);
    let done13 = sum13;
    let at13 = at + 16u * TILE + 48u;
    coopStoreT(done13, &sums[at13], stride);
    let done20 = sum20;
    let at20 = at + 32u * TILE;
    coopStoreT(done20, &sums[at20], stride);
    let done21 = sum21;
    let at21 = at + 32u * TILE + 16u;
    coopStoreT(done21, &sums[at21], stride);
    let done22 = sum22;
    let at22 = at + 32u * TILE + 32u;
    coopStoreT(done22, &sums[at22], stride);
    let done23 = sum23;
    let at23 = at + 32u * TILE + 48u;
    coopStoreT(done23, &sums[at23], stride);
    let done30 = sum30;
    let at30 = at + 48u * TILE;
    coopStoreT(done30, &sums[at30], stride);
    let done31 = sum31;
    let at31 = at + 48u * TILE + 16u;
    coopStoreT(done31, &sums[at31], stride);
    let done32 = sum32;
    let at32 = at + 48u * TILE + 32u;
    coopStoreT(done32, &sums[at32], stride);
    let done33 = sum33;
    let at33 = at + 48u * TILE + 48u;
    coopStoreT(done33, &sums[at33], stride);
}
