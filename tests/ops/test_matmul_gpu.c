/* test_matmul_gpu.c - matmul of every weight type, and products: the GPU against the scalar reference. Each case runs
 * steps of 1 to 130 tokens, and so every kernel that matmul_plan.c chooses from: those of GPUs, whatever the device is,
 * for some cases those of GPUs without packed dot products, and on software Vulkan its own. */
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct step_shape lengths[] = {
    {{{1, 0, 0}}},  {{{2, 0, 0}}},  {{{3, 0, 0}}},
    {{{5, 0, 0}}},  {{{8, 0, 0}}},  {{{9, 0, 0}}},
    {{{33, 0, 0}}}, {{{64, 0, 0}}}, {{{1, 0, 0}, {129, 1, 0}}},
};

enum { END = PRODUCTS_END };

enum { FIRST_INT8 = 2 }; /* of products: from there on also with int8 activations, and then without biases */
static const uint32_t products[][6] = {
    {QUANT_F16, QUANT_F16, QUANT_F16, QUANT_F16, 68, 64},
    {QUANT_F32, QUANT_F16, QUANT_BF16, END, 20, 36},
    {QUANT_F16, QUANT_F16, QUANT_F32, END, 132, 96},
    {QUANT_Q8_0, QUANT_Q8_0, QUANT_Q8_0, END, 132, 96},
    {QUANT_Q4_K, QUANT_Q4_K, QUANT_Q6_K, QUANT_F16, 260, 256},
    {QUANT_Q8_0, QUANT_Q8_0, QUANT_F16, END, 132, 96}, /* mixed for few tokens */
    {QUANT_Q4_K, QUANT_Q4_K, QUANT_F32, END, 68, 1280},
    {QUANT_Q6_K, QUANT_Q6_K, QUANT_BF16, END, 36, 256},
    {QUANT_Q4_1, QUANT_Q4_1, QUANT_Q5_1, END, 68, 96},
    {QUANT_Q4_1, QUANT_Q4_1, QUANT_Q4_1, END, 1400, 96},
    {QUANT_Q8_0, END, END, END, 36, 32},
    {QUANT_Q5_0, QUANT_Q8_0, QUANT_Q8_0, QUANT_Q5_0, 4, 320},
};

/* of record_products_thin */
static const uint32_t thin[][6] = {
    {END, 0, 100, 20, 0, 1},
    {END, 0, 36, 260, 0, 1},            /* high ones */
    {QUANT_Q8_0, 132, 128, 12, 0, 0},   /* mixed for few tokens */
    {QUANT_Q4_K, 260, 1280, 20, 17, 0}, /* beyond what f16 can hold */
    {QUANT_F16, 1028, 100, 16, 0, 0},
};

static const char *const acts[] = {"", " sigmoid", " tanh", " relu2", " silu", " gelu"};
static const char *const combines[] = {"", " add", " mul"};

/* what is done to one type: {rows, columns of blocks of 32, of blocks of 256, act, combine, flags} */
static const uint32_t shapes[][6] = {
    {132, 64, 256, ACT_NONE, COMBINE_NONE, 0},
    {96, 320, 768, ACT_SIGMOID, COMBINE_ADD, MATMUL_BIAS},
};

/* the same with int8 activations, for integer weights: {rows, columns of blocks of 32, of blocks of 256, ...} */
static const uint32_t int8_shapes[][6] = {
    {132, 96, 256, ACT_NONE, COMBINE_NONE, MATMUL_INT8},
    {1028, 1024, 1280, ACT_NONE, COMBINE_ADD, MATMUL_INT8 | MATMUL_BIAS},
};

