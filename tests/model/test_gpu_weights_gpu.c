/* test_gpu_weights_gpu.c - every weight arrives on the device as it is to be: more than one round of uploads, matrices in
 * several parts, stacks of unlike types, vectors. Read back and compared with the repacked file form. */
#include "model/gpu_weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* in all more than two rounds of 32 MiB; "parts" is made larger than a binding where bindings are small */
static struct tensor {
    const char *name;
    enum quant_type type;
    uint32_t rows, cols;
    uint8_t *data;
    struct tensor_info info;
} tensors[] = {
    {.name = "a.weight", .type = QUANT_Q4_K, .rows = 37, .cols = 512},
    {.name = "long.weight", .type = QUANT_Q8_0, .rows = 12345, .cols = 4096},
    {.name = "scale.weight", .type = QUANT_F32, .rows = 1, .cols = 512},
    {.name = "parts.weight", .type = QUANT_F16, .rows = 17409, .cols = 4096},
    {.name = "left.weight", .type = QUANT_F16, .rows = 13, .cols = 64},
    {.name = "right.weight", .type = QUANT_BF16, .rows = 23, .cols = 96},
};

static bool find(void *user, const char *name, struct tensor_info *out)
{
    (void)user;
    for (size_t i = 0; i < COUNT(tensors); i++) {
        if (strcmp(tensors[i].name, name) != 0) continue;
        *out = tensors[i].info;
        return true;
    }
    return false;
}

static void make_tensors(void)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(tensors); i++) {
        struct tensor *t = &tensors[i];
        const struct quant_info *q = quant_find(t->type);
        uint64_t row = 0;
        assert_true(quant_row_bytes(q, t->cols, &row));
        size_t bytes = (size_t)row * t->rows;
        t->data = malloc(bytes);
        assert_non_null(t->data);
        for (size_t k = 0; k < bytes; k++) {
            seed = seed * 1664525u + 1013904223u;
            t->data[k] = (uint8_t)(seed >> 24) & 0x3f; /* so that floats are numbers */
        }
        t->info = (struct tensor_info){.name = t->name,
                                       .type = t->type,
                                       .n_dims = 2,
                                       .dims = {t->cols, t->rows, 1, 1},
                                       .n_items = (uint64_t)t->rows * t->cols,
                                       .size = bytes,
                                       .data = t->data};
    }
}

/* the device's bytes of a range equal `expected`; copied out in pieces */
static void expect_range(struct gpu *gpu, struct gpu_range range, const uint8_t *expected, const char *name)
{
    const uint64_t most = 8 << 20;
    for (uint64_t at = 0; at < range.bytes; at += most) {
        struct gpu_range piece = {range.buffer, range.at + at, range.bytes - at < most ? range.bytes - at : most};
        unsigned ticket;
        const void *data;
        gpu_begin(gpu, "test");
        assert_true(gpu_read(gpu, piece, &ticket, NULL) && gpu_submit(gpu, NULL) && gpu_wait(gpu, ticket, &data, NULL));
        if (memcmp(data, expected + at, (size_t)piece.bytes) != 0)
            fail_msg("%s differs behind byte %llu", name, (unsigned long long)at);
        gpu_release(gpu, ticket);
    }
}

static void expect_matrix(struct gpu *gpu, const struct graph *g, uint32_t id, const struct gpu_weight *item)
{
    const struct graph_weight *w = &g->weights[id];
    uint64_t quant_row = 4 * quant_row_quant_words(w->q, w->cols), scale_row = 4 * quant_row_scale_words(w->q, w->cols);
    uint64_t file_row = 0;
    quant_row_bytes(w->q, w->cols, &file_row);
    uint8_t *quants = malloc((size_t)(w->rows * quant_row)), *scales = malloc((size_t)(w->rows * scale_row + 4));
    assert_true(quants && scales);
    quant_repack(w->q, w->data, w->rows, w->cols, (uint32_t *)(void *)quants, (uint32_t *)(void *)scales);
    for (uint32_t part = 0, row = 0; part < item->n_parts; part++) {
        assert_int_equal(item->quants[part].bytes % quant_row, 0);
        expect_range(gpu, item->quants[part], quants + row * quant_row, w->name);
        if (scale_row) expect_range(gpu, item->scales[part], scales + row * scale_row, w->name);
        row += item->rows_per_part;
        assert_true(part + 1 == item->n_parts ? row >= w->rows : row < w->rows);
    }
    free(quants);
    free(scales);
}

