/* gpu_weights.c - repacks in blocks of rows that fit the staging memory and writes them to the device. */
#include "model/gpu_weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { STAGING_BYTES = 16 << 20, PART_ALIGN = 32 }; /* a part begins with a whole int8 block of the output */
static const uint64_t pool_buffer_bytes = 256u << 20;

struct load {
    struct gpu *gpu;
    const struct graph *g;
    uint32_t *quants, *scales; /* staging */
    uint8_t *rows;             /* of a stack, made alike */
    uint64_t done, total;
    exec_progress *progress;
    void *user;
};

static uint64_t file_bytes(const struct graph_weight *w)
{
    uint64_t row = 0;
    quant_row_bytes(w->q, w->cols, &row);
    return w->vector ? (uint64_t)w->rows * w->cols * sizeof(float) : row * w->rows;
}

static bool advance(struct load *l, uint64_t bytes, struct error *err)
{
    l->done += bytes;
    if (!l->progress || l->progress(l->user, l->done, l->total)) return true;
    return fail(err, ERR_IO, "loading was cancelled");
}

static bool load_vector(struct load *l, struct gpu_weights *out, const struct graph_weight *w, struct gpu_weight *item,
                        struct error *err)
{
    size_t n = (size_t)w->rows * w->cols;
    float *floats = malloc(n * sizeof *floats);
    if (!floats) return fail_memory(err, w->name);
    vector_read(l->g, w, floats);
    item->n_parts = 1;
    item->rows_per_part = w->rows;
    bool ok = gpu_pool_alloc(out->pool, n * sizeof *floats, &item->quants[0], err);
    if (ok) gpu_write(l->gpu, item->quants[0].buffer, item->quants[0].at, floats, n * sizeof *floats);
    free(floats);
    return ok && advance(l, n * sizeof *floats, err);
}

/* the matrix that holds row `row` of a stack, and where in it; a matrix that is no stack holds its own */
static const struct graph_weight *row_source(const struct graph *g, const struct graph_weight *w, uint32_t row,
                                             uint32_t *at)
{
    for (uint32_t i = 0; i < w->n_parts; i++) {
        if (row < w->parts[i].rows) {
            *at = row;
            return &g->weights[w->parts[i].w.id];
        }
        row -= w->parts[i].rows;
    }
    *at = row;
    return w;
}

/* rows of `from` as rows of a wider or plainer type of floats, in l->rows */
static void widen(struct load *l, const struct graph_weight *w, const struct graph_weight *from, uint32_t at,
                  uint32_t rows)
{
    uint64_t to_row = 0, from_row = 0;
    quant_row_bytes(w->q, w->cols, &to_row);
    quant_row_bytes(from->q, from->cols, &from_row);
    memset(l->rows, 0, (size_t)(rows * to_row));
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *source = from->data + (at + r) * from_row;
        if (from->q == w->q) memcpy(l->rows + r * to_row, source, (size_t)from_row);
        else from->q->decode(source, (float *)(void *)(l->rows + r * to_row), from->cols);
    }
}

/* rows [row, row + *rows) of the matrix, which lie from row `at` on in the part; fewer if a matrix of a stack ends */
static void load_rows(struct load *l, const struct graph_weight *w, const struct gpu_weight *item, uint32_t part,
                      uint32_t row, uint32_t at, uint32_t *rows)
{
    uint64_t file_row = 0, quant_row = 4 * quant_row_quant_words(w->q, w->cols);
    uint64_t scale_row = 4 * quant_row_scale_words(w->q, w->cols);
    uint32_t from_at;
    const struct graph_weight *from = row_source(l->g, w, row, &from_at);
    if (*rows > from->rows - from_at) *rows = from->rows - from_at;
    quant_row_bytes(w->q, w->cols, &file_row);
    const uint8_t *data = from->data + from_at * file_row;
    if (from->q != w->q || from->cols != w->cols) {
        widen(l, w, from, from_at, *rows);
        data = l->rows;
    }
    quant_repack(w->q, data, *rows, w->cols, l->quants, l->scales);
    struct gpu_range q = item->quants[part], s = item->scales[part];
    gpu_write(l->gpu, q.buffer, q.at + at * quant_row, l->quants, *rows * quant_row);
    if (scale_row) gpu_write(l->gpu, s.buffer, s.at + at * scale_row, l->scales, *rows * scale_row);
}

