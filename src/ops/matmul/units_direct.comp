// codecs: q4_k q8_0 f16 mixed
// y[t, row] = combine(act(sum_k W[row, k] x[t, x_at + k] + bias[row]), other[t, row]) on matrix units, for few tokens, as
// units_few.wgsl does it, but what is multiplied never lies in workgroup memory: threads load and decode just the weights
// and the x that are their elements of the matrices (gpu/fragments.c), and nothing waits for anyone else before the sums
// are added up in the end.
// A workgroup makes a tile of ROW_GROUPS x ROW_UNITS x 16 rows of one segment x TOKEN_UNITS x 16 tokens. Its subgroups
// are ROW_GROUPS by SPLIT; the latter take the steps of columns in turn. In a step, 4 neighbouring threads have the same
// rows and tokens, of each a piece of columns that lie together. Which of them meet in a multiplication does not matter as
// long as W and x agree. So fragment j of a step is made of 4 columns from each of these pieces, those that are decoded
// together. What the next step needs is on its way meanwhile. x is taken as x / 16, as in matmat_units.
// grid: x = tiles of rows, segment after segment; y = tokens / (16 TOKEN_UNITS)
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef EMULATED // for tests
#include "fragments_emulated.glsl"
#else
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#define W_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>    // [row, column]
#define X_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>    // [column, token]
#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> // [row, token]
#define ZEROS SUM(0)
#define EACH(i, n) [[unroll]] for (uint i = 0; i < (n); i++)
#define EACH_STEP(step, first, steps, apart) for (uint step = first; step < steps; step += apart)
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint WORKGROUP = 32; // 32 ROW_GROUPS SPLIT
layout(constant_id = 1) const uint ROW_UNITS = 1;
layout(constant_id = 2) const uint ROW_GROUPS = 1;
layout(constant_id = 3) const uint TOKEN_UNITS = 1;
layout(constant_id = 4) const uint TOGETHER = 1; // divides these units: so many are added up at once
layout(constant_id = 5) const uint TAIL = 1;     // a segment may end within a step
layout(constant_id = 6) const uint FLOATS = 1;   // y is written as floats,
layout(constant_id = 7) const uint STORE_Q8 = 0; // in int8 form: then ROW_UNITS x ROW_GROUPS is even

#include "matmul/params.glsl"
#include "batch.glsl"
#include "activation.glsl"
#include "matmul/epilogue.glsl"
#include "matmul/segment.glsl"

layout(binding = 5) readonly buffer Bias { float bias[]; };        // [M]
layout(binding = 6) readonly buffer Other { float other[]; };      // [T, M]
layout(binding = 7) writeonly buffer Y { float y[]; };             // [T, M]
layout(binding = 8) writeonly buffer Q8 { uint q8_out[]; };        // the same (quant/q8_row.h), if STORE_Q8

// what a workgroup is about
struct Tile {
    uint tokens, token; // of the step; the first one,
    uint row, end;      // the first row, in the part, and where the segment ends,
    uint first;         // and begins
    Segment segment;
};

f16vec2 halves_of(uint word) { return unpackFloat2x16(word); }

#if defined CODEC_Q4_K
#include "matmul/direct_q4_k.glsl"
#include "matmul/direct_x_q8.glsl"
#elif defined CODEC_Q8_0
#include "matmul/direct_q8_0.glsl"
#include "matmul/direct_x_q8.glsl"
#else
#include "matmul/direct_floats.glsl"
#endif

const uint SPLIT = WORKGROUP / 32 / ROW_GROUPS;
const uint GROUP_ROWS = 16 * ROW_UNITS;
const uint STRIDE = GROUP_ROWS + 4; // 16 bytes more spread tokens over the banks of the memory
shared float sums[WORKGROUP / 32 * TOGETHER * 16 * STRIDE]; // [subgroup, token, row]

// of 8 neighbouring threads
float octet_max(float value)
{
    value = max(value, subgroupShuffleXor(value, 1));
    value = max(value, subgroupShuffleXor(value, 2));
    return max(value, subgroupShuffleXor(value, 4));
}

// 8 neighbouring threads hold a block of 32 values, 4 each, and call it together: q8/store.wgsl
void q8_store(uint token, uint row, vec4 value, bool writes)
{
    const vec4 size = abs(value);
    const float top = octet_max(max(max(size.x, size.y), max(size.z, size.w)));
    // added to 1.5 * 2^23 the values are rounded to the integers that its last bits then are
    const uvec4 q = floatBitsToUint(value * (top > 0 ? 127 / top : 0) + 12582912.0) & 255u;
    const ivec4 numbers = ivec4(q << 24) >> 24;
    int sum = numbers.x + numbers.y + numbers.z + numbers.w;
    sum += subgroupShuffleXor(sum, 1);
    sum += subgroupShuffleXor(sum, 2);
    const int second = subgroupShuffleXor(sum, 4);
    if (!writes) return;
    const uint quad = row / 4, all = out_cols / 4, at = token * ((all + all / 4 + 3) / 4 * 4);
    q8_out[at + quad] = q.x | q.y << 8 | q.z << 16 | q.w << 24;
    if (quad % 8 > 0) return;
    q8_out[at + all + quad / 4] = floatBitsToUint(top / 127);
    q8_out[at + all + quad / 4 + 1] = uint(sum) & 0xffffu | uint(second) << 16;
}

