/* gpu_weights.c - plans where every weight lies on the device, then fills it: in rounds, each of which all processors
 * repack into one upload buffer, while the device copies what the round before left in the other. A round is a list of
 * pieces (rows of one part of a matrix, or a vector), cut into jobs that threads take in order. */
#include "model/gpu_weights.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/thread.h"

enum { PART_ALIGN = 32 }; /* a part begins with a whole int8 block of the output */
enum { UPLOAD_BYTES = 32 << 20, JOB_BYTES = 256 << 10, MAX_PIECES = 1024, N_UPLOADS = 2 };
static const uint64_t pool_buffer_bytes = 256u << 20;

/* bytes of a row */
struct row_bytes {
    uint64_t file, quants, scales;
};

/* rows [row, row + rows) of a weight, which lie from row `at` on in its part */
struct piece {
    uint32_t weight, part, row, at, rows;
    uint64_t quants_at, scales_at; /* in the upload buffer */
};

struct job {
    const struct piece *piece;
    uint32_t first, rows; /* of the piece */
};

struct load {
    struct gpu *gpu;
    const struct graph *g;
    struct gpu_weight *items;
    uint64_t upload_bytes, scratch_bytes; /* of an upload buffer; of a thread */
    uint32_t weight, part, row, at;       /* the next row to go into a piece */
    struct piece pieces[MAX_PIECES];      /* of the round */
    struct gpu_upload_copy copies[2 * MAX_PIECES];
    struct job *jobs;
    size_t n_pieces, n_copies, n_jobs, max_jobs;
    uint8_t *memory; /* the upload buffer's */
    atomic_size_t next_job;
    atomic_bool no_memory;
    uint64_t done, total; /* of the file */
    exec_progress *progress;
    void *user;
};

static struct row_bytes row_bytes(const struct graph_weight *w)
{
    struct row_bytes b = {0};
    if (w->vector) {
        b.file = b.quants = (uint64_t)w->cols * sizeof(float);
        return b;
    }
    quant_row_bytes(w->q, w->cols, &b.file);
    b.quants = 4 * quant_row_quant_words(w->q, w->cols);
    b.scales = 4 * quant_row_scale_words(w->q, w->cols);
    return b;
}

/* ---- where everything lies ---- */

static bool plan_matrix(struct gpu_weights *out, const struct gpu_info *device, const struct graph_weight *w,
                        struct gpu_weight *item, struct error *err)
{
    struct row_bytes b = row_bytes(w);
    uint64_t per_part =
        device->max_binding_bytes / (b.quants > b.scales ? b.quants : b.scales) / PART_ALIGN * PART_ALIGN;
    if (!per_part || ceil_div(w->rows, per_part) > WEIGHT_MAX_PARTS)
        return fail(err, ERR_LIMIT, "tensor %s (%u x %u) is too large for this device", w->name, w->rows, w->cols);
    item->n_parts = (uint32_t)ceil_div(w->rows, per_part);
    item->rows_per_part = (uint32_t)round_up(ceil_div(w->rows, item->n_parts), PART_ALIGN);
    for (uint32_t part = 0, row = 0; part < item->n_parts; part++) {
        uint32_t rows = w->rows - row < item->rows_per_part ? w->rows - row : item->rows_per_part;
        if (!gpu_pool_alloc(out->pool, rows * b.quants, &item->quants[part], err)) return false;
        if (b.scales && !gpu_pool_alloc(out->pool, rows * b.scales, &item->scales[part], err)) return false;
        row += rows;
    }
    return true;
}

/* The parts of a mixed stack are loaded like matrices of their own, each into its place in the stack's plane. */
static bool plan_mixed(struct gpu_weights *out, const struct graph *g, const struct graph_weight *w,
                       struct gpu_weight *item, struct error *err)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < w->n_parts; i++)
        bytes += w->parts[i].rows * row_bytes(&g->weights[w->parts[i].w.id]).quants;
    item->n_parts = 1;
    item->rows_per_part = w->rows;
    if (!gpu_pool_alloc(out->pool, bytes, &item->quants[0], err)) return false;
    for (uint32_t i = 0, at = 0; i < w->n_parts; i++) {
        struct gpu_weight *part = &out->items[w->parts[i].w.id];
        const uint32_t own = (uint32_t)(w->parts[i].rows * row_bytes(&g->weights[w->parts[i].w.id]).quants);
        part->n_parts = 1;
        part->rows_per_part = w->parts[i].rows;
        part->quants[0] = (struct gpu_range){item->quants[0].buffer, item->quants[0].at + at, own};
        at += own;
    }
    return true;
}

