// codecs: q4_k q8_0 f16
// Y[t, row] = combine(act(sum of W[row, k] x[t, x_at + k] over k + bias[row]), other[t, row]) on matrix units, for
// many tokens: what matmat_units and units_wide do, but weights go straight into the registers of matrix units, y is
// finished here, and x may be int8.
// A workgroup makes a tile of 256 rows of one segment x 128 tokens, each of its 8 subgroups ("units") 64 x 64 of that,
// in sums of 16 x 16. A turn is 128 columns, in 8 steps of 16. Those of a step are no neighbours: lane l brings block
// l % 4 of the turn's four blocks of 32 columns, 4 at a step, so that it has one scale and reads 16 bytes and more at a
// time. x takes the same order on its way into workgroup memory, half a turn at a time, where it lies as the registers
// want it; the next half comes meanwhile. Rows are in such an order that a lane has 8 neighbours in the end.
// Tiles that would leave the device idle are shared by workgroups that each take some of the turns; units_sum makes y
// of those. The last tile of a segment reaches back into the one before it.
// grid: x = tiles of rows, segment after segment; y = tokens / 128; z = workgroups of a shared tile, at most
// Segments have multiples of 128 columns and of 32 rows, 256 at least.
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
#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
#define X_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define W_PART coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define ZEROS SUM(0)
#define EACH(i, n) [[unroll]] for (uint i = 0; i < (n); i++)
#endif

layout(constant_id = 0) const uint WORKGROUP = 256;
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint X_Q8 = 0;  // x is int8, else f16, made by units_halve
layout(constant_id = 2) const uint ACT = 6;   // of all segments; 6: each has its own
layout(constant_id = 3) const uint FLOATS = 1; // outputs
layout(constant_id = 4) const uint TO_Q8 = 0;

#include "matmul/params.glsl"
#include "batch.glsl"
#include "activation.glsl"
#include "matmul/epilogue.glsl"
#include "matmul/segment.glsl"
#include "matmul/units_many_codec.glsl"
layout(binding = 4) readonly buffer X { uvec4 x[]; };        // [T, K/8], or rows of quant/q8_row.h
layout(binding = 4) readonly buffer XWords { float x_scales[]; };
layout(binding = 5) writeonly buffer Sums { vec4 sums[]; };  // [shared tiles and shares, 128 tokens, 256 / 4 rows]
layout(binding = 6) readonly buffer Bias { vec4 bias[]; };   // [M/4]
layout(binding = 7) readonly buffer Other { vec4 other[]; }; // [T, M/4]
layout(binding = 8) writeonly buffer Y { vec4 y[]; };        // [T, M/4]
layout(binding = 9) writeonly buffer Q8 { uint q8_out[]; };

const uint TILE = 256, TILE_TOKENS = 128, UNIT = 4; // 16 x 16 sums of a unit in each direction
const uint STEPS = 4, HALF = TILE_TOKENS / 16 * STEPS * 32; // of half a turn
shared uvec4 tile_x[2 * HALF];                              // [half, 16 tokens, step, lane]


uint units_tokens() { return on_outputs == 1 ? batch.n_outputs : batch.n_tokens; }
uint units_tiles() { return (units_tokens() + TILE_TOKENS - 1) / TILE_TOKENS * tiles; }
uint units_whole() { return units_tiles() / groups * groups; }
uint units_shares() { return clamp(groups / max(units_tiles() - units_whole(), 1), 1, shares); }

// row n of a lane's 8, from its first on
uint row_step(uint n) { return n / 4 * 32 + n / 2 % 2 * 4 + n % 2 * 2; }

// x / 16 of 4 columns, the second and third in each other's place; d as in x_halves of few_x_q8.wgsl
uvec2 x_pairs(uint bytes, f16vec2 d)
{
    const uint flipped = bytes ^ 0x80808080;
    const f16vec2 a = (halves_of(flipped & 0x00ff00ff | 0x48004800) - f16vec2(9)) * d;
    const f16vec2 b = (halves_of(flipped >> 8 & 0x00ff00ff | 0x48004800) - f16vec2(9)) * d;
    return uvec2(packFloat2x16(a), packFloat2x16(b));
}

// what a thread brings of half a turn: 16 columns each of two tokens, 8 apart
#define FETCH_X(turn, part)                                                                             \
    EACH(i, 2) {                                                                                         \
        if (X_Q8 == 1) {                                                                                 \
            next_x[i] = x[x_from[i] + (turn) * 8 + (part)];                                             \
            next_d[i] = x_scales[d_from[i] + (turn) * 8];                                                \
        } else {                                                                                         \
            EACH(j, 2) next_x[2 * j + i] = x[x_from[i] + (turn) * 16 + (part) * 2 + j];                 \
        }                                                                                                \
    }

