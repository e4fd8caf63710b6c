/* test_ops_gpu.c - every op but matmul (test_matmul_gpu.c): the GPU against the scalar reference. */
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct step_shape mixed[] = {
    {{{1, 0, 0}}},
    {{{2, 1, 0}}},
    {{{7, 2, 3}}},
    {{{1, 3, 9}, {5, 0, 1}, {3, 2, 10}}},
    {{{64, 1, 2}}},
    {{{65, 0, 6}, {1, 4, 0}}},
    {{{1, 4, 1}, {1, 0, 71}, {1, 2, 13}, {1, 1, 66}}},
};

/* positions within a cache of 300 */
static const struct step_shape near[] = {
    {{{1, 0, 0}}},
    {{{1, 1, 299}}},
    {{{7, 2, 125}}},
    {{{1, 3, 5}, {5, 0, 127}, {3, 2, 255}}},
    {{{65, 4, 100}, {1, 1, 128}}},
};

/* far out, in a ring of 40 */
static const struct step_shape far[] = {
    {{{1, 0, 0}}},
    {{{1, 1, 100000}}},
    {{{7, 2, 35}}},
    {{{1, 3, 15}, {5, 0, 77}, {25, 2, 131048}}},
};

/* more positions than a workgroup takes, few tokens and many */
static const struct step_shape farther[] = {
    {{{1, 0, 1100}}},
    {{{1, 0, 999}, {1, 1, 31}, {1, 2, 32}, {1, 3, 1199}}},
    {{{9, 0, 700}, {2, 1, 0}}},
    {{{130, 2, 1000}}},
};

/* sequences that share tiles */
static const struct step_shape uneven[] = {
    {{{64, 0, 100}, {1, 1, 250}}},
    {{{3, 0, 0}, {60, 1, 17}, {1, 2, 299}, {66, 3, 201}}},
    {{{130, 4, 0}}},
    {{{30, 0, 5}, {34, 1, 0}}},
};

/* from the start, step after step */
static const struct step_shape growing[] = {
    {{{3, 0, 0}, {1, 2, 0}}},
    {{{1, 0, 3}, {30, 2, 1}, {2, 1, 0}}},
    {{{1, 0, 4}, {1, 1, 2}, {1, 2, 31}}},
    {{{40, 1, 3}}},
};

/* more chunks than one */
static const struct step_shape extended[] = {
    {{{33, 0, 0}}},
    {{{300, 0, 33}, {1, 1, 0}}},
    {{{31, 2, 0}, {1, 0, 333}}},
};

/* a run that is long enough for wkv7's chunks, and beside it the edges of chunks in the step and in its sequences */
static const struct step_shape chunks[] = {
    {{{200, 0, 0}}},
    {{{15, 1, 0}, {193, 2, 0}}},
    {{{16, 3, 0}, {17, 1, 15}, {192, 0, 200}, {1, 4, 0}}},
    {{{1, 1, 32}, {33, 2, 193}, {1, 4, 1}, {197, 3, 16}}},
    {{{201, 4, 2}, {2, 0, 392}, {47, 3, 213}, {37, 2, 226}}}, /* so that limits.tokens, one more, are whole chunks */
};

#define EXACT TOLERANCE_EXACT
#define USUAL TOLERANCE_USUAL
#define LOOSER TOLERANCE_LOOSER

#define STEPS(s) .steps = s, .n_steps = COUNT(s)

