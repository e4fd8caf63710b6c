// y[t, m] = sum_k x[t, k] w[m, k], f16 to f32, on matrix units.
// A workgroup makes a tile of 128 rows of w x 128 of x, each of its 8 subgroups 32 rows x 64 tokens of that, 64 columns
// at a time from workgroup memory. Sums have names, as compilers keep arrays of them in memory.
// Rows, tokens and depth are multiples of 128. Subgroups have 32 lanes.
// grid: x = rows / 128, y = tokens / 128
enable f16;
enable wgpu_cooperative_matrix;
struct Params { rows: u32, tokens: u32, depth: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4<f16>>;   // [M, K/4]
@group(0) @binding(2) var<storage, read> x: array<vec4<f16>>;   // [T, K/4]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;   // [T, M]

alias Sum = coop_mat16x16<f32, C>;
const TILE = 128u;
const VECTORS = 16u;          // vec4 of a row of a tile
const STRIDE = VECTORS + 2u;  // 16 bytes more spread rows over the banks of the memory
const NEXT = 16u * STRIDE;    // from 16 rows to the next
var<workgroup> tile_w: array<vec4<f16>, TILE * STRIDE>;
var<workgroup> tile_x: array<vec4<f16>, TILE * STRIDE>;
var<private> sum00: Sum;
var<private> sum01: Sum;
var<private> sum10: Sum;
var<private> sum11: Sum;
var<private> sum20: Sum;
var<private> sum21: Sum;
var<private> sum30: Sum;
var<private> sum31: Sum;

// 16 columns of the tiles
fn product_step(w_at: u32, x_at: u32) {
    let w0 = coopLoad<coop_mat16x16<f16, B>>(&tile_w[w_at], STRIDE);
    let w1 = coopLoad<coop_mat16x16<f16, B>>(&tile_w[w_at + NEXT], STRIDE);
    let x0 = coopLoadT<coop_mat16x16<f16, A>>(&tile_x[x_at], STRIDE);
    sum00 = coopMultiplyAdd(x0, w0, sum00);
    sum01 = coopMultiplyAdd(x0, w1, sum01);
    let x1 = coopLoadT<coop_mat16x16<f16, A>>(&tile_x[x_at + NEXT], STRIDE);
    sum10 = coopMultiplyAdd(x1, w0, sum10);
    sum11 = coopMultiplyAdd(x1, w1, sum11);
    let x2 = coopLoadT<coop_mat16x16<f16, A>>(&tile_x[x_at + 2u * NEXT], STRIDE);
    sum20 = coopMultiplyAdd(x2, w0, sum20);
    sum21 = coopMultiplyAdd(x2, w1, sum21);
    let x3 = coopLoadT<coop_mat16x16<f16, A>>(&tile_x[x_at + 3u * NEXT], STRIDE);
    sum30 = coopMultiplyAdd(x3, w0, sum30);
    sum31 = coopMultiplyAdd(x3, w1, sum31);
}

// 16 rows of both tiles: a vector a thread
fn product_load(row: u32, w_row: u32, x_row: u32, column: u32) {
    let stride = params.depth / 4u;
    tile_w[row * STRIDE + column % VECTORS] = w[w_row * stride + column];
    tile_x[row * STRIDE + column % VECTORS] = x[x_row * stride + column];
}

fn product_store(sum: Sum, token: u32, row: u32) {
    let at = token * params.rows + row;
    let stride = params.rows;
    coopStoreT(sum, &y[at], stride);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = thread / VECTORS;
    let w_row = group.x * TILE + row;
    let x_row = group.y * TILE + row;
    let unit = thread / 32u;
    let unit_row = unit % 4u * 32u;
    let unit_token = unit / 4u * 64u;
    for (var k = 0u; k < params.depth / 4u; k += VECTORS) {
        let column = k + thread % VECTORS;
        for (var i = 0u; i < TILE; i += 64u) {
            product_load(row + i, w_row + i, x_row + i, column);
            product_load(row + i + 16u, w_row + i + 16u, x_row + i + 16u, column);
            product_load(row + i + 32u, w_row + i + 32u, x_row + i + 32u, column);
            product_load(row + i + 48u, w_row + i + 48u, x_row + i + 48u, column);
        }
        workgroupBarrier();
        product_step(unit_row * STRIDE, unit_token * STRIDE);
        product_step(unit_row * STRIDE + 4u, unit_token * STRIDE + 4u);
        product_step(unit_row * STRIDE + 8u, unit_token * STRIDE + 8u);
        product_step(unit_row * STRIDE + 12u, unit_token * STRIDE + 12u);
        workgroupBarrier();
    }
    let token0 = group.y * TILE + unit_token;
    let row0 = group.x * TILE + unit_row;
    product_store(sum00, token0, row0);
    product_store(sum01, token0, row0 + 16u);
    product_store(sum10, token0 + 16u, row0);
    product_store(sum11, token0 + 16u, row0 + 16u);
    product_store(sum20, token0 + 32u, row0);
    product_store(sum21, token0 + 32u, row0 + 16u);
    product_store(sum30, token0 + 48u, row0);
    product_store(sum31, token0 + 48u, row0 + 16u);
}