bool gpu_weights_plan(struct gpu_weights *out, struct gpu *gpu, const struct graph *g, struct arena *arena,
                      struct error *err)
{
    out->pool = gpu_pool_create(gpu, "weights", pool_buffer_bytes);
    out->items = arena_alloc(arena, g->n_weights, sizeof *out->items);
    if (!out->pool || !out->items) return fail_memory(err, "the plan of the weights");
    for (uint32_t i = 1; i < g->n_weights; i++) {
        const struct graph_weight *w = &g->weights[i];
        struct gpu_weight *item = &out->items[i];
        if (w->stacked) continue;
        if (w->vector) {
            item->n_parts = 1;
            item->rows_per_part = w->rows;
            if (!gpu_pool_alloc(out->pool, w->rows * row_bytes(w).quants, &item->quants[0], err))
                return fail_in(err, "tensor %s", w->name);
        } else if (w->mixed) {
            if (!plan_mixed(out, g, w, item, err)) return fail_in(err, "tensor %s and others", w->name);
        } else if (!plan_matrix(out, gpu_describe(gpu), w, item, err)) {
            return false;
        }
    }
    return true;
}

/* what is filled as a whole: no part of a stack, unless that is mixed and leaves this to its parts */
static bool is_loaded(const struct load *l, uint32_t id)
{
    return !l->g->weights[id].mixed && l->items[id].n_parts > 0;
}

/* ---- one round ---- */

/* Cuts the piece into jobs of whole rows; a vector is one job. */
static void add_jobs(struct load *l, const struct piece *p, const struct graph_weight *w)
{
    struct row_bytes b = row_bytes(w);
    uint64_t rows = w->vector ? p->rows : JOB_BYTES / (b.quants + b.scales);
    if (!rows) rows = 1;
    for (uint32_t first = 0; first < p->rows; first += (uint32_t)rows) {
        uint32_t n = p->rows - first < rows ? p->rows - first : (uint32_t)rows;
        l->jobs[l->n_jobs++] = (struct job){p, first, n};
    }
}

static void add_copy(struct load *l, uint64_t from, struct gpu_range to, uint64_t at, uint64_t bytes)
{
    if (bytes) l->copies[l->n_copies++] = (struct gpu_upload_copy){from, {to.buffer, to.at + at, bytes}};
}

/* Takes as many rows of the next weight as fit behind *used; false if none do. */
static bool add_piece(struct load *l, uint64_t *used)
{
    const struct graph_weight *w = &l->g->weights[l->weight];
    const struct gpu_weight *item = &l->items[l->weight];
    struct row_bytes b = row_bytes(w);
    uint32_t in_part = w->rows - (l->row - l->at);
    if (in_part > item->rows_per_part) in_part = item->rows_per_part;
    uint64_t fit = (l->upload_bytes - *used) / (b.quants + b.scales);
    uint32_t rows = in_part - l->at < fit ? in_part - l->at : (uint32_t)fit;
    if (!rows || (w->vector && rows < w->rows)) return false;
    struct piece *p = &l->pieces[l->n_pieces++];
    *p = (struct piece){l->weight, l->part, l->row, l->at, rows, *used, *used + rows * b.quants};
    *used += rows * (b.quants + b.scales);
    add_jobs(l, p, w);
    add_copy(l, p->quants_at, item->quants[l->part], l->at * b.quants, rows * b.quants);
    add_copy(l, p->scales_at, item->scales[l->part], l->at * b.scales, rows * b.scales);
    l->row += rows;
    l->at += rows;
    if (l->at == in_part) {
        l->at = 0;
        l->part++;
    }
    if (l->row == w->rows) {
        l->weight++;
        l->part = l->row = l->at = 0;
    }
    return true;
}

static void plan_round(struct load *l)
{
    uint64_t used = 0;
    l->n_pieces = l->n_copies = l->n_jobs = 0;
    while (l->weight < l->g->n_weights && l->n_pieces < MAX_PIECES) {
        if (!is_loaded(l, l->weight)) l->weight++;
        else if (!add_piece(l, &used)) break;
    }
}

/* ---- what a thread does ---- */

struct scratch { /* upload memory must not be read, which some types' repacking does */
    uint32_t *quants, *scales;
};

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

/* takes n words of repacked F32 or BF16 into account */
static void note_largest(_Atomic uint32_t *largest, enum quant_type type, const uint32_t *words, uint64_t n)
{
    const uint32_t low = type == QUANT_BF16 ? 0x7fff0000u : 0; /* an F32's low half only adds digits */
    uint32_t top = 0;
    for (uint64_t i = 0; i < n; i++) {
        const uint32_t a = words[i] & 0x7fffffffu, b = words[i] << 16 & low;
        if (a > top) top = a;
        if (b > top) top = b;
    }
    uint32_t old = atomic_load(largest);
    while (top > old && !atomic_compare_exchange_weak(largest, &old, top)) {
    }
}

