// y[t, m] = sum_k x[t, k] w[m, k], i8 to i32, by packed dot products: what WGSL has for integers.
// A workgroup makes a tile of 128 rows of w x 128 of x, a thread 8 x 8 of it, 64 columns at a time from workgroup
// memory. Rows, tokens and depth are multiples of 128.
// grid: x = rows / 128, y = tokens / 128
struct Params { rows: u32, tokens: u32, depth: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4u>;       // [M, K/16]
@group(0) @binding(2) var<storage, read> x: array<vec4u>;       // [T, K/16]
@group(0) @binding(3) var<storage, read_write> y: array<i32>;   // [T, M]

const TILE = 128u;
const VECTORS = 4u;           // vec4u of a row of a tile
const STRIDE = VECTORS + 1u;  // the fifth one spreads rows over the banks of the memory
var<workgroup> tile_w: array<vec4u, TILE * STRIDE>;
var<workgroup> tile_x: array<vec4u, TILE * STRIDE>;

fn product_dot(a: vec4u, b: vec4u) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row0 = group.x * TILE;
    let token0 = group.y * TILE;
    let row = thread % 16u;    // and every 16th from there
    let token = thread / 16u;
    let row_vectors = params.depth / 16u;
    var sums: array<i32, 64>;
    for (var k = 0u; k < row_vectors; k += VECTORS) {
        for (var i = thread; i < TILE * VECTORS; i += 256u) {
            let at = i / VECTORS;
            let part = i % VECTORS;
            tile_w[at * STRIDE + part] = w[(row0 + at) * row_vectors + k + part];
            tile_x[at * STRIDE + part] = x[(token0 + at) * row_vectors + k + part];
        }
        workgroupBarrier();
        for (var part = 0u; part < VECTORS; part++) {
            var rows: array<vec4u, 8>;
            for (var r = 0u; r < 8u; r++) { rows[r] = tile_w[(row + 16u * r) * STRIDE + part]; }
            for (var t = 0u; t < 8u; t++) {
                let v = tile_x[(token + 16u * t) * STRIDE + part];
                for (var r = 0u; r < 8u; r++) { sums[t * 8u + r] += product_dot(rows[r], v); }
            }
        }
        workgroupBarrier();
    }
    for (var t = 0u; t < 8u; t++) {
        for (var r = 0u; r < 8u; r++) {
            y[(token0 + token + 16u * t) * params.rows + row0 + row + 16u * r] = sums[t * 8u + r];
        }
    }
}