/* the parts of a mixed stack lie as they are, one after the other; left is F16, right BF16 */
static void expect_stack(struct gpu *gpu, const struct graph *g, uint32_t id, const struct gpu_weight *items)
{
    const struct graph_weight *w = &g->weights[id];
    uint64_t at = items[id].quants[0].at;
    assert_true(w->mixed);
    assert_int_equal(items[id].n_parts, 1);
    for (uint32_t i = 0; i < w->n_parts; i++) {
        const struct gpu_weight *part = &items[w->parts[i].w.id];
        assert_true(part->quants[0].buffer == items[id].quants[0].buffer && part->quants[0].at == at);
        expect_matrix(gpu, g, w->parts[i].w.id, part);
        at += part->quants[0].bytes;
    }
    assert_int_equal(at - items[id].quants[0].at, items[id].quants[0].bytes);
    const uint8_t *right = tensors[COUNT(tensors) - 1].data;
    uint32_t largest = 0;
    for (size_t i = 0; i < tensors[COUNT(tensors) - 1].info.size; i += 2) {
        const uint32_t bits = (uint32_t)(right[i] | right[i + 1] << 8) << 16 & 0x7fffffffu;
        if (bits > largest) largest = bits;
    }
    assert_int_equal(items[w->parts[0].w.id].largest, 0);
    assert_int_equal(items[w->parts[1].w.id].largest, largest);
}

static uint64_t reported;

static bool progress(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    assert_true(done > reported && done <= total);
    reported = done;
    return true;
}

static void all_weights_arrive(void **unused)
{
    (void)unused;
    struct error err = {0};
    struct gpu *gpu = gpu_open(&(struct gpu_options){.device = getenv("CORVID_DEVICE")}, &err);
    if (!gpu) fail_msg("%s", err.message);
    make_tensors();
    struct graph g;
    graph_init(&g, find, NULL);
    weight a = matrix(&g, "a", 37, 512), scale = vector(&g, "scale", 1, 512), parts = matrix(&g, "parts", 17409, 4096),
           longest = matrix(&g, "long", 12345, 4096);
    const struct product products[] = {{.w = matrix(&g, "left", 13, 64)}, {.w = matrix(&g, "right", 23, 96)}};
    op_products(&g, op_input(&g, 96), products, 2);
    if (!graph_ok(&g, &err)) fail_msg("%s", err.message);
    struct arena arena = {0};
    struct gpu_weights weights = {0};
    if (!gpu_weights_plan(&weights, gpu, &g, &arena, &err)) fail_msg("%s", err.message);
    uint64_t planned = gpu_pool_bytes(weights.pool);
    if (!gpu_weights_load(&weights, gpu, &g, progress, NULL, &err)) fail_msg("%s", err.message);
    assert_int_equal(gpu_pool_bytes(weights.pool), planned);
    expect_matrix(gpu, &g, a.id, &weights.items[a.id]);
    expect_matrix(gpu, &g, parts.id, &weights.items[parts.id]);
    expect_matrix(gpu, &g, longest.id, &weights.items[longest.id]);
    assert_true(weights.items[parts.id].n_parts > 1 || gpu_describe(gpu)->max_binding_bytes > 128 << 20);
    expect_range(gpu, weights.items[scale.id].quants[0], tensors[2].data, "scale");
    uint32_t stacks = 0;
    for (uint32_t id = 1; id < g.n_weights; id++) {
        if (!g.weights[id].n_parts) continue;
        stacks++;
        expect_stack(gpu, &g, id, weights.items);
    }
    assert_int_equal(stacks, 1);
    gpu_weights_free(&weights);
    arena_free(&arena);
    graph_free(&g);
    gpu_close(gpu);
    for (size_t i = 0; i < COUNT(tensors); i++) free(tensors[i].data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_weights_arrive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
