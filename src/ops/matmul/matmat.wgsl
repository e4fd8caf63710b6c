// Y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) for many tokens.
// A workgroup of 16 x DOWN threads makes a tile of 64 QUADS rows x 64 tokens, a thread 4 QUADS x 64 / DOWN of it. Per
// step of 32 columns the weights are decoded once into workgroup memory, transposed so that a thread reads 4 rows
// (tokens) as one vector. Memory: 4 KiB QUADS (f16) or 8 KiB QUADS (f32) for the weights and 8 KiB for x.
// Sums have names: some compilers keep arrays of them in memory, at a fifteenth of the speed.
// A tile lies in one segment (segment.wgsl); all segments are one dispatch, so that thin ones fill the device together.
// grid: x = tiles of rows, segment after segment; y = tokens / 64
// Needs: QUADS (1 or 2), DOWN (16 or 8), Real (f32 or f16, the type of the weights' tile); a codec (weight_span),
// segment, x_quad, epilogue.
@group(0) @binding(5) var<storage, read> bias: array<f32>;        // [M]
@group(0) @binding(6) var<storage, read> other: array<f32>;       // [T, M]
@group(0) @binding(7) var<storage, read_write> y: array<f32>;     // [T, M]

const TILE_K = 32u;
const WORKGROUP = 16u * DOWN;
const ROW_QUADS = 16u * QUADS;
const TOKEN_QUADS = 16u;
const LOADS_X = TOKEN_QUADS * TILE_K / 4u;
const LOADS = LOADS_X + ROW_QUADS * TILE_K / 16u;
var<workgroup> tile_w: array<vec4<Real>, TILE_K * ROW_QUADS>;  // [k][row / 4]
var<workgroup> tile_x: array<vec4f, TILE_K * TOKEN_QUADS>;     // [k][token / 4]

// 4 rows x 16 columns of W; rows up to `last` are the segment's
fn matmat_load_w(row: u32, last: u32, quad: u32, span: u32, spans: u32, k: u32) {
    var w0: mat4x4f;
    var w1: mat4x4f;
    var w2: mat4x4f;
    var w3: mat4x4f;
    if span < spans {
        w0 = weight_span(min(row, last), span);
        w1 = weight_span(min(row + 1u, last), span);
        w2 = weight_span(min(row + 2u, last), span);
        w3 = weight_span(min(row + 3u, last), span);
    }
    for (var i = 0u; i < 4u; i++) {
        let columns = transpose(mat4x4f(w0[i], w1[i], w2[i], w3[i]));
        for (var j = 0u; j < 4u; j++) { tile_w[(k + i * 4u + j) * ROW_QUADS + quad] = vec4<Real>(columns[j]); }
    }
}

// 4 tokens x 4 columns of x
fn matmat_load_x(token: u32, last: u32, quad: u32, column: u32, k: u32) {
    // columns past the end meet weights that are 0
    let at = min(column, params.quads - 1u);
    let columns = transpose(mat4x4f(x_quad(min(token, last), at), x_quad(min(token + 1u, last), at),
                                    x_quad(min(token + 2u, last), at), x_quad(min(token + 3u, last), at)));
    for (var j = 0u; j < 4u; j++) { tile_x[(k + j) * TOKEN_QUADS + quad] = columns[j]; }
}

