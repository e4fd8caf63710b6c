/* test_fragments_gpu.c - units_many.comp and units_direct.comp on devices whose matrix units they are written for, and on
 * those that have none but take SPIR-V: such a device claims to have some, and they are emulated
 * (fragments_emulated.glsl).
 *
 * The linker sends calls of gpu_kernel_create and gpu_kernel_create_spirv to those below. */
#include "ops/spirv.h"
#include "support/kernel_hooks.h"
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#ifdef CORVID_SPIRV /* compiled with EMULATED */
#include "emulated_direct_f16_spirv.h"
#include "emulated_direct_mixed_spirv.h"
#include "emulated_direct_q4_k_spirv.h"
#include "emulated_direct_q8_0_spirv.h"
#include "emulated_many_f16_spirv.h"
#include "emulated_many_q4_k_spirv.h"
#include "emulated_many_q8_0_spirv.h"
#define EMULATED(kernel, codec)                                                                                        \
    {"matmul/units_" #kernel " " #codec, emulated_##kernel##_##codec##_spirv,                                          \
     COUNT(emulated_##kernel##_##codec##_spirv)}
static const struct spirv_module emulated[] = {
    EMULATED(many, f16),    EMULATED(many, q4_k),   EMULATED(many, q8_0),    EMULATED(direct, f16),
    EMULATED(direct, q4_k), EMULATED(direct, q8_0), EMULATED(direct, mixed),
};
#else
static const struct spirv_module emulated[1];
#endif

static struct gpu *pretender;        /* whose units are emulated */
static atomic_uint n_many, n_direct; /* of those kernels */

/* other kernels for matrix units are for other numbers of tokens than there are here */
static const char nothing[] = "@compute @workgroup_size(1) fn main() {}";

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    const bool has_matrices = strstr(wgsl, "enable wgpu_cooperative_matrix;") != NULL;
    return __real_gpu_kernel_create(gpu, name, gpu == pretender && has_matrices ? nothing : wgsl, bindings, err);
}

/* gives the specialisation constants of a module the values that those of the same name have in another */
static void copy_constants(const uint32_t *from, size_t n_from, uint32_t *to, size_t n_to)
{
    enum { HEADER_WORDS = 5, OP_NAME = 5, OP_SPEC_CONSTANT = 50 };
    for (size_t at = HEADER_WORDS; at < n_from && from[at] >> 16; at += from[at] >> 16) {
        if ((from[at] & 0xffff) != OP_NAME) continue;
        for (size_t i = HEADER_WORDS; i < n_from && from[i] >> 16; i += from[i] >> 16)
            if ((from[i] & 0xffff) == OP_SPEC_CONSTANT && from[i + 2] == from[at + 1])
                spirv_set(to, n_to, (const char *)&from[at + 2], from[i + 3]);
    }
}

static struct gpu_kernel *create_emulated(const char *name, const struct gpu_spirv *spirv, const char *bindings,
                                          struct error *err)
{
    for (size_t i = 0; i < COUNT(emulated); i++) {
        const struct spirv_module *m = &emulated[i];
        if (!m->name || strncmp(name, m->name, strlen(m->name)) != 0) continue;
        uint32_t *words = malloc(m->n_words * sizeof *words);
        memcpy(words, m->words, m->n_words * sizeof *words);
        copy_constants(spirv->words, spirv->n_words, words, m->n_words);
        const struct gpu_spirv other = {words, m->n_words, spirv->threads};
        struct gpu_kernel *kernel = __real_gpu_kernel_create_spirv(pretender, name, &other, bindings, err);
        free(words);
        return kernel;
    }
    return __real_gpu_kernel_create(pretender, name, nothing, bindings, err);
}

struct gpu_kernel *__wrap_gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                                  const char *bindings, struct error *err)
{
    n_many += strstr(name, "units_many") != NULL;
    n_direct += strstr(name, "units_direct") != NULL;
    return gpu == pretender ? create_emulated(name, spirv, bindings, err)
                            : __real_gpu_kernel_create_spirv(gpu, name, spirv, bindings, err);
}