// What the subgroups have put into `sums`, tokens from unit `unit` of the tile on, to y: 4 rows of a token an item.
void store(Tile tile, uint unit, uint item)
{
    const uint quad = item % (ROW_GROUPS * GROUP_ROWS / 4), local = item / (ROW_GROUPS * GROUP_ROWS / 4);
    const uint group = quad / (GROUP_ROWS / 4), in_group = quad % (GROUP_ROWS / 4) * 4;
    const uint t = tile.token + unit * 16 + local, r = tile.row + quad * 4, m = row_at + r;
    const bool writes = t < tile.tokens && r < tile.end;
    vec4 value = vec4(0);
    for (uint s = 0; s < SPLIT; s++) {
        const uint at = ((s * ROW_GROUPS + group) * TOGETHER * 16 + local) * STRIDE + in_group;
        value += vec4(sums[at], sums[at + 1], sums[at + 2], sums[at + 3]);
    }
    if (writes) EACH(i, 4) {
        const uint at = t * out_cols + m + i;
        value[i] = epilogue(tile.segment.act, value[i] * 16, has_bias == 1 ? bias[m + i] : 0,
                            combine > 0 ? other[at] : 0);
        if (FLOATS == 1) y[at] = value[i];
    }
    if (STORE_Q8 == 1) q8_store(t, m, value, writes);
}

// What is past the end of rows, tokens or columns is fetched in vain: a branch around it costs more.
#define FETCH(W, X, step)                                                                                             \
    EACH(i, 2 * ROW_UNITS) W[i] = w_fetch(tile, min(row + 8 * i, tile.end - 1), step, place);                         \
    EACH(i, 2 * TOKEN_UNITS) X[i] = x_fetch(tile, min(token + 8 * i, tile.tokens - 1), step, place);

void main()
{
    const uvec3 found = segment_tile(gl_WorkGroupID.x, ROW_GROUPS * GROUP_ROWS);
    const Tile tile = Tile(on_outputs == 1 ? batch.n_outputs : batch.n_tokens, gl_WorkGroupID.y * TOKEN_UNITS * 16,
                           found.x, found.y, found.z > 0 ? segment_end(found.z - 1) : 0, segment_of(found.z));
    const uint unit = gl_LocalInvocationIndex / 32, lane = gl_LocalInvocationIndex % 32;
    const uint line = lane / 4, place = lane % 4;
    const uint row = tile.row + unit % ROW_GROUPS * GROUP_ROWS + line, token = tile.token + line;
    const uint steps = (tile.segment.spans * 16 + STEP_COLUMNS - 1) / STEP_COLUMNS;
    SUM sum[ROW_UNITS][TOKEN_UNITS];
    EACH(i, ROW_UNITS) EACH(t, TOKEN_UNITS) sum[i][t] = ZEROS;
    WeightWords next_w[2 * ROW_UNITS];
    XWords next_x[2 * TOKEN_UNITS];
    FETCH(next_w, next_x, min(unit / ROW_GROUPS, steps - 1))
    EACH_STEP(step, unit / ROW_GROUPS, steps, SPLIT) {
        Weights w[2 * ROW_UNITS];
        Values x[2 * TOKEN_UNITS];
        EACH(i, 2 * ROW_UNITS) w[i] = w_ready(next_w[i], tile, step, place);
        EACH(i, 2 * TOKEN_UNITS) x[i] = x_ready(next_x[i], tile, step, place);
        FETCH(next_w, next_x, min(step + SPLIT, steps - 1))
        EACH(j, STEP_COLUMNS / 16) {
            X_PART part_x[TOKEN_UNITS];
            EACH(t, TOKEN_UNITS) EACH(h, 2) {
                f16vec2 a, b;
                x_pairs(x[2 * t + h], j, a, b);
                part_x[t][4 * h] = a.x;
                part_x[t][4 * h + 1] = a.y;
                part_x[t][4 * h + 2] = b.x;
                part_x[t][4 * h + 3] = b.y;
            }
            EACH(i, ROW_UNITS) {
                W_PART part_w;
                EACH(h, 2) {
                    f16vec2 a, b;
                    w_pairs(w[2 * i + h], j, a, b);
                    part_w[4 * h] = a.x;
                    part_w[4 * h + 1] = a.y;
                    part_w[4 * h + 2] = b.x;
                    part_w[4 * h + 3] = b.y;
                }
                EACH(t, TOKEN_UNITS) sum[i][t] = coopMatMulAdd(part_w, part_x[t], sum[i][t]);
            }
        }
    }
    for (uint first = 0; first < TOKEN_UNITS; first += TOGETHER) {
        if (first > 0) barrier();
        EACH(t, TOKEN_UNITS) if (t >= first && t < first + TOGETHER) EACH(i, ROW_UNITS) EACH(e, 8) {
            const uint local = (t - first) * 16 + 2 * place + (e & 1) + 8 * (e >> 1 & 1);
            sums[(unit * TOGETHER * 16 + local) * STRIDE + 16 * i + line + 8 * (e / 4)] = sum[i][t][e];
        }
        barrier();
        const uint items = TOGETHER * 16 * ROW_GROUPS * GROUP_ROWS / 4;
        for (uint item = gl_LocalInvocationIndex; item < items; item += WORKGROUP) store(tile, first, item);
    }
}