fn matmat_store(token: u32, tokens: u32, row: u32, end: u32, act: u32, sums: vec4f) {
    if token >= tokens { return; }
    for (var r = 0u; r < 4u; r++) {
        if row + r < end {
            let m = params.row_at + row + r;
            let at = token * params.out_cols + m;
            y[at] = epilogue(act, sums[r], bias[min(m, arrayLength(&bias) - 1u)], other[min(at, arrayLength(&other) - 1u)]);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let tokens = select(batch.n_tokens, batch.n_outputs, params.on_outputs == 1u);
    let tile = segment_tile(group.x, 64u * QUADS);
    let segment = segment_of(tile.x);
    let token0 = group.y * 64u;
    let quad = thread % 16u;
    let token_quad = thread / 16u;
    // sums of 4 rows for each of 4 tokens (a), of those 64 rows further (b), and of 4 tokens further (c, d)
    var a0 = vec4f();
    var a1 = vec4f();
    var a2 = vec4f();
    var a3 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    var b2 = vec4f();
    var b3 = vec4f();
    var c0 = vec4f();
    var c1 = vec4f();
    var c2 = vec4f();
    var c3 = vec4f();
    var d0 = vec4f();
    var d1 = vec4f();
    var d2 = vec4f();
    var d3 = vec4f();
    for (var k = 0u; k < segment.spans * 16u; k += TILE_K) {
        for (var i = thread; i < LOADS; i += WORKGROUP) {
            if i < LOADS_X {
                let part = i / TOKEN_QUADS;
                let at = i % TOKEN_QUADS;
                matmat_load_x(token0 + at * 4u, tokens - 1u, at, segment.x_at + k / 4u + part, part * 4u);
            } else {
                let part = (i - LOADS_X) / ROW_QUADS;
                let at = (i - LOADS_X) % ROW_QUADS;
                matmat_load_w(tile.x + at * 4u, tile.y - 1u, at, k / 16u + part, segment.spans, part * 16u);
            }
        }
        workgroupBarrier();
        for (var i = 0u; i < TILE_K; i++) {
            let v = tile_x[i * TOKEN_QUADS + token_quad];
            let w = vec4f(tile_w[i * ROW_QUADS + quad]);
            a0 += w * v.x;
            a1 += w * v.y;
            a2 += w * v.z;
            a3 += w * v.w;
            var far: vec4f;
            if QUADS > 1u {
                far = vec4f(tile_w[i * ROW_QUADS + quad + ROW_QUADS - 16u]);
                b0 += far * v.x;
                b1 += far * v.y;
                b2 += far * v.z;
                b3 += far * v.w;
            }
            if DOWN < 16u {
                let u = tile_x[i * TOKEN_QUADS + token_quad + TOKEN_QUADS - DOWN];
                c0 += w * u.x;
                c1 += w * u.y;
                c2 += w * u.z;
                c3 += w * u.w;
                if QUADS > 1u {
                    d0 += far * u.x;
                    d1 += far * u.y;
                    d2 += far * u.z;
                    d3 += far * u.w;
                }
            }
        }
        workgroupBarrier();
    }
    let row = tile.x + quad * 4u;
    let token = token0 + token_quad * 4u;
    matmat_store(token, tokens, row, tile.y, segment.act, a0);
    matmat_store(token + 1u, tokens, row, tile.y, segment.act, a1);
    matmat_store(token + 2u, tokens, row, tile.y, segment.act, a2);
    matmat_store(token + 3u, tokens, row, tile.y, segment.act, a3);
    if QUADS > 1u {
        matmat_store(token, tokens, row + 64u, tile.y, segment.act, b0);
        matmat_store(token + 1u, tokens, row + 64u, tile.y, segment.act, b1);
        matmat_store(token + 2u, tokens, row + 64u, tile.y, segment.act, b2);
        matmat_store(token + 3u, tokens, row + 64u, tile.y, segment.act, b3);
    }
    if DOWN < 16u {
        matmat_store(token + 4u * DOWN, tokens, row, tile.y, segment.act, c0);
        matmat_store(token + 4u * DOWN + 1u, tokens, row, tile.y, segment.act, c1);
        matmat_store(token + 4u * DOWN + 2u, tokens, row, tile.y, segment.act, c2);
        matmat_store(token + 4u * DOWN + 3u, tokens, row, tile.y, segment.act, c3);
    }
    if QUADS > 1u && DOWN < 16u {
        matmat_store(token + 4u * DOWN, tokens, row + 64u, tile.y, segment.act, d0);
        matmat_store(token + 4u * DOWN + 1u, tokens, row + 64u, tile.y, segment.act, d1);
        matmat_store(token + 4u * DOWN + 2u, tokens, row + 64u, tile.y, segment.act, d2);
        matmat_store(token + 4u * DOWN + 3u, tokens, row + 64u, tile.y, segment.act, d3);
    }
}