static const struct op_case cases[] = {
    {"embed F32 V=50 C=64", record_embed, {QUANT_F32, 50, 64}, STEPS(mixed), USUAL},
    {"embed F16 V=50 C=20", record_embed, {QUANT_F16, 50, 20}, STEPS(mixed), USUAL},
    {"embed F16 V=50 C=2052", record_embed, {QUANT_F16, 50, 2052}, STEPS(mixed), USUAL},
    {"embed Q8_0 V=300 C=288", record_embed, {QUANT_Q8_0, 300, 288}, STEPS(mixed), USUAL},
    {"embed Q4_K V=33 C=512", record_embed, {QUANT_Q4_K, 33, 512}, STEPS(mixed), USUAL},
    {"embed Q6_K V=33 C=768", record_embed, {QUANT_Q6_K, 33, 768}, STEPS(mixed), USUAL},
    {"select C=4", record_select, {4}, STEPS(mixed), EXACT},
    {"select C=516", record_select, {516}, STEPS(mixed), EXACT},
    {"layer_norm C=4", record_layer_norm, {4}, STEPS(mixed), LOOSER},
    {"layer_norm C=100", record_layer_norm, {100}, STEPS(mixed), USUAL},
    {"layer_norm C=768", record_layer_norm, {768}, STEPS(mixed), USUAL},
    {"layer_norm C=2052", record_layer_norm, {2052}, STEPS(mixed), USUAL},
    {"layer_norm C=256 of outputs", record_layer_norm, {256, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=4", record_rms_norm, {4}, STEPS(mixed), USUAL},
    {"rms_norm C=100 residual", record_rms_norm, {100, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=640", record_rms_norm, {640}, STEPS(mixed), USUAL},
    {"rms_norm C=2052 residual", record_rms_norm, {2052, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=256 of outputs", record_rms_norm, {256, 0, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=640 residual twice", record_rms_norm, {640, 1, 0, 0, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=2080 residual twice to int8", record_rms_norm, {2080, 1, 0, 1, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=100 twice", record_rms_norm, {100, 0, 0, 0, 1}, STEPS(mixed), USUAL},
    {"quantize C=32", record_quantize, {32}, STEPS(mixed), USUAL},
    {"quantize C=96", record_quantize, {96}, STEPS(mixed), USUAL},
    {"quantize C=2560", record_quantize, {2560}, STEPS(mixed), USUAL},
    {"token_shift C=64 n=6", record_token_shift, {64, 6}, STEPS(mixed), USUAL},
    {"token_shift C=100 n=1", record_token_shift, {100, 1}, STEPS(mixed), USUAL},
    {"token_shift C=768 n=6", record_token_shift, {768, 6}, STEPS(mixed), USUAL},
    {"token_shift C=2052 n=1", record_token_shift, {2052, 1}, STEPS(mixed), USUAL},
    {"token_shift C=256 n=3", record_token_shift, {256, 3}, STEPS(mixed), USUAL},
    {"layer_norm C=2080 to int8", record_layer_norm, {2080, 0, 1}, STEPS(mixed), USUAL},
    {"rms_norm C=640 residual to int8", record_rms_norm, {640, 1, 0, 1}, STEPS(mixed), USUAL},
    {"token_shift C=96 n=6 to int8", record_token_shift, {96, 6, 1}, STEPS(mixed), USUAL},
    {"token_shift C=2080 n=1 to int8", record_token_shift, {2080, 1, 1}, STEPS(mixed), USUAL},
    {"wkv7 N=64 H=3 v_first to int8", record_wkv7, {64, 3, 1, 0, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=96 H=2 to int8", record_wkv7, {96, 2, 0, 0, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=32 H=5 to int8", record_wkv7, {32, 5, 0, 0, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=2", record_wkv7, {64, 2}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=3 v_first", record_wkv7, {64, 3, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=128 H=2 v_first", record_wkv7, {128, 2, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=32 H=4 v_first", record_wkv7, {32, 4, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=96 H=2", record_wkv7, {96, 2}, STEPS(mixed), LOOSER},
    {"wkv7 N=20 H=3 v_first", record_wkv7, {20, 3, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=4 H=5", record_wkv7, {4, 5}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=2 v_first extended", record_wkv7, {64, 2, 1}, STEPS(extended), LOOSER},
    {"wkv7 N=8 H=3", record_wkv7, {8, 3}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=2 short k", record_wkv7, {64, 2, 0, 1}, STEPS(mixed), LOOSER},
    {"rope_kv D=64 H=2/1", record_rope_kv, {64, 2, 1, 300, 10000, 0}, STEPS(mixed), USUAL},
    {"rope_kv D=64 H=2/2 far", record_rope_kv, {64, 2, 2, 40, 10000, 0}, STEPS(far), {1e-7, 1e-3, 0}},
    {"rope_kv D=256 H=3/1 norm far scaled",
     record_rope_kv,
     {256, 3, 1, 40, 1000000, ROPE_NORM + ROPE_SCALED},
     STEPS(far),
     {1e-7, 4e-3, 0}},
    {"rope_kv D=80 H=1/1 norm", record_rope_kv, {80, 1, 1, 300, 500000, ROPE_NORM}, STEPS(mixed), LOOSER},
    {"rope_kv D=8 H=5/5 norm", record_rope_kv, {8, 5, 5, 300, 10000, ROPE_NORM}, STEPS(mixed), LOOSER},
    {"rope_kv D=64 H=4/1 f16", record_rope_kv, {64, 4, 1, 300, 10000, KV_F16}, STEPS(near), USUAL},
    {"rope_kv D=40 H=6/2 norm f16", record_rope_kv, {40, 6, 2, 80, 10000, ROPE_NORM + KV_F16}, STEPS(growing), LOOSER},
    {"rope_kv D=64 H=4/2 q8", record_rope_kv, {64, 4, 2, 300, 10000, KV_Q8}, STEPS(near), USUAL},
    {"rope_kv D=256 H=4/1 norm q8",
     record_rope_kv,
     {256, 4, 1, 80, 1000000, ROPE_NORM + KV_Q8},
     STEPS(growing),
     LOOSER},
    {"attention D=64 H=4/4", record_attention, {64, 4, 4, 300, 0}, STEPS(near), USUAL},
    {"attention D=64 H=6/2 window=50", record_attention, {64, 6, 2, 300, 50}, STEPS(near), USUAL},
    {"attention D=128 H=4/2", record_attention, {128, 4, 2, 300, 0}, STEPS(near), USUAL},
    {"attention D=256 H=4/1", record_attention, {256, 4, 1, 300, 0}, STEPS(near), USUAL},
    {"attention D=256 H=4/1 window=16 ring of 40", record_attention, {256, 4, 1, 40, 16}, STEPS(far), USUAL},
    {"attention D=16 H=3/1 window=16 ring of 40", record_attention, {16, 3, 1, 40, 16}, STEPS(far), USUAL},
    {"attention D=80 H=2/1", record_attention, {80, 2, 1, 300, 0}, STEPS(near), USUAL},
    {"attention D=4 H=2/2", record_attention, {4, 2, 2, 300, 0}, STEPS(near), USUAL},
    {"attention D=256 H=4/1 far", record_attention, {256, 4, 1, 1200, 0}, STEPS(farther), USUAL},
    {"attention D=128 H=8/2 window=500", record_attention, {128, 8, 2, 1200, 500}, STEPS(farther), USUAL},
    {"attention D=64 H=20/2 to int8", record_attention, {64, 20, 2, 1200, 0, CASE_TO_INT8}, STEPS(farther), USUAL},
    {"attention D=64 H=12/4 uneven", record_attention, {64, 12, 4, 300, 70}, STEPS(uneven), USUAL},
    {"attention D=256 H=4/1 window=16 uneven", record_attention, {256, 4, 1, 300, 16}, STEPS(uneven), USUAL},
    {"attention D=128 H=6/1 uneven f16", record_attention, {128, 6, 1, 300, 0, KV_F16}, STEPS(uneven), USUAL},
    {"attention D=128 H=2/2 uneven q8", record_attention, {128, 2, 2, 300, 0, KV_Q8}, STEPS(uneven), USUAL},
    {"attention D=96 H=4/2 q8 to int8", record_attention, {96, 4, 2, 300, 0, KV_Q8 + CASE_TO_INT8}, STEPS(near), USUAL},
    {"attention D=256 H=8/1 f16 window=50", record_attention, {256, 8, 1, 300, 50, KV_F16}, STEPS(near), USUAL},
    /* so many heads that tiles fill the device */
    {"attention D=16 H=64/64", record_attention, {16, 64, 64, 300, 0}, STEPS(uneven), USUAL},
    {"attention D=32 H=128/32 window=33 to int8",
     record_attention,
     {32, 128, 32, 300, 33, CASE_TO_INT8},
     STEPS(uneven),
     USUAL},
    {"rope_kv, attention D=32 H=4/2 f16",
     record_attention_written,
     {32, 4, 2, 64, 0, KV_F16},
     STEPS(growing),
     {1e-7, 1e-3, 1e-3}},
    {"rope_kv, attention D=64 H=4/1 window=9 ring of 48 q8",
     record_attention_written,
     {64, 4, 1, 48, 9, KV_Q8},
     STEPS(growing),
     {1e-5, 4e-3, 0}}, /* a key or value halfway between two integers may go to either */
    {"rope_kv, attention D=32 H=4/2", record_attention_written, {32, 4, 2, 64, 0}, STEPS(growing), USUAL},
    {"rope_kv, attention D=64 H=2/1 window=9 ring of 48",
     record_attention_written,
     {64, 2, 1, 48, 9},
     STEPS(growing),
     USUAL},
};

static const struct op_case in_parts = {
    "embed F32 V=3001 C=128 in parts", record_embed, {QUANT_F32, 3001, 128}, STEPS(mixed), USUAL};

/* on a device that has less */
static const struct op_case wkv7_small[] = {
    {"wkv7 N=64 H=3 v_first in 4 KiB", record_wkv7, {64, 3, 1}, STEPS(extended), LOOSER},
    {"wkv7 N=128 H=2 in 4 KiB", record_wkv7, {128, 2}, STEPS(mixed), LOOSER},
    {"wkv7 N=96 H=1 in 4 KiB", record_wkv7, {96, 1}, STEPS(mixed), LOOSER},
};

static const struct op_case attention_small[] = {
    {"attention D=256 H=4/1 in 16 KiB", record_attention, {256, 4, 1, 300, 0}, STEPS(uneven), USUAL},
    {"attention D=128 H=3/1 window=50 q8 to int8 in 16 KiB",
     record_attention,
     {128, 3, 1, 300, 50, KV_Q8 + CASE_TO_INT8},
     STEPS(uneven),
     USUAL},
    {"attention D=16 H=64/64 in 16 KiB", record_attention, {16, 64, 64, 300, 0}, STEPS(uneven), USUAL},
};

/* a token at a time, some more in between */
static const struct step_shape singles[] = {
    {{{1, 0, 0}}}, {{{1, 0, 1}}}, {{{3, 0, 2}}}, {{{1, 0, 5}}}, {{{1, 3, 8}}}, {{{1, 2, 7}, {1, 0, 6}}}, {{{1, 0, 7}}},
};

#define INT8 TOLERANCE_MATMUL_F16 /* of the blends one or two round to the next integer */

/* what one token, or few, takes together: these also on software as if it were none */
static const struct op_case fused[] = {
    {"shifted Q4_K M=512 C=256 int8", record_shifted, {QUANT_Q4_K, 512, 256, 0, 0, MATMUL_INT8}, STEPS(singles), INT8},
    {"shifted Q8_0 M=1024 C=2080 int8",
     record_shifted,
     {QUANT_Q8_0, 1024, 2080, ACT_RELU2, 0, MATMUL_INT8 | MATMUL_TO_INT8},
     STEPS(singles),
     INT8},
    {"shifted Q6_K M=2048 C=768 relu2", record_shifted, {QUANT_Q6_K, 2048, 768, ACT_RELU2}, STEPS(singles), LOOSER},
    {"shifted F16 M=128 C=96", record_shifted, {QUANT_F16, 128, 96}, STEPS(singles), LOOSER},
    {"shifted F32 M=128 C=32", record_shifted, {QUANT_F32, 128, 32}, STEPS(singles), LOOSER},
    {"shifted BF16 M=100 C=64", record_shifted, {QUANT_BF16, 100, 64}, STEPS(singles), LOOSER},
    {"shifted F16 M=128 C=100", record_shifted, {QUANT_F16, 128, 100}, STEPS(singles), LOOSER},
    {"shifted Q4_K M=512 C=512 thin F16 int8",
     record_shifted,
     {QUANT_Q4_K, 512, 512, 0, 64, MATMUL_INT8},
     STEPS(singles),
     INT8},
    {"shifted Q8_0 M=256 C=1056 thin F32",
     record_shifted,
     {QUANT_Q8_0, 256, 1056, ACT_SIGMOID, 64 | SHIFTED_F32},
     STEPS(singles),
     LOOSER},
    {"shifted Q8_0 M=256 C=2048 thin F32 int8",
     record_shifted,
     {QUANT_Q8_0, 256, 2048, 0, 64 | SHIFTED_F32, MATMUL_INT8},
     STEPS(singles),
     INT8},
    {"shifted Q4_K M=512 C=4096 thin F16 int8",
     record_shifted,
     {QUANT_Q4_K, 512, 4096, 0, 64, MATMUL_INT8},
     STEPS(singles),
     INT8},
    {"shifted F16 M=256 C=288 thin F16", record_shifted, {QUANT_F16, 256, 288, 0, 64}, STEPS(singles), LOOSER},
    {"shifted F16 M=256 C=288 thin F16, odd", record_shifted, {QUANT_F16, 256, 288, 0, 20}, STEPS(singles), LOOSER},
    {"wkv7 N=64 H=4 v_first ups F16", record_wkv7_ups, {64, 4, 1, QUANT_F16, 40}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=5 ups F32 to int8", record_wkv7_ups, {64, 5, 0, QUANT_F32, 64, 1}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=6 v_first ups F16 to int8", record_wkv7_ups, {64, 6, 1, QUANT_F16, 72, 1}, STEPS(singles), LOOSER},
    {"wkv7 N=128 H=2 v_first ups F32", record_wkv7_ups, {128, 2, 1, QUANT_F32, 8}, STEPS(mixed), LOOSER},
    {"wkv7 N=32 H=5 ups F16", record_wkv7_ups, {32, 5, 0, QUANT_F16, 24}, STEPS(mixed), LOOSER},
    {"wkv7 N=64 H=5 v_first ups F16, odd", record_wkv7_ups, {64, 5, 1, QUANT_F16, 20}, STEPS(mixed), LOOSER},
};

/* hardware that has less */
static const struct op_case fused_small = {"shifted Q8_0 M=256 C=2048 thin F16 int8 in 4 KiB",
                                           record_shifted,
                                           {QUANT_Q8_0, 256, 2048, 0, 64, MATMUL_INT8},
                                           STEPS(singles),
                                           INT8};

static const uint32_t wkv7_chunked_small[] = {16384, 16384, 8192}; /* of workgroup memory, the first ones */
static const struct op_case wkv7_chunked[] = {
    {"wkv7 N=32 H=1 in chunks in 16 KiB", record_wkv7, {32, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=2 v_first in chunks in 16 KiB", record_wkv7, {64, 2, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=1 in 8 KiB, too little for chunks", record_wkv7, {64, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=32 H=3 v_first in chunks", record_wkv7, {32, 3, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=2 in chunks", record_wkv7, {64, 2}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=17 v_first in chunks", record_wkv7, {64, 17, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=33 in chunks", record_wkv7, {64, 33}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=3 v_first in chunks to int8", record_wkv7, {64, 3, 1, 0, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=48 H=1 v_first in chunks", record_wkv7, {48, 1, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=128 H=1 too large for chunks", record_wkv7, {128, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=20 H=1 too small for chunks", record_wkv7, {20, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=1 short k in chunks", record_wkv7, {64, 1, 0, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=1 strong decay in chunks", record_wkv7, {64, 1, 0, 0, 0, 1}, STEPS(chunks), LOOSER},
    {"wkv7 N=64 H=1 no decay, keys alike, in chunks", record_wkv7, {64, 1, 0, 0, 0, 2}, STEPS(chunks), LOOSER},
};

/* positions of a token divided among workgroups, which software does not do */
static const struct op_case attention_parts[] = {
    {"attention D=256 H=4/1 in parts", record_attention, {256, 4, 1, 1200, 0}, STEPS(farther), USUAL},
    {"attention D=128 H=8/2 window=500 f16 in parts",
     record_attention,
     {128, 8, 2, 1200, 500, KV_F16},
     STEPS(farther),
     USUAL},
    {"attention D=64 H=20/2 q8 to int8 in parts",
     record_attention,
     {64, 20, 2, 1200, 0, KV_Q8 + CASE_TO_INT8},
     STEPS(farther),
     USUAL},
    {"attention D=80 H=3/1 in parts", record_attention, {80, 3, 1, 300, 0}, STEPS(near), USUAL},
};

static struct gpu_case all[N_VARIANTS * (COUNT(cases) + 1 + COUNT(wkv7_small) + COUNT(attention_small) +
                                         2 * COUNT(fused) + 1 + COUNT(attention_parts) + COUNT(wkv7_chunked))];
static size_t n_all;

static struct gpu_case *add(const struct op_case *c, enum variant v)
{
    struct gpu_case *g = &all[n_all++];
    *g = (struct gpu_case){.c = *c, .gpu = case_gpu(v)};
    snprintf(g->c.name, sizeof g->c.name, "%.90s, %.30s", c->name, case_variant_name(v));
    return g;
}

int main(void)
{
    for (int v = 0; v < N_VARIANTS; v++) {
        for (size_t i = 0; i < COUNT(cases); i++) add(&cases[i], (enum variant)v);
        add(&in_parts, (enum variant)v)->max_binding_bytes = 1 << 19;
        for (size_t i = 0; i < COUNT(wkv7_small); i++) {
            struct gpu_case *g = add(&wkv7_small[i], (enum variant)v);
            g->max_workgroup_bytes = 4096;
            g->subgroup_size = 4;
        }
        for (size_t i = 0; i < COUNT(attention_small); i++)
            add(&attention_small[i], (enum variant)v)->max_workgroup_bytes = 16384;
        for (size_t i = 0; v == VARIANT_FEATURES && i < COUNT(wkv7_chunked); i++) {
            struct gpu_case *g = add(&wkv7_chunked[i], (enum variant)v);
            g->hardware = true;
            if (i < COUNT(wkv7_chunked_small)) g->max_workgroup_bytes = wkv7_chunked_small[i];
        }
        for (size_t i = 0; i < COUNT(attention_parts); i++) add(&attention_parts[i], (enum variant)v)->hardware = true;
    }
    for (int v = 0; v < N_VARIANTS; v++) {
        struct gpu_case *g = add(&fused_small, (enum variant)v);
        g->hardware = true;
        g->max_workgroup_bytes = 4096;
    }
    for (size_t i = 0; i < N_VARIANTS * COUNT(fused); i++) {
        const struct op_case *c = &fused[i / N_VARIANTS];
        add(c, (enum variant)(i % N_VARIANTS));
        struct gpu_case *g = add(c, (enum variant)(i % N_VARIANTS));
        strncat(g->c.name, ", hardware", sizeof g->c.name - strlen(g->c.name) - 1);
        g->hardware = true;
    }
    static struct CMUnitTest tests[COUNT(all)];
    for (size_t i = 0; i < n_all; i++) tests[i] = (struct CMUnitTest){all[i].c.name, case_run, NULL, NULL, &all[i]};
    int failed = cmocka_run_group_tests_name("ops", tests, NULL, NULL);
    case_close();
    return failed;
}
