/* test_units_gpu.c - matmat_units, units_wide and units_few also on devices that have no matrix units: the device claims
 * to have some, and what they would do is emulated (units_emulated.wgsl). All but the multiplications is what runs
 * elsewhere. Where the device has some, the same cases follow as they are, and where it takes SPIR-V kernels beside them
 * (units_direct.comp), once more without these.
 *
 * The linker sends calls of gpu_kernel_create and gpu_kernel_create_spirv to those below. */
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

static char *emulation;       /* units_emulated.wgsl */
static struct gpu *pretender; /* whose units are emulated */
static atomic_uint n_few, n_many, n_wide, n_direct;

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    if (!text || !file || !fread(text, 1, (1 << 16) - 1, file)) fprintf(stderr, "%s cannot be read\n", path);
    if (file) fclose(file);
    return text;
}

/* text with every `from` in it replaced; frees text */
static char *replaced(char *text, const char *from, const char *to)
{
    size_t n = 0, at = 0;
    for (const char *c = strstr(text, from); c; c = strstr(c + strlen(from), from)) n++;
    if (!n) fail_msg("a kernel has no \"%s\"", from);
    char *out = malloc(strlen(text) + n * strlen(to) + 1);
    for (const char *c = text; *c;) {
        if (strncmp(c, from, strlen(from)) != 0) {
            out[at++] = *c++;
            continue;
        }
        memcpy(out + at, to, strlen(to));
        at += strlen(to);
        c += strlen(from);
    }
    out[at] = 0;
    free(text);
    return out;
}

/* What is emulated reads its part of a tile only when it is multiplied, so the next columns must not come before: what
 * stands between the barrier and the products goes behind these. */
static void put_late(char *text)
{
    char *from = strstr(text, "        workgroupBarrier();\n        // the next columns");
    char *to = from ? strstr(from, "        // meanwhile\n") : NULL;
    char *end = to ? strstr(to, "        workgroupBarrier();\n    }\n") : NULL;
    if (!end) fail_msg("units_wide is not what it was");
    const size_t n = (size_t)(to - from), rest = (size_t)(end - to);
    char *moved = malloc(n);
    memcpy(moved, from, n);
    memmove(from, to, rest);
    memcpy(from + rest, moved, n);
    free(moved);
}

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    static const char *const edits[][2] = {
        {"enable wgpu_cooperative_matrix;\n", ""},
        {"coop_mat16x16<f32, C>", "Emulated"},
        {"coop_mat16x16<f16, A>", "u32"},
        {"coop_mat16x16<f16, B>", "u32"},
        {"coopLoad<PartW>(&tile_w[", "("},
        {"coopLoadT<PartX>(&tile_x[", "("},
        {"], STRIDE);\n", ");\n"},
        {"coopMultiplyAdd", "emulated_multiply"},
        {"coopStoreT(", "emulated_store("},
        {", &sums[at", ", (at"},
        {"], stride)", "), stride)"},
        {"    var sum00: Sum;", "    emulated_items = select(8u, 9u, batch.n_tokens == 0u);\n    var sum00: Sum;"},
    };
    const bool few = strstr(name, "units_few") != NULL;
    const bool wide = strstr(name, "units_wide") != NULL;
    if (gpu != pretender || !(few || wide || strstr(name, "matmat_units")))
        return __real_gpu_kernel_create(gpu, name, wgsl, bindings, err);
    char *text = malloc(strlen(wgsl) + 1);
    strcpy(text, wgsl);
    for (size_t i = 0; i < COUNT(edits); i++) text = replaced(text, edits[i][0], edits[i][1]);
    if (wide) put_late(text);
    text = replaced(text, "    emulated_items = ",
                    few ? "    emulated_lane = lane.thread % 32u;\n    emulated_items = "
                        : "    emulated_lane = thread % 32u;\n    emulated_items = ");
    char *whole = malloc(strlen(text) + strlen(emulation) + 1);
    strcpy(whole, text);
    strcat(whole, emulation);
    struct gpu_kernel *kernel = __real_gpu_kernel_create(gpu, name, whole, bindings, err);
    free(text);
    free(whole);
    if (few) n_few++;
    else if (wide) n_wide++;
    else n_many++;
    return kernel;
}

struct gpu_kernel *__wrap_gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                                  const char *bindings, struct error *err)
{
    if (strstr(name, "units_direct")) n_direct++;
    return __real_gpu_kernel_create_spirv(gpu, name, spirv, bindings, err);
}

