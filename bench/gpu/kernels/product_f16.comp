// y[t, m] = sum_k x[t, k] w[m, k], f16 to f32, on matrix units: what SPIR-V reaches beyond WGSL.
// A workgroup makes a tile of 256 rows of w x 128 of x, each of its 8 subgroups 64 x 64 of that, 32 columns at a time from
// workgroup memory. Once the last 16 of them are in registers the next ones take their place, while those are multiplied;
// the ones after that are on their way from w and x meanwhile.
// Tiles go in bands of 8 tiles of rows, which share what they read through the cache.
// Rows, tokens and depth are multiples of 256. Subgroups have 32 lanes.
// grid: x = rows / 256, y = tokens / 128
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

const uint TILE_ROWS = 256, TILE_TOKENS = 128, PER_VECTOR = 8;
const uint VECTORS = 32 / PER_VECTOR;         // uvec4 of a row of a tile
const uint STRIDE = VECTORS + 1;              // one more spreads rows over the banks of the memory
const uint EACH_W = TILE_ROWS * VECTORS / 256, EACH_X = TILE_TOKENS * VECTORS / 256; // vectors that a thread brings
const uint UNIT = 4;                          // 16 x 16 results of a subgroup in each direction
const uint BAND = 8;
shared uvec4 tile_w[TILE_ROWS * STRIDE];
shared uvec4 tile_x[TILE_TOKENS * STRIDE];

#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
#define X_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define W_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>

// the vectors that a thread brings of the tiles' columns from `first` on
#define FETCH(first)                                                                                    \
    [[unroll]] for (uint i = 0; i < EACH_W; i++) {                                                      \
        const uint at = i * 256 + thread;                                                               \
        next_w[i] = w[(row0 + at / VECTORS) * row_vectors + (first) + at % VECTORS];                    \
    }                                                                                                   \
    [[unroll]] for (uint i = 0; i < EACH_X; i++) {                                                      \
        const uint at = i * 256 + thread;                                                               \
        next_x[i] = x[(token0 + at / VECTORS) * row_vectors + (first) + at % VECTORS];                  \
    }

#define PUT                                                                                             \
    [[unroll]] for (uint i = 0; i < EACH_W; i++) {                                                      \
        const uint at = i * 256 + thread;                                                               \
        tile_w[at / VECTORS * STRIDE + at % VECTORS] = next_w[i];                                       \
    }                                                                                                   \
    [[unroll]] for (uint i = 0; i < EACH_X; i++) {                                                      \
        const uint at = i * 256 + thread;                                                               \
        tile_x[at / VECTORS * STRIDE + at % VECTORS] = next_x[i];                                       \
    }

// the subgroup's 16 columns of the tiles from vector `part` on
#define LOAD(part)                                                                                      \
    [[unroll]] for (uint r = 0; r < UNIT; r++)                                                          \
        coopMatLoad(b[r], tile_w, (unit_row + r * 16) * STRIDE + (part), STRIDE,                        \
                    gl_CooperativeMatrixLayoutColumnMajor);                                             \
    [[unroll]] for (uint t = 0; t < UNIT; t++)                                                          \
        coopMatLoad(a[t], tile_x, (unit_token + t * 16) * STRIDE + (part), STRIDE,                      \
                    gl_CooperativeMatrixLayoutRowMajor);

#define MULTIPLY                                                                                        \
    [[unroll]] for (uint t = 0; t < UNIT; t++)                                                          \
        [[unroll]] for (uint r = 0; r < UNIT; r++) sums[t][r] = coopMatMulAdd(a[t], b[r], sums[t][r]);

// rows and tokens of the workgroup's tile
uvec2 tile_place()
{
    const uint id = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint band = id / (BAND * gl_NumWorkGroups.y), in_band = id % (BAND * gl_NumWorkGroups.y);
    const uint width = min(BAND, gl_NumWorkGroups.x - band * BAND);
    return uvec2((band * BAND + in_band % width) * TILE_ROWS, in_band / width * TILE_TOKENS);
}

void main()
{
    const uint thread = gl_LocalInvocationIndex, unit = thread / 32, row_vectors = depth / PER_VECTOR;
    const uvec2 place = tile_place();
    const uint row0 = place.x, token0 = place.y;
    const uint unit_row = unit % 4 * UNIT * 16, unit_token = unit / 4 * UNIT * 16;
    SUM sums[UNIT][UNIT];
    [[unroll]] for (uint t = 0; t < UNIT; t++)
        [[unroll]] for (uint r = 0; r < UNIT; r++) sums[t][r] = SUM(0);
    uvec4 next_w[EACH_W], next_x[EACH_X];
    FETCH(0)
    PUT
    barrier();
    FETCH(VECTORS)
    for (uint k = 0; k < row_vectors; k += VECTORS) {
        W_PART b[UNIT];
        X_PART a[UNIT];
        LOAD(0)
        MULTIPLY
        LOAD(2)
        barrier();
        PUT
        FETCH(min(k + 2 * VECTORS, row_vectors - VECTORS))
        MULTIPLY
        barrier();
    }
    [[unroll]] for (uint t = 0; t < UNIT; t++)
        [[unroll]] for (uint r = 0; r < UNIT; r++)
            coopMatStore(sums[t][r], y, (token0 + unit_token + t * 16) * rows + row0 + unit_row + r * 16, rows,
                         gl_CooperativeMatrixLayoutRowMajor);
}