/* one and two tiles of tokens */
static const struct step_shape lengths[] = {{{{49, 0, 0}}}, {{{1, 0, 0}, {129, 1, 0}}}};

/* record_matmul: quant type, rows, columns, act, combine, flags. Of 2^22 weights, the fewest that the kernel is for. */
static const uint32_t matmuls[][6] = {
    /* a tile that reaches back into the one before it; one turn, and turns that several workgroups share */
    {QUANT_Q8_0, 8224, 512, ACT_RELU2, COMBINE_ADD, MATMUL_INT8 | MATMUL_BIAS | MATMUL_TO_INT8},
    {QUANT_Q4_K, 1120, 3840, ACT_SIGMOID, COMBINE_MUL, MATMUL_INT8 | MATMUL_TO_INT8},
    {QUANT_Q8_0, 32768, 128, ACT_NONE, COMBINE_NONE, MATMUL_INT8},
    {QUANT_Q4_K, 4096, 1024, ACT_GELU, COMBINE_ADD, MATMUL_INT8 | MATMUL_OF_OUTPUTS},
    /* x as f16 */
    {QUANT_F16, 5472, 768, ACT_TANH, COMBINE_NONE, MATMUL_BIAS},
    {QUANT_F16, 1024, 4096, ACT_RELU2, COMBINE_ADD, 0},
    {QUANT_Q8_0, 2048, 2048, ACT_SILU, COMBINE_NONE, 0},
    {QUANT_Q4_K, 2080, 2048, ACT_NONE, COMBINE_MUL, 0},
};

/* type, rows of the first of four segments, each 32 more than the one before it, columns, same activation */
static const uint32_t segments[][6] = {
    {QUANT_Q4_K, 2048, 512, false},
    {QUANT_Q8_0, 480, 2176, true},
};

static void record_segments(struct op_bench *b, const uint32_t *n)
{
    static const enum act acts[] = {ACT_TANH, ACT_NONE, ACT_SIGMOID, ACT_RELU2};
    struct product p[COUNT(acts)];
    for (uint32_t i = 0; i < COUNT(acts); i++) {
        char name[] = {'w', (char)('0' + i), 0};
        p[i] = (struct product){.w = case_matrix(b, name, quant_find(n[0]), n[1] + 32 * i, n[2]),
                                .x_at = 32 * i,
                                .act = n[3] ? ACT_SILU : acts[i]};
    }
    op_products(&b->graph, case_input_q8(b, n[2] + 32 * COUNT(acts), -1, 1), p, COUNT(acts));
}

/* more than a device has room for: most have a workgroup each, the others share them */
static const uint32_t many_tiles[6] = {QUANT_Q8_0, 34048, 256, ACT_TANH, COMBINE_ADD, MATMUL_INT8};

/* of units_direct: one tile of tokens, more than one, and three at once */
static const struct step_shape few[] = {{{{5, 0, 0}}}, {{{16, 0, 0}, {1, 1, 0}}}, {{{48, 0, 0}}}};

static const struct few_case {
    const char *name;
    void (*record)(struct op_bench *b, const uint32_t *n);
    uint32_t n[CASE_NUMBERS];
} few_cases[] = {
    {"matmul Q8_0",
     record_matmul,
     {QUANT_Q8_0, 96, 192, ACT_RELU2, COMBINE_ADD, MATMUL_INT8 | MATMUL_BIAS | MATMUL_TO_INT8}},
    {"matmul Q4_K", record_matmul, {QUANT_Q4_K, 704, 1536, ACT_SIGMOID, COMBINE_MUL, MATMUL_INT8}},
    {"matmul F16", record_matmul, {QUANT_F16, 100, 68, ACT_TANH, COMBINE_NONE, MATMUL_BIAS}},
    {"gated Q4_K", record_gated, {QUANT_Q4_K, 96, 512, 1, 1}},
    {"products F16", record_products, {QUANT_F16, QUANT_F16, QUANT_F16, QUANT_F16, 60, 36}},
    {"thin products", record_products_thin, {PRODUCTS_END, 0, 388, 20, 0, 1}},
};

static struct gpu_case all[64];
static size_t n_all;