/* around the bounds of tiles */
static const struct step_shape lengths[] = {
    {{{5, 0, 0}}},
    {{{16, 0, 0}}},
    {{{17, 0, 0}}},
    {{{48, 0, 0}}},
    {{{49, 0, 0}}},
    {{{113, 0, 0}}},
    {{{1, 0, 0}, {129, 1, 0}}},
    {{{385, 0, 0}}},
};

/* quant type, rows, columns, act, combine, flags. Few types, as software takes seconds to compile one of these kernels;
 * the codecs are those of other kernels, whose tests go through all. */
static const uint32_t matmuls[][6] = {
    {QUANT_F16, 1028, 68, ACT_RELU2, COMBINE_ADD, MATMUL_BIAS},
    {QUANT_F16, 1024, 4, ACT_TANH, COMBINE_MUL, MATMUL_OF_OUTPUTS},
    {QUANT_Q8_0, 1056, 192, ACT_NONE, COMBINE_NONE, MATMUL_INT8},
    {QUANT_Q8_0, 1152, 64, ACT_RELU2, COMBINE_NONE, MATMUL_INT8 | MATMUL_TO_INT8},
    /* columns shared by several workgroups */
    {QUANT_F16, 132, 388, ACT_RELU2, COMBINE_ADD, MATMUL_BIAS},
    {QUANT_Q8_0, 96, 1024, ACT_SIGMOID, COMBINE_MUL, MATMUL_INT8 | MATMUL_TO_INT8},
    /* x stored as f16 */
    {QUANT_F16, 516, 516, ACT_NONE, COMBINE_NONE, 0},
    {QUANT_Q8_0, 512, 1024, ACT_NONE, COMBINE_ADD, MATMUL_INT8},
    {QUANT_Q4_K, 160, 512, ACT_RELU2, COMBINE_ADD, MATMUL_INT8 | MATMUL_TO_INT8},
    /* units_wide in two of the steps: shared columns, x as it is, and one step of 32 columns */
    {QUANT_Q8_0, 2080, 544, ACT_RELU2, COMBINE_ADD, MATMUL_INT8 | MATMUL_TO_INT8},
    {QUANT_Q4_K, 1956, 256, ACT_NONE, COMBINE_NONE, 0},
    {QUANT_Q8_0, 2016, 32, ACT_SIGMOID, COMBINE_MUL, MATMUL_INT8},
    /* for units_direct: several steps a subgroup */
    {QUANT_Q4_K, 2576, 1536, ACT_TANH, COMBINE_MUL, MATMUL_INT8 | MATMUL_BIAS},
};

/* types, rows of the first, columns */
static const uint32_t products[][6] = {
    {QUANT_F16, QUANT_F16, QUANT_F16, QUANT_F16, 260, 36},
    {QUANT_F16, QUANT_F16, QUANT_F16, QUANT_F16, 396, 516},
};

/* of record_products_thin; those beyond what f16 can hold must not come to matrix units */
static const uint32_t thin[][6] = {
    {PRODUCTS_END, 0, 388, 20, 0, 1},
    {PRODUCTS_END, 0, 36, 260, 0, 1},
    {PRODUCTS_END, 0, 388, 20, 17, 0},
};

/* x beyond what f16 can hold, beside ordinary ones: blocks of columns, and so all tokens have both */
static void record_large(struct op_bench *b, const uint32_t *n)
{
    const struct case_range ranges[] = {{-1, 1}, {-9e5f, 9e5f}, {-1, 1}, {-1e-3f, 1e-3f}};
    val x = case_blocks(b, n[2], ranges, 4);
    op_matmul(&b->graph, case_matrix(b, "w", quant_find(n[0]), n[1], n[2]), x, (struct matmul_args){.act = n[3]});
}

static const struct op_case large = {"matmul of large x",
                                     record_large,
                                     {QUANT_F16, 1024, 128, ACT_NONE},
                                     lengths,
                                     COUNT(lengths),
                                     /* sums are up to 1e7; the cut is beyond 1e6 */
                                     {1e-6, 3e4, 1e-2}};

static struct gpu_case all[96];
static size_t n_all;

static struct op_case *add(struct gpu *gpu, void (*record)(struct op_bench *b, const uint32_t *n), const uint32_t *n)
{
    struct op_case *c = &all[n_all].c;
    all[n_all++].gpu = gpu;
    *c = (struct op_case){.record = record, .steps = lengths, .n_steps = COUNT(lengths)};
    c->tolerance = (struct tolerance)TOLERANCE_MATMUL_F16;
    for (int i = 0; i < CASE_NUMBERS; i++) c->n[i] = n[i];
    return c;
}

