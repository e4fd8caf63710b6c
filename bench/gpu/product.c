/* product.c - see product.h. */
#include "product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "ops/shaders.h"
#include "quant/quant.h"

extern const struct shader product_shaders[]; /* bench/gpu/kernels, written by tools/embed.c */
extern const size_t n_product_shaders;

#ifdef CORVID_SPIRV /* compiled from bench/gpu/kernels */
#include "product_f16_spirv.h"
#include "product_i8_spirv.h"
#define SPIRV(words) .spirv = words, .n_words = sizeof words / sizeof *words
#endif

const struct product products[] = {
    {"i8 WGSL, packed dots", PRODUCT_I8, .wgsl = "product_i8", .tile_rows = 128},
    {"f16 WGSL, matrix units", PRODUCT_F16, .wgsl = "product_f16", .tile_rows = 128, .matrix_units = true, .wanted = 160},
#ifdef CORVID_SPIRV
    {"f16 SPIR-V, matrix units", PRODUCT_F16, SPIRV(product_f16_spirv), .tile_rows = 256, .matrix_units = true, .wanted = 250},
    {"i8 SPIR-V, matrix units", PRODUCT_I8, SPIRV(product_i8_spirv), .tile_rows = 128, .matrix_units = true, .wanted = 400},
#endif
};
const size_t n_products = sizeof products / sizeof *products;

enum { THREADS = 256, TILE_TOKENS = 128, N_BUFFERS = 4 };

const char *product_obstacle(const struct product *p, const struct gpu_info *device)
{
    const char *shape = p->type == PRODUCT_F16 ? "f16 -> f32" : "i8 -> i32";
    if (p->spirv && !device->passthrough) return "the runtime passes no SPIR-V through";
    if (p->matrix_units && !device->matrix_units) return "no matrix units";
    if (p->matrix_units && !strstr(device->matrix_shapes, shape)) return "no matrix units for this type";
    if (p->matrix_units && device->subgroup_size != 32) return "made for subgroups of 32";
    if (p->wgsl && p->matrix_units && !device->shader_f16) return "no f16 in shaders";
    return NULL;
}

/* one product on the device, and its data here */
struct job {
    const struct product *p;
    struct gpu *gpu;
    uint32_t size;
    void *in[2];                           /* w, x: [size, size] */
    struct gpu_buffer *buffers[N_BUFFERS]; /* params, w, x, y */
    struct gpu_kernel *kernel;
    struct gpu_bindings *bindings;
};

static size_t item_bytes(const struct job *j) { return j->p->type == PRODUCT_F16 ? sizeof(uint16_t) : sizeof(int8_t); }

static double item(const struct job *j, int which, size_t at)
{
    if (j->p->type == PRODUCT_I8) return ((const int8_t *)j->in[which])[at];
    return (double)f16_to_f32(((const uint16_t *)j->in[which])[at]);
}

/* f16: multiples of 1/128 between -1 and 1 */
static bool make_inputs(struct job *j, struct error *err)
{
    struct rng rng;
    uint16_t halves[256];
    size_t n = (size_t)j->size * j->size;
    for (int i = 0; i < 256; i++) halves[i] = f32_to_f16((float)(i - 128) / 128);
    rng_seed(&rng, j->size);
    for (int which = 0; which < 2; which++) {
        j->in[which] = malloc(n * item_bytes(j));
        if (!j->in[which]) return fail_memory(err, "a matrix product's inputs");
        for (size_t i = 0; i < n; i++) {
            uint8_t byte = (uint8_t)(rng_next(&rng) >> 56);
            if (j->p->type == PRODUCT_F16) ((uint16_t *)j->in[which])[i] = halves[byte];
            else ((uint8_t *)j->in[which])[i] = byte;
        }
    }
    return true;
}

static bool make_buffers(struct job *j, struct error *err)
{
    const uint64_t square = (uint64_t)j->size * j->size, in_bytes = square * item_bytes(j);
    const uint64_t bytes[N_BUFFERS] = {16, in_bytes, in_bytes, square * sizeof(float)};
    const uint32_t params[4] = {j->size, j->size, j->size};
    struct gpu_range ranges[N_BUFFERS];
    for (int i = 0; i < N_BUFFERS; i++) {
        j->buffers[i] = gpu_buffer_create(j->gpu, "a matrix product", bytes[i], err);
        if (!j->buffers[i]) return false;
        ranges[i] = (struct gpu_range){j->buffers[i], 0, bytes[i]};
    }
    gpu_write(j->gpu, j->buffers[0], 0, params, sizeof params);
    for (int which = 0; which < 2; which++) gpu_write(j->gpu, j->buffers[1 + which], 0, j->in[which], in_bytes);
    j->bindings = gpu_bindings_create(j->gpu, j->kernel, ranges, N_BUFFERS, err);
    return j->bindings;
}