uvec2 x_column(uvec4 v, uvec4 w, float d, uint s)
{
    if (X_Q8 == 1) return x_pairs(v[s], f16vec2(float16_t(min(d * 8, 65504.0))));
    const uvec4 u = s < 2 ? v : w;
    return uvec2(low_halves(u[s % 2 * 2], u[s % 2 * 2 + 1]), high_halves(u[s % 2 * 2], u[s % 2 * 2 + 1]));
}

#define PUT_X(at)                                                                                        \
    EACH(s, STEPS)                                                                                       \
        tile_x[(at) + (unit * STEPS + s) * 32 + lane] = uvec4(x_column(next_x[0], next_x[2], next_d[0], s), \
                                                              x_column(next_x[1], next_x[3], next_d[1], s));

#define FETCH_W(to, turn, piece) \
    EACH(n, 2 * UNIT) w[to][n] = fetch_piece(row + row_step(n), (turn) * 4 + quarter, piece);

#define LOAD_X(to, s)                                                                                      \
    EACH(t, UNIT) {                                                                                      \
        const uvec4 words = tile_x[at + ((unit_token / 16 + t) * STEPS + (s)) * 32 + lane];              \
        EACH(i, 4) {                                                                                     \
            a[to][t][2 * i] = halves_of(words[i]).x;                                                         \
            a[to][t][2 * i + 1] = halves_of(words[i]).y;                                                     \
        }                                                                                                \
    }

#define SET_W(r, from, s)                                                                                \
    EACH(i, 4) {                                                                                         \
        const f16vec2 pair = w_pair(w[from][2 * (r) + i / 2], s, i % 2, lines[2 * (r) + i / 2]);         \
        b[r][2 * i] = pair.x;                                                                            \
        b[r][2 * i + 1] = pair.y;                                                                        \
    }

// 8 neighbouring rows of a token from `row0` on: as int8, with the 3 lanes that have the rest of the 32
void store_q8(uint token, uint row0, vec4 v, vec4 w, bool writes)
{
    const vec4 size = max(abs(v), abs(w));
    float top = max(max(size.x, size.y), max(size.z, size.w));
    top = max(top, subgroupShuffleXor(top, 1));
    top = max(top, subgroupShuffleXor(top, 2));
    const float scale = top > 0 ? 127 / top : 0;
    const ivec4 a = ivec4(roundEven(v * scale)), b = ivec4(roundEven(w * scale)), both = a + b;
    int sum = both.x + both.y + both.z + both.w;
    sum += subgroupShuffleXor(sum, 1);
    const int last = subgroupShuffleXor(sum, 2);
    if (!writes) return;
    const uint quad = (row_at + row0) / 4, at = token * ((out_cols / 4 + out_cols / 16 + 3) / 4 * 4);
    const uvec4 low = uvec4(a) & 255, high = uvec4(b) & 255;
    q8_out[at + quad] = low.x | low.y << 8 | low.z << 16 | low.w << 24;
    q8_out[at + quad + 1] = high.x | high.y << 8 | high.z << 16 | high.w << 24;
    if (quad % 8 == 0) {
        q8_out[at + out_cols / 4 + quad / 4] = floatBitsToUint(top / 127);
        q8_out[at + out_cols / 4 + quad / 4 + 1] = uint(sum) & 0xffff | uint(last) << 16;
    }
}

vec4 finish(uint act, vec4 sum, uint token, uint row0)
{
    const uint quad = (row_at + row0) / 4;
    const vec4 b = has_bias == 1 ? bias[quad] : vec4(0);
    const vec4 o = combine != 0 ? other[token * (out_cols / 4) + quad] : vec4(0);
    vec4 value;
    EACH(i, 4) value[i] = epilogue(act, sum[i] * 16, b[i], o[i]);
    return value;
}