static bool load_matrix(struct load *l, struct gpu_weights *out, const struct graph_weight *w, struct gpu_weight *item,
                        struct error *err)
{
    uint64_t quant_row = 4 * quant_row_quant_words(w->q, w->cols), scale_row = 4 * quant_row_scale_words(w->q, w->cols);
    uint64_t limit = gpu_describe(l->gpu)->max_binding_bytes, file_row = 0;
    quant_row_bytes(w->q, w->cols, &file_row);
    uint64_t per_part = limit / (quant_row > scale_row ? quant_row : scale_row) / PART_ALIGN * PART_ALIGN;
    if (!per_part || ceil_div(w->rows, per_part) > WEIGHT_MAX_PARTS || quant_row > STAGING_BYTES)
        return fail(err, ERR_LIMIT, "tensor %s (%u x %u) is too large for this device", w->name, w->rows, w->cols);
    item->n_parts = (uint32_t)ceil_div(w->rows, per_part);
    item->rows_per_part = (uint32_t)round_up(ceil_div(w->rows, item->n_parts), PART_ALIGN);
    uint32_t staging_rows = (uint32_t)(STAGING_BYTES / (quant_row > scale_row ? quant_row : scale_row));
    for (uint32_t part = 0, row = 0; part < item->n_parts; part++) {
        uint32_t rows = w->rows - row < item->rows_per_part ? w->rows - row : item->rows_per_part;
        if (!gpu_pool_alloc(out->pool, rows * quant_row, &item->quants[part], err)) return false;
        if (scale_row && !gpu_pool_alloc(out->pool, rows * scale_row, &item->scales[part], err)) return false;
        for (uint32_t at = 0; at < rows;) {
            uint32_t n = rows - at < staging_rows ? rows - at : staging_rows;
            load_rows(l, w, item, part, row, at, &n);
            row += n;
            at += n;
            if (!advance(l, n * file_row, err) || !gpu_check(l->gpu, err)) return false;
        }
    }
    return true;
}

/* a submission now and then lets the driver free what it staged for writes */
static bool flush(struct gpu *gpu, struct error *err)
{
    gpu_begin(gpu, "load");
    return gpu_submit(gpu, err) && gpu_finish(gpu, err);
}

bool gpu_weights_load(struct gpu_weights *out, struct gpu *gpu, const struct graph *g, struct arena *arena,
                      exec_progress *progress, void *user, struct error *err)
{
    struct load l = {.gpu = gpu,
                     .g = g,
                     .quants = malloc(STAGING_BYTES),
                     .scales = malloc(STAGING_BYTES),
                     .rows = malloc(STAGING_BYTES),
                     .progress = progress,
                     .user = user};
    for (uint32_t i = 1; i < g->n_weights; i++)
        if (!g->weights[i].stacked) l.total += file_bytes(&g->weights[i]);
    uint64_t pool_bytes = l.total + l.total / 16 + (1 << 20);
    out->pool = gpu_pool_create(gpu, "weights", pool_bytes < pool_buffer_bytes ? pool_bytes : pool_buffer_bytes);
    out->items = arena_alloc(arena, g->n_weights, sizeof *out->items);
    bool ok = l.quants && l.scales && l.rows && out->pool && out->items;
    if (!ok) fail_memory(err, "loading weights");
    uint64_t flushed = 0;
    for (uint32_t i = 1; ok && i < g->n_weights; i++) {
        const struct graph_weight *w = &g->weights[i];
        if (w->stacked) continue;
        ok = w->vector ? load_vector(&l, out, w, &out->items[i], err) : load_matrix(&l, out, w, &out->items[i], err);
        if (!ok) fail_in(err, "tensor %s", w->name);
        if (ok && l.done - flushed > (256u << 20)) {
            ok = flush(gpu, err);
            flushed = l.done;
        }
    }
    ok = ok && flush(gpu, err);
    free(l.quants);
    free(l.scales);
    free(l.rows);
    return ok;
}

void gpu_weights_free(struct gpu_weights *w)
{
    gpu_pool_destroy(w->pool);
    *w = (struct gpu_weights){0};
}