/* more than a device has room for: some tiles have a workgroup each, the others share them */
static const struct step_shape short_length[] = {{{{49, 0, 0}}}};
static const uint32_t many_tiles[6] = {QUANT_F16, 34820, 256, ACT_TANH, COMBINE_ADD, 0};
static const struct step_shape wide_length[] = {{{{130, 0, 0}}}};
static const uint32_t many_wide[6] = {QUANT_Q8_0, 17952, 288, ACT_TANH, COMBINE_ADD, MATMUL_INT8};

static void add_cases(struct gpu *gpu, const char *how)
{
    for (size_t i = 0; i < COUNT(matmuls); i++) {
        const uint32_t *n = matmuls[i];
        struct op_case *c = add(gpu, record_matmul, n);
        snprintf(c->name, sizeof c->name, "%s matmul %s M=%u K=%u, %u", how, quant_find(n[0])->name, n[1], n[2], n[5]);
    }
    for (size_t i = 0; i < COUNT(products); i++) {
        struct op_case *c = add(gpu, record_products, products[i]);
        snprintf(c->name, sizeof c->name, "%s products M=%u K=%u", how, products[i][4], products[i][5]);
    }
    for (size_t i = 0; i < COUNT(thin); i++) {
        struct op_case *c = add(gpu, record_products_thin, thin[i]);
        snprintf(c->name, sizeof c->name, "%s thin products M=%u K=%u 2^%u", how, thin[i][3], thin[i][2], thin[i][4]);
    }
    struct op_case *many = add(gpu, record_matmul, many_tiles);
    many->steps = short_length;
    many->n_steps = COUNT(short_length);
    snprintf(many->name, sizeof many->name, "%s matmul of many tiles", how);
    struct op_case *wide = add(gpu, record_matmul, many_wide);
    wide->steps = wide_length;
    wide->n_steps = COUNT(wide_length);
    snprintf(wide->name, sizeof wide->name, "%s matmul of many wide tiles", how);
    all[n_all].gpu = gpu;
    all[n_all].c = large;
    snprintf(all[n_all].c.name, sizeof all[n_all].c.name, "%s matmul of large x", how);
    n_all++;
}

static void was_emulated(void **unused)
{
    (void)unused;
    assert_true(n_few > 0 && n_many > 0 && n_wide > 0);
}

static struct gpu *real, *plain; /* plain: the same device as one that takes no SPIR-V kernels, if it does */

static void was_direct(void **unused)
{
    (void)unused;
    if (!gpu_describe(real)->fragments) skip();
    assert_true(n_direct > 0);
}

int main(void)
{
    const char *root = getenv("CORVID_SOURCE_DIR");
    char path[4096];
    struct error err = {0};
    snprintf(path, sizeof path, "%s/tests/ops/units_emulated.wgsl", root ? root : ".");
    emulation = read_file(path);
    const char *device = getenv("CORVID_DEVICE");
    pretender = gpu_open(&(struct gpu_options){.device = device, .no_subgroups = true, .no_matrix = true}, &err);
    real = pretender ? gpu_open(&(struct gpu_options){.device = device}, &err) : NULL;
    if (!real || !emulation) return fprintf(stderr, "no GPU: %s\n", err.message), 1;
    struct gpu_info *info = (struct gpu_info *)gpu_describe(pretender);
    info->matrix_units = true;
    info->subgroup_size = 32;
    info->max_workgroup_bytes = 48 << 10;
    snprintf(info->matrix_shapes, sizeof info->matrix_shapes, "f16 -> f32 16x16x16");
    if (gpu_describe(real)->matrix_units) add_cases(real, "real");
    plain = gpu_describe(real)->fragments ? gpu_open(&(struct gpu_options){.device = device}, &err) : NULL;
    if (plain) ((struct gpu_info *)gpu_describe(plain))->fragments = false;
    if (plain) add_cases(plain, "plain");
    add_cases(pretender, "emulated");
    struct CMUnitTest tests[COUNT(all) + 2];
    for (size_t i = 0; i < n_all; i++) tests[i] = (struct CMUnitTest){all[i].c.name, case_run, NULL, NULL, &all[i]};
    tests[n_all] = (struct CMUnitTest)cmocka_unit_test(was_emulated);
    tests[n_all + 1] = (struct CMUnitTest)cmocka_unit_test(was_direct);
    int failed = _cmocka_run_group_tests("units", tests, n_all + 2, NULL, NULL);
    gpu_close(plain);
    gpu_close(real);
    gpu_close(pretender);
    free(emulation);
    return failed;
}