void main()
{
    const uint thread = gl_LocalInvocationIndex, lane = thread % 32, unit = thread / 32, quarter = lane % 4;
    const uint tokens = units_tokens(), tile = gl_WorkGroupID.y * tiles + gl_WorkGroupID.x;
    const bool divided = tile >= units_whole() && units_shares() > 1;
    const uint n_shares = divided ? units_shares() : 1, share = gl_WorkGroupID.z;
    if (share >= n_shares) return;
    const uvec3 place = segment_tile(gl_WorkGroupID.x, TILE);
    const Segment segment = segment_of(place.z);
    const uint first = min(place.x, place.y - TILE), token0 = gl_WorkGroupID.y * TILE_TOKENS;
    const uint unit_row = unit % 4 * UNIT * 16, unit_token = unit / 4 * UNIT * 16;
    const uint row = first + unit_row + lane / 8 * 8 + lane / 4 % 2;
    uint x_from[2], d_from[2];
    EACH(i, 2) {
        const uint token = min(token0 + unit * 16 + i * 8 + lane / 4, tokens - 1);
        const uint row_vectors = (quads + quads / 4 + 3) / 4;
        x_from[i] = X_Q8 == 1 ? token * row_vectors + segment.x_at / 4 + quarter * 2
                              : token * (quads / 2) + segment.x_at / 2 + quarter * 4;
        d_from[i] = token * (row_vectors * 4) + quads + (segment.x_at / 8 + quarter) * 2;
    }
    const uint turns = segment.spans / 8, begin = turns * share / n_shares, end = turns * (share + 1) / n_shares;
    SUM parts[UNIT][UNIT]; // [tokens, rows]
    EACH(t, UNIT) EACH(r, UNIT) parts[t][r] = ZEROS;
    Piece w[2][2 * UNIT];
    uint lines[2 * UNIT], next_lines[2 * UNIT];
    uvec4 next_x[4];
    float next_d[2];
    X_PART a[2][UNIT];
    W_PART b[UNIT];
    FETCH_X(begin, 0)
    FETCH_W(0, begin, 0)
    EACH(n, 2 * UNIT) {
        const uint block = begin * 4 + quarter;
        lines[n] = line_of(fetch_entry(row + row_step(n), block), block);
    }
    PUT_X(0)
    uint at = 0;
    for (uint turn = begin; turn < end; turn++) {
        const uint next = min(turn + 1, end - 1); // the last turn fetches what was there already, in vain
        EACH(part, 2) {
            barrier();
            FETCH_X(part == 0 ? turn : next, 1 - part)
            EACH(s, STEPS) {
                const uint of_turn = part * STEPS + s, piece = of_turn / PERIOD;
                if (of_turn % PERIOD == 0)
                    FETCH_W((piece + 1) % 2, piece + 1 < 8 / PERIOD ? turn : next, (piece + 1) % (8 / PERIOD))
                const Entry entry = fetch_entry(row + row_step(of_turn), next * 4 + quarter);
                if (s == 0 || X_AHEAD == 0) LOAD_X(s % 2, s)
                if (s == 0 && X_AHEAD == 1) LOAD_X(1, 1)
                EACH(r, UNIT) {
                    SET_W(r, piece % 2, of_turn % PERIOD)
                    EACH(t, UNIT) parts[t][r] = coopMatMulAdd(a[s % 2][t], b[r], parts[t][r]);
                }
                if (s + 2 < STEPS && X_AHEAD == 1) LOAD_X(s % 2, s + 2)
                next_lines[of_turn] = line_of(entry, next * 4 + quarter);
            }
            at = HALF - at;
            PUT_X(at)
        }
        EACH(n, 2 * UNIT) lines[n] = next_lines[n];
    }
    const uint slot = (tile - units_whole()) * n_shares + share;
    const uint act = ACT < 6 ? ACT : segment.act;
    EACH(t, UNIT) EACH(p, UNIT / 2) EACH(i, 2) {
        const uint in_tile = unit_token + t * 16 + i * 8 + lane / 4, tile_row = unit_row + p * 32 + quarter * 8;
        const uint token = token0 + in_tile, row0 = first + tile_row;
        vec4 v, w;
        EACH(e, 4) {
            v[e] = parts[t][2 * p][4 * i + e];
            w[e] = parts[t][2 * p + 1][4 * i + e];
        }
        if (divided) {
            sums[(slot * TILE_TOKENS + in_tile) * (TILE / 4) + tile_row / 4] = v;
            sums[(slot * TILE_TOKENS + in_tile) * (TILE / 4) + tile_row / 4 + 1] = w;
        } else {
            const bool writes = token < tokens && row0 >= place.x;
            const uint safe = min(token, tokens - 1);
            v = finish(act, v, safe, row0);
            w = finish(act, w, safe, row0 + 4);
            if (FLOATS == 1 && writes) {
                y[token * (out_cols / 4) + (row_at + row0) / 4] = v;
                y[token * (out_cols / 4) + (row_at + row0) / 4 + 1] = w;
            }
            if (TO_Q8 == 1) store_q8(token, row0, v, w, writes);
        }
    }
}
