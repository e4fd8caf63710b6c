// y[t, m] = sum_k x[t, k] w[m, k], f16 to f32, on matrix units: what SPIR-V reaches beyond WGSL.
// A workgroup makes a tile of 128 rows of w x 128 of x, each of its 8 subgroups 32 rows x 64 tokens of that,
// 64 columns at a time from workgroup memory. While it multiplies, the next columns are on their way.
// Rows, tokens and depth are multiples of 128. Subgroups have 32 lanes.
// grid: x = rows / 128, y = tokens / 128
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 256) in;
layout(binding = 0) uniform Params { uint rows, tokens, depth; };
layout(binding = 1) readonly buffer W { uvec4 w[]; };   // [M, K/8]
layout(binding = 2) readonly buffer X { uvec4 x[]; };   // [T, K/8]
layout(binding = 3) writeonly buffer Y { float y[]; }; // [T, M]

const uint TILE = 128, PER_VECTOR = 8;
const uint VECTORS = 64 / PER_VECTOR;         // uvec4 of a row of a tile
const uint STRIDE = VECTORS + 1;              // one more spreads rows over the banks of the memory
const uint EACH = TILE * VECTORS / 256;       // vectors of a tile that a thread brings
const uint UNIT_ROWS = 2, UNIT_TOKENS = 4;    // 16 x 16 results of a subgroup
shared uvec4 tile_w[TILE * STRIDE];
shared uvec4 tile_x[TILE * STRIDE];

#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
#define X_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define W_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>

// the vectors that a thread brings of the tiles' columns from `first` on
#define FETCH(first)                                                                  \
    [[unroll]] for (uint i = 0; i < EACH; i++) {                                      \
        const uint at = i * 256 + thread, row = at / VECTORS, column = at % VECTORS;  \
        next_w[i] = w[(row0 + row) * row_vectors + (first) + column];                 \
        next_x[i] = x[(token0 + row) * row_vectors + (first) + column];               \
    }

void main()
{
    const uint thread = gl_LocalInvocationIndex, unit = thread / 32, row_vectors = depth / PER_VECTOR;
    const uint row0 = gl_WorkGroupID.x * TILE, token0 = gl_WorkGroupID.y * TILE;
    const uint unit_row = unit % 4 * UNIT_ROWS * 16, unit_token = unit / 4 * UNIT_TOKENS * 16;
    SUM sums[UNIT_TOKENS][UNIT_ROWS];
    [[unroll]] for (uint t = 0; t < UNIT_TOKENS; t++)
        [[unroll]] for (uint r = 0; r < UNIT_ROWS; r++) sums[t][r] = SUM(0);
    uvec4 next_w[EACH], next_x[EACH];
    FETCH(0)
    for (uint k = 0; k < row_vectors; k += VECTORS) {
        [[unroll]] for (uint i = 0; i < EACH; i++) {
            const uint at = i * 256 + thread, to = at / VECTORS * STRIDE + at % VECTORS;
            tile_w[to] = next_w[i];
            tile_x[to] = next_x[i];
        }
        barrier();
        if (k + VECTORS < row_vectors) { FETCH(k + VECTORS) }
        [[unroll]] for (uint part = 0; part < VECTORS; part += 2) {
            W_PART b[UNIT_ROWS];
            [[unroll]] for (uint r = 0; r < UNIT_ROWS; r++)
                coopMatLoad(b[r], tile_w, (unit_row + r * 16) * STRIDE + part, STRIDE,
                            gl_CooperativeMatrixLayoutColumnMajor);
            [[unroll]] for (uint t = 0; t < UNIT_TOKENS; t++) {
                X_PART a;
                coopMatLoad(a, tile_x, (unit_token + t * 16) * STRIDE + part, STRIDE,
                            gl_CooperativeMatrixLayoutRowMajor);
                [[unroll]] for (uint r = 0; r < UNIT_ROWS; r++) sums[t][r] = coopMatMulAdd(a, b[r], sums[t][r]);
            }
        }
        barrier();
    }
    [[unroll]] for (uint t = 0; t < UNIT_TOKENS; t++)
        [[unroll]] for (uint r = 0; r < UNIT_ROWS; r++)
            coopMatStore(sums[t][r], y, (token0 + unit_token + t * 16) * rows + row0 + unit_row + r * 16, rows,
                         gl_CooperativeMatrixLayoutRowMajor);
}