/* the rest on a few types */
static const uint32_t more[][6] = {
    {QUANT_F16, 96, 256, ACT_TANH, COMBINE_NONE, 0},
    {QUANT_F16, 132, 68, ACT_NONE, COMBINE_MUL, MATMUL_BIAS},
    {QUANT_F16, 8196, 36, ACT_NONE, COMBINE_NONE, 0},
    {QUANT_F32, 4, 4, ACT_NONE, COMBINE_NONE, MATMUL_BIAS},
    {QUANT_F32, 132, 20, ACT_GELU, COMBINE_MUL, 0},
    {QUANT_BF16, 68, 100, ACT_RELU2, COMBINE_ADD, 0},
    {QUANT_Q8_0, 1028, 96, ACT_RELU2, COMBINE_NONE, MATMUL_BIAS},
    {QUANT_Q8_0, 260, 1024, ACT_NONE, COMBINE_ADD, 0},
    {QUANT_Q8_0, 4100, 32, ACT_NONE, COMBINE_NONE, 0},
    {QUANT_Q4_K, 68, 1280, ACT_SILU, COMBINE_MUL, 0},
    {QUANT_Q6_K, 260, 256, ACT_NONE, COMBINE_NONE, MATMUL_OF_OUTPUTS},
    {QUANT_Q5_0, 132, 160, ACT_SILU, COMBINE_MUL, MATMUL_BIAS | MATMUL_OF_OUTPUTS},
    {QUANT_Q4_K, 160, 256, ACT_RELU2, COMBINE_NONE, MATMUL_INT8 | MATMUL_TO_INT8},
    {QUANT_Q8_0, 32, 2048, ACT_NONE, COMBINE_ADD, MATMUL_INT8 | MATMUL_BIAS | MATMUL_TO_INT8},
    {QUANT_F16, 1056, 96, ACT_RELU2, COMBINE_NONE, MATMUL_TO_INT8},
    {QUANT_Q4_K, 16388, 256, ACT_NONE, COMBINE_NONE, MATMUL_INT8},
    {QUANT_Q8_0, 4, 32, ACT_SILU, COMBINE_MUL, MATMUL_BIAS | MATMUL_INT8},
    {QUANT_Q6_K, 68, 768, ACT_TANH, COMBINE_ADD, MATMUL_BIAS | MATMUL_INT8},
    {QUANT_Q6_K, 4100, 256, ACT_NONE, COMBINE_ADD, MATMUL_BIAS | MATMUL_INT8},
    {QUANT_Q5_1, 60, 160, ACT_SIGMOID, COMBINE_MUL, MATMUL_BIAS | MATMUL_INT8},
};

static const uint32_t in_parts[][6] = {
    {QUANT_Q8_0, 3004, 1024, ACT_NONE, COMBINE_ADD, MATMUL_BIAS},
    {QUANT_Q8_0, 3008, 1024, ACT_RELU2, COMBINE_NONE, MATMUL_INT8 | MATMUL_TO_INT8},
};

/* as record_gated takes them */
static const uint32_t gated[][6] = {
    {QUANT_F32, 132, 20, 0, 0, 0},           {QUANT_F16, 1028, 96, 0, 0, 0},   {QUANT_Q8_0, 160, 96, 0, 1, 0},
    {QUANT_Q4_K, 96, 512, 1, 1, 0},          {QUANT_Q5_0, 2080, 640, 1, 1, 0}, {QUANT_Q6_K, 132, 256, 1, 0, 0},
    {QUANT_Q8_0, 96, 320, 1, 1, QUANT_Q4_0}, /* no stack */
};

/* what the device is taken for; `own` keeps its kind */
static const struct pretence {
    const char *name, *backend;
    bool hardware;
} gpu = {"GPU", "Vulkan", true}, without_dots = {"Metal", "Metal", true}, own = {"as it is", "Vulkan", false};

static struct gpu_case all[N_VARIANTS * 224];
static size_t n_all;
static const struct pretence *as; /* for the cases that are added */

/* Integers meet integers, and what is left is f32: not on matrix units, nor where packed dot products are none. */
static const struct tolerance exact = {1e-11, 1e-4, 1e-4};

static bool can_be_exact(enum variant v) { return !gpu_describe(case_gpu(v))->matrix_units && as != &without_dots; }

static void add(const uint32_t *n, uint64_t max_binding_bytes, enum variant v)
{
    bool f16 = gpu_describe(case_gpu(v))->shader_f16;
    all[n_all] = (struct gpu_case){.gpu = case_gpu(v), .max_binding_bytes = max_binding_bytes};
    all[n_all].hardware = as->hardware;
    all[n_all].backend = as->backend;
    struct op_case *c = &all[n_all++].c;
    *c = (struct op_case){.record = record_matmul, .steps = lengths, .n_steps = COUNT(lengths)};
    c->tolerance = f16 ? (struct tolerance)TOLERANCE_MATMUL_F16 : (struct tolerance)TOLERANCE_MATMUL;
    if (n[5] & MATMUL_INT8 && !quant_is_float(quant_find(n[0])) && can_be_exact(v)) c->tolerance = exact;
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    snprintf(c->name, sizeof c->name, "matmul %s M=%u K=%u%s%s%s%s%s%s%s, %s %s", quant_find(n[0])->name, n[1], n[2],
             n[5] & MATMUL_BIAS ? " bias" : "", acts[n[3]], combines[n[4]],
             n[5] & MATMUL_OF_OUTPUTS ? " of outputs" : "", n[5] & MATMUL_INT8 ? " int8" : "",
             n[5] & MATMUL_TO_INT8 ? " to int8" : "", max_binding_bytes ? " in parts" : "", as->name,
             case_variant_name(v));
}