static void repack_job(const struct load *l, const struct job *job, const struct scratch *s)
{
    const struct piece *p = job->piece;
    const struct graph_weight *w = &l->g->weights[p->weight];
    struct row_bytes b = row_bytes(w);
    for (uint32_t i = job->first, n; i < job->first + job->rows; i += n) {
        uint32_t at;
        const struct graph_weight *from = row_source(l->g, w, p->row + i, &at);
        n = job->first + job->rows - i;
        if (n > from->rows - at) n = from->rows - at;
        quant_repack(w->q, from->data + at * b.file, n, w->cols, s->quants, s->scales);
        if (w->stacked && quant_is_float(w->q) && w->q->type != QUANT_F16)
            note_largest(&l->items[p->weight].largest, w->q->type, s->quants, n * b.quants / 4);
        memcpy(l->memory + p->quants_at + i * b.quants, s->quants, (size_t)(n * b.quants));
        if (b.scales) memcpy(l->memory + p->scales_at + i * b.scales, s->scales, (size_t)(n * b.scales));
    }
}

static void work(void *user)
{
    struct load *l = user;
    const size_t bytes = (size_t)l->scratch_bytes;
    struct scratch s = {malloc(bytes), malloc(bytes)};
    if (!s.quants || !s.scales) atomic_store(&l->no_memory, true);
    for (size_t i; !atomic_load(&l->no_memory) && (i = atomic_fetch_add(&l->next_job, 1)) < l->n_jobs;) {
        const struct job *job = &l->jobs[i];
        const struct graph_weight *w = &l->g->weights[job->piece->weight];
        if (w->vector) vector_read(l->g, w, (float *)(void *)(l->memory + job->piece->quants_at));
        else repack_job(l, job, &s);
    }
    free(s.quants);
    free(s.scales);
}

/* ---- all rounds ---- */

static bool report(struct load *l, struct error *err)
{
    for (size_t i = 0; i < l->n_pieces; i++) {
        l->done += l->pieces[i].rows * row_bytes(&l->g->weights[l->pieces[i].weight]).file;
        if (l->progress && !l->progress(l->user, l->done, l->total)) return fail(err, ERR_IO, "loading was cancelled");
    }
    return true;
}

static bool fill(struct load *l, struct error *err)
{
    struct gpu_upload *uploads[N_UPLOADS] = {NULL};
    bool ok = true;
    l->weight = 1;
    for (int round = 0; ok; round = (round + 1) % N_UPLOADS) {
        plan_round(l);
        if (!l->n_pieces) break;
        struct gpu_upload **u = &uploads[round];
        if (!*u) *u = gpu_upload_create(l->gpu, l->upload_bytes, err);
        l->memory = *u ? gpu_upload_begin(*u, err) : NULL;
        ok = l->memory;
        if (!ok) break;
        atomic_store(&l->next_job, 0);
        thread_run(l->n_jobs < (size_t)thread_processors() ? (int)l->n_jobs : thread_processors(), work, l);
        ok = gpu_upload_end(*u, l->copies, l->n_copies, err);
        if (ok && atomic_load(&l->no_memory)) ok = fail_memory(err, "repacking weights");
        ok = ok && report(l, err);
    }
    for (int i = 0; i < N_UPLOADS; i++) gpu_upload_destroy(uploads[i]);
    return ok && gpu_finish(l->gpu, err);
}

/* how large buffers must be so that every row and every vector fits */
static void measure(struct load *l)
{
    uint64_t largest = 0, all = 0;
    l->scratch_bytes = JOB_BYTES;
    for (uint32_t i = 1; i < l->g->n_weights; i++) {
        const struct graph_weight *w = &l->g->weights[i];
        if (!is_loaded(l, i)) continue;
        struct row_bytes b = row_bytes(w);
        uint64_t row = b.quants + b.scales, least = w->vector ? w->rows * row : row;
        if (least > largest) largest = least;
        if (!w->vector && row > l->scratch_bytes) l->scratch_bytes = row;
        l->total += w->rows * b.file;
        all += w->rows * row;
    }
    l->upload_bytes = all < UPLOAD_BYTES ? all : UPLOAD_BYTES;
    if (l->upload_bytes < largest) l->upload_bytes = largest;
    l->upload_bytes = round_up(l->upload_bytes ? l->upload_bytes : 4, 4);
    /* rows of more than half a job's bytes are jobs of their own; each piece may end with a smaller job */
    l->max_jobs = (size_t)(l->upload_bytes / (JOB_BYTES / 2)) + MAX_PIECES + 1;
}

bool gpu_weights_load(struct gpu_weights *w, struct gpu *gpu, const struct graph *g, exec_progress *progress,
                      void *user, struct error *err)
{
    if (!gpu_pool_make(w->pool, err)) return false;
    struct load *l = calloc(1, sizeof *l);
    if (!l) return fail_memory(err, "loading weights");
    l->gpu = gpu;
    l->g = g;
    l->items = w->items;
    l->progress = progress;
    l->user = user;
    measure(l);
    l->jobs = calloc(l->max_jobs, sizeof *l->jobs);
    bool ok = l->jobs ? fill(l, err) : fail_memory(err, "loading weights");
    free(l->jobs);
    free(l);
    return ok;
}

void gpu_weights_free(struct gpu_weights *w)
{
    gpu_pool_destroy(w->pool);
    *w = (struct gpu_weights){0};
}