static struct op_case *add_unnamed(struct gpu *gpu, void (*record)(struct op_bench *b, const uint32_t *n),
                                   const uint32_t *n)
{
    struct op_case *c = &all[n_all].c;
    all[n_all++].gpu = gpu;
    *c = (struct op_case){.record = record, .steps = lengths, .n_steps = COUNT(lengths)};
    c->tolerance = (struct tolerance)TOLERANCE_MATMUL_F16;
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    return c;
}

static struct op_case *add(struct gpu *gpu, void (*record)(struct op_bench *b, const uint32_t *n), const uint32_t *n,
                           const char *what)
{
    struct op_case *c = add_unnamed(gpu, record, n);
    snprintf(c->name, sizeof c->name, "%s %s M=%u K=%u, %u", what, quant_find(n[0])->name, n[1], n[2], n[5]);
    return c;
}

static void add_cases(struct gpu *gpu)
{
    for (size_t i = 0; i < COUNT(matmuls); i++) add(gpu, record_matmul, matmuls[i], "matmul");
    for (size_t i = 0; i < COUNT(segments); i++) add(gpu, record_segments, segments[i], "segments");
    for (size_t i = 2; i < n_all; i++) { /* both lengths for two of them, as the reference takes its time */
        all[i].c.steps = &lengths[1];
        all[i].c.n_steps = 1;
    }
    add(gpu, record_matmul, many_tiles, "matmul of many tiles")->n_steps = 1;
}

static void add_few(struct gpu *gpu, const char *how)
{
    for (size_t i = 0; i < COUNT(few_cases); i++) {
        struct op_case *c = add_unnamed(gpu, few_cases[i].record, few_cases[i].n);
        c->steps = few;
        c->n_steps = COUNT(few);
        snprintf(c->name, sizeof c->name, "%s %s, few tokens", how, few_cases[i].name);
    }
}

/* what software can do in seconds: steps of one tile, which must be for this kernel */
static void add_emulated(struct gpu *gpu)
{
    static const uint32_t chosen[] = {0, 1, 4};
    for (size_t i = 0; i < COUNT(chosen); i++)
        add(gpu, record_matmul, matmuls[chosen[i]], "emulated matmul")->n_steps = 1;
    add(gpu, record_segments, segments[0], "emulated segments")->n_steps = 1;
    add(gpu, record_matmul, many_tiles, "emulated matmul of many tiles")->n_steps = 1;
}

static void was_there(void **unused)
{
    (void)unused;
    if (!n_all) skip();
    assert_true(n_many >= n_all - COUNT(few_cases));
    assert_true(n_direct >= COUNT(few_cases));
}

int main(void)
{
    struct error err = {0};
    const char *device = getenv("CORVID_DEVICE");
    struct gpu *real = gpu_open(&(struct gpu_options){.device = device}, &err);
    pretender =
        real ? gpu_open(&(struct gpu_options){.device = device, .no_subgroups = true, .no_matrix = true}, &err) : NULL;
    if (!pretender) return fprintf(stderr, "no GPU: %s\n", err.message), 1;
    struct gpu_info *info = (struct gpu_info *)gpu_describe(pretender);
    const bool possible = spirv_find("matmul/units_many f16") && info->passthrough && info->shader_f16;
    info->matrix_units = info->fragments = true;
    info->subgroup_size = 32;
    info->max_workgroup_bytes = 48 << 10;
    snprintf(info->matrix_shapes, sizeof info->matrix_shapes, "f16 -> f32 16x16x16");
    if (possible && gpu_describe(real)->fragments) {
        add_cases(real);
        add_few(real, "real");
    } else if (possible) {
        add_emulated(pretender);
        add_few(pretender, "emulated");
    }
    struct CMUnitTest tests[COUNT(all) + 1];
    for (size_t i = 0; i < n_all; i++) tests[i] = (struct CMUnitTest){all[i].c.name, case_run, NULL, NULL, &all[i]};
    tests[n_all] = (struct CMUnitTest)cmocka_unit_test(was_there);
    int failed = _cmocka_run_group_tests("fragments", tests, n_all + 1, NULL, NULL);
    gpu_close(real);
    gpu_close(pretender);
    return failed;
}