static void add_products(const uint32_t *n, uint64_t max_binding_bytes, bool int8, enum variant v)
{
    add((uint32_t[]){QUANT_F32, n[4], n[5], 0, 0, 0}, max_binding_bytes, v);
    struct op_case *c = &all[n_all - 1].c;
    c->record = int8 ? record_products_int8 : record_products;
    size_t at = (size_t)snprintf(c->name, sizeof c->name, "products M=%u K=%u of", n[4], n[5]);
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    bool integers = int8;
    for (int i = 0; i < CASE_PRODUCTS && n[i] != END; i++) integers &= !quant_is_float(quant_find(n[i]));
    if (integers && can_be_exact(v)) c->tolerance = exact;
    for (int i = 0; i < CASE_PRODUCTS && n[i] != END; i++)
        at += (size_t)snprintf(c->name + at, sizeof c->name - at, " %s", quant_find(n[i])->name);
    snprintf(c->name + at, sizeof c->name - at, "%s%s, %s %s", int8 ? " int8" : "",
             max_binding_bytes ? " in parts" : "", as->name, case_variant_name(v));
}

static void add_thin(const uint32_t *n, enum variant v)
{
    add((uint32_t[]){QUANT_F32, n[3], n[2], 0, 0, 0}, 0, v);
    struct op_case *c = &all[n_all - 1].c;
    c->record = record_products_thin;
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    snprintf(c->name, sizeof c->name, "thin products M=%u K=%u 2^%u%s beside %s M=%u, %s %s", n[3], n[2], n[4],
             n[5] ? " bias" : "", n[0] == END ? "none" : quant_find(n[0])->name, n[1], as->name, case_variant_name(v));
}

static void add_gated(const uint32_t *n, uint64_t max_binding_bytes, enum variant v)
{
    add((uint32_t[]){n[0], n[1], n[2], 0, 0, 0}, max_binding_bytes, v);
    struct op_case *c = &all[n_all - 1].c;
    c->record = record_gated;
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    snprintf(c->name, sizeof c->name, "gated %s%s%s F=%u K=%u%s%s%s, %s %s", quant_find(n[0])->name, n[5] ? " " : "",
             n[5] ? quant_find(n[5])->name : "", n[1], n[2], n[3] ? " int8" : "", n[4] ? " to int8" : "",
             max_binding_bytes ? " in parts" : "", as->name, case_variant_name(v));
}

static void add_type(const struct quant_info *q, const uint32_t *s, enum variant v)
{
    add((uint32_t[]){q->type, s[0], q->items == 256 ? s[2] : s[1], s[3], s[4], s[5]}, 0, v);
}

static void add_types(enum variant v)
{
    for (size_t i = 0; quant_at(i); i++) {
        for (size_t s = 0; s < COUNT(shapes); s++) add_type(quant_at(i), shapes[s], v);
        for (size_t s = 0; s < COUNT(int8_shapes) && !quant_is_float(quant_at(i)); s++)
            add_type(quant_at(i), int8_shapes[s], v);
    }
}

static void add_parts(enum variant v)
{
    add_gated((uint32_t[]){QUANT_Q8_0, 1120, 1024, 1, 1, 0}, 1 << 21, v);
    for (size_t i = 0; i < COUNT(in_parts); i++) add(in_parts[i], 1 << 21, v);
    for (int int8 = 0; int8 < 2; int8++)
        add_products((uint32_t[]){QUANT_Q8_0, QUANT_Q8_0, QUANT_Q8_0, END, 1100, 1024}, 1 << 21, int8, v);
}

static void add_some(enum variant v)
{
    for (size_t i = 0; i < COUNT(more); i++) add(more[i], 0, v);
    for (size_t i = 0; i < COUNT(thin); i++) add_thin(thin[i], v);
    for (size_t i = 0; i < COUNT(gated); i++) add_gated(gated[i], 0, v);
    for (int int8 = 0; int8 < 2; int8++)
        for (size_t i = int8 ? FIRST_INT8 : 0; i < COUNT(products); i++) add_products(products[i], 0, int8, v);
}

int main(void)
{
    for (enum variant v = 0; v < N_VARIANTS; v++) {
        as = &gpu;
        add_types(v);
        add_some(v);
        add_parts(v);
        as = &without_dots;
        add_type(quant_find(QUANT_Q8_0), int8_shapes[0], v);
        add_type(quant_find(QUANT_Q4_K), int8_shapes[1], v);
        as = &own;
        if (!strcmp(gpu_describe(case_gpu(v))->kind, "software")) add_some(v);
    }
    static struct CMUnitTest tests[COUNT(all)];
    for (size_t i = 0; i < n_all; i++) tests[i] = (struct CMUnitTest){all[i].c.name, case_run, NULL, NULL, &all[i]};
    int failed = _cmocka_run_group_tests("matmul", tests, n_all, NULL, NULL);
    case_close();
    return failed;
}