static const char *shader_text(const char *name)
{
    for (size_t i = 0; i < n_product_shaders; i++)
        if (!strcmp(product_shaders[i].name, name)) return product_shaders[i].text;
    return NULL;
}

static bool prepare(struct job *j, struct error *err)
{
    const struct product *p = j->p;
    const struct gpu_spirv spirv = {p->spirv, p->n_words, THREADS};
    j->kernel = p->wgsl ? gpu_kernel_create(j->gpu, p->name, shader_text(p->wgsl), "urrw", err)
                        : gpu_kernel_create_spirv(j->gpu, p->name, &spirv, "urrw", err);
    return j->kernel && make_inputs(j, err) && make_buffers(j, err);
}

static void dispatch(struct job *j, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        gpu_dispatch(j->gpu, j->kernel, j->bindings, (uint32_t[]){j->size / j->p->tile_rows, j->size / TILE_TOKENS, 1});
}

/* |got - sum| as a share of sqrt(sum of squares), which grows as rounding errors do; of integers, as it is */
static double error_of(const struct job *j, size_t token, size_t row, const void *y)
{
    double sum = 0, squares = 0;
    for (size_t k = 0; k < j->size; k++) {
        double v = item(j, 0, row * j->size + k) * item(j, 1, token * j->size + k);
        sum += v;
        squares += v * v;
    }
    size_t at = token * j->size + row;
    if (j->p->type == PRODUCT_I8) return fabs(((const int32_t *)y)[at] - sum);
    return fabs((double)((const float *)y)[at] - sum) / sqrt(squares);
}

static bool compare(struct job *j, uint32_t samples, struct product_result *result, struct error *err)
{
    struct rng rng;
    unsigned ticket;
    const void *y;
    const struct gpu_range out = {j->buffers[3], 0, (uint64_t)j->size * j->size * sizeof(float)};
    gpu_begin(j->gpu, j->p->name);
    dispatch(j, 1);
    bool reading = gpu_read(j->gpu, out, &ticket, err);
    bool ok = gpu_submit(j->gpu, reading ? err : NULL) && reading && gpu_wait(j->gpu, ticket, &y, err);
    rng_seed(&rng, 1);
    for (uint32_t i = 0; ok && i < samples; i++) {
        double e = error_of(j, (size_t)rng_below(&rng, j->size), (size_t)rng_below(&rng, j->size), y);
        if (!(e <= result->error)) result->error = e; /* NaN too */
    }
    if (reading) gpu_release(j->gpu, ticket);
    /* matrix units may cut an f32 sum after each 16 columns, by 2^-23 of it */
    result->ok = result->error <= (j->p->type == PRODUCT_I8 ? 0 : j->size / 16 * 0x1p-22);
    return ok;
}

static bool measure(struct job *j, unsigned runs, struct product_result *result, struct error *err)
{
    uint64_t best = UINT64_MAX;
    for (int series = 0; series < 10; series++) {
        if (!gpu_finish(j->gpu, err)) return false;
        uint64_t start = clock_ns();
        gpu_begin(j->gpu, j->p->name);
        dispatch(j, runs);
        if (!gpu_submit(j->gpu, err) || !gpu_finish(j->gpu, err)) return false;
        uint64_t took = clock_ns() - start;
        if (took < best) best = took;
    }
    result->tera = 2 * pow(j->size, 3) * runs / (double)best * 1e-3;
    return true;
}

bool product_run(const struct product *p, struct gpu *gpu, uint32_t size, uint32_t samples, unsigned runs,
                 struct product_result *result, struct error *err)
{
    struct job j = {.p = p, .gpu = gpu, .size = size};
    *result = (struct product_result){0};
    bool ok = prepare(&j, err) && compare(&j, samples, result, err) && (!runs || measure(&j, runs, result, err));
    gpu_bindings_destroy(j.bindings);
    gpu_kernel_destroy(j.kernel);
    for (int i = 0; i < N_BUFFERS; i++) gpu_buffer_destroy(j.buffers[i]);
    for (int which = 0; which < 2; which++) free(j.in[which]);
    return ok;
}
