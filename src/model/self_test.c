/* self_test.c - see self_test.h. Matrix products take another kernel for each of the first steps below; the other ops
 * see one token, and sequences of several lengths side by side, in few tokens and in many. */
#include "model/self_test.h"

#include <stdio.h>

#include "model/op_graphs.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct step_shape lengths[] = {
    {{{1, 0, 0}}}, {{{3, 0, 0}}}, {{{8, 0, 0}}}, {{{20, 0, 0}}}, {{{70, 0, 0}, {9, 1, 0}}}};
static const struct step_shape mixed[] = {
    {{{1, 0, 0}}}, {{{2, 3, 9}, {17, 0, 1}, {1, 2, 10}}}, {{{40, 1, 0}, {1, 0, 18}}}};

static const struct step_shape chunks[] = {{{{200, 0, 0}, {17, 1, 0}}}, {{{1, 0, 200}, {33, 2, 0}, {197, 1, 17}}}};

#define LENGTHS .steps = lengths, .n_steps = COUNT(lengths), .tolerance = TOLERANCE_MATMUL
#define LENGTHS_OF .steps = lengths, .n_steps = COUNT(lengths), .tolerance
#define MIXED .steps = mixed, .n_steps = COUNT(mixed), .tolerance
#define CHUNKS .steps = chunks, .n_steps = COUNT(chunks), .tolerance = TOLERANCE_LOOSER

static const struct op_case cases[] = {
    {"embed F16", record_embed, {QUANT_F16, 50, 260}, MIXED = TOLERANCE_USUAL},
    {"embed Q8_0", record_embed, {QUANT_Q8_0, 50, 288}, MIXED = TOLERANCE_USUAL},
    {"select", record_select, {132}, MIXED = TOLERANCE_EXACT},
    {"layer_norm", record_layer_norm, {768}, MIXED = TOLERANCE_USUAL},
    {"rms_norm", record_rms_norm, {640, 1}, MIXED = TOLERANCE_USUAL},
    {"token_shift", record_token_shift, {256, 6}, MIXED = TOLERANCE_USUAL},
    {"wkv7", record_wkv7, {64, 3, 1}, MIXED = TOLERANCE_LOOSER},
    {"wkv7 in chunks", record_wkv7, {64, 2, 1}, CHUNKS},
    {"rope_kv", record_rope_kv, {128, 3, 1, 40, 1000000, ROPE_NORM}, MIXED = TOLERANCE_LOOSER},
    {"rope_kv to f16", record_rope_kv, {64, 2, 2, 40, 10000, KV_F16}, MIXED = TOLERANCE_LOOSER},
    {"rope_kv to q8_0", record_rope_kv, {64, 4, 1, 40, 10000, ROPE_NORM + KV_Q8}, MIXED = TOLERANCE_LOOSER},
    {"attention", record_attention_written, {64, 4, 2, 64, 0}, MIXED = TOLERANCE_USUAL},
    {"attention window", record_attention_written, {256, 4, 1, 40, 9}, MIXED = TOLERANCE_USUAL},
    {"attention f16 to int8", record_attention, {64, 3, 1, 40, 0, KV_F16 + CASE_TO_INT8}, MIXED = TOLERANCE_USUAL},
    {"attention q8_0", record_attention, {128, 4, 2, 40, 0, KV_Q8}, MIXED = TOLERANCE_USUAL},
    {"attention of many tokens", record_attention, {64, 4, 2, 100, 0}, LENGTHS_OF = TOLERANCE_USUAL},
    {"quantize", record_quantize, {640}, MIXED = TOLERANCE_USUAL},
    {"rms_norm, twice", record_rms_norm, {640, 1, 0, 1, 1}, MIXED = TOLERANCE_USUAL},
    {"rms_norm to int8", record_rms_norm, {640, 1, 0, 1}, MIXED = TOLERANCE_USUAL},
    {"token_shift to int8", record_token_shift, {256, 6, 1}, MIXED = TOLERANCE_USUAL},
    {"wkv7 to int8", record_wkv7, {64, 3, 1, 0, 1}, MIXED = TOLERANCE_LOOSER},
    {"matmul to int8", record_matmul, {QUANT_Q8_0, 160, 256, ACT_RELU2, 0, MATMUL_INT8 | MATMUL_TO_INT8}, LENGTHS},
    {"products, mixed", record_products_int8, {QUANT_Q8_0, QUANT_Q8_0, QUANT_F16, PRODUCTS_END, 132, 96}, LENGTHS},
    {"matmul Q8_0, many rows", record_matmul, {QUANT_Q8_0, 1028, 96, ACT_RELU2, COMBINE_ADD, MATMUL_BIAS}, LENGTHS},
    {"gated", record_gated, {QUANT_Q4_0, 160, 256, 1, 1}, LENGTHS},
    {"products", record_products, {QUANT_F32, QUANT_F16, QUANT_F16, QUANT_F16, 68, 64}, LENGTHS},
};

static const struct step_shape prompt[] = {{{{70, 0, 0}, {9, 1, 0}}}};
#define PROMPT .steps = prompt, .n_steps = COUNT(prompt), .tolerance = TOLERANCE_MATMUL_F16

static const struct op_case large_cases[] = {
    {"matmul Q4_K, large", record_matmul, {QUANT_Q4_K, 2048, 2048, ACT_SIGMOID, COMBINE_MUL, MATMUL_INT8}, PROMPT},
    {"matmul Q8_0, large, to int8",
     record_matmul,
     {QUANT_Q8_0, 2080, 2048, ACT_RELU2, 0, MATMUL_INT8 | MATMUL_TO_INT8},
     PROMPT},
    {"matmul F16, large", record_matmul, {QUANT_F16, 2080, 2048, ACT_TANH, COMBINE_ADD, MATMUL_BIAS}, PROMPT},
};

/* every weight type with activations as floats, then those of integers with activations in int8 */
static bool matmul_case(size_t index, struct op_case *out)
{
    size_t i = 0;
    bool int8 = false;
    for (;; i++) {
        if (!quant_at(i) && int8) return false;
        if (!quant_at(i)) int8 = true, i = 0;
        if (!(int8 && quant_is_float(quant_at(i))) && !index--) break;
    }
    const struct quant_info *q = quant_at(i);
    *out = (struct op_case){.record = record_matmul,
                            .n = {q->type, 132, q->items == 256 ? 512 : 320, 0, 0, int8 ? MATMUL_INT8 : 0},
                            LENGTHS};
    snprintf(out->name, sizeof out->name, "matmul %s%s", q->name, int8 ? " int8" : "");
    return true;
}

bool self_test_case(size_t index, bool f16, bool large, struct op_case *out)
{
    const size_t n_large = large ? COUNT(large_cases) : 0;
    if (index < n_large) *out = large_cases[index];
    else if (index - n_large < COUNT(cases)) *out = cases[index - n_large];
    else if (!matmul_case(index - n_large - COUNT(cases), out)) return false;
    if (f16 && out->steps == lengths) out->tolerance = (struct tolerance)TOLERANCE_MATMUL_F16;
    return true;
}
