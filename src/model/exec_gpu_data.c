/* exec_gpu_data.c - reads and writes states and values of the GPU's executor. */
#include <stdlib.h>
#include <string.h>

#include "model/exec_gpu_parts.h"
#include "quant/q8_row.h"

struct gpu_range gpu_exec_value_range(const struct exec_gpu *x, val v, uint32_t rows)
{
    uint64_t bytes = (uint64_t)rows * value_row_words(&x->base.g->values[v.id]) * sizeof(uint32_t);
    return (struct gpu_range){x->values[x->plan.buffer_of[v.id]], 0, bytes};
}

/* copies a range to out, in a submission of its own */
static bool read_back(struct exec_gpu *x, struct gpu_range range, void *out, struct error *err)
{
    unsigned ticket;
    const void *data;
    gpu_begin(x->gpu, "read back");
    bool reading = gpu_read(x->gpu, range, &ticket, err);
    bool ok = gpu_submit(x->gpu, reading ? err : NULL) && reading && gpu_wait(x->gpu, ticket, &data, err);
    if (ok) memcpy(out, data, (size_t)range.bytes);
    if (reading) gpu_release(x->gpu, ticket);
    return ok;
}

struct gpu_range gpu_exec_state_range(const struct exec_gpu *x, uint32_t id, uint32_t slot, size_t at, size_t n)
{
    struct gpu_range r = x->states[id];
    uint64_t words = (uint64_t)slot * x->state_strides[id] + at;
    return (struct gpu_range){r.buffer, r.at + words * sizeof(uint32_t), n * sizeof(uint32_t)};
}

/* rows of a state that are not floats pass through this */
static uint32_t *kv_image(const struct graph_state *s, size_t rows, struct error *err)
{
    uint32_t *image = malloc(rows * kv_row_words(s->type, s->cols) * sizeof *image);
    if (!image) fail_memory(err, "a key-value cache's rows");
    return image;
}

bool gpu_exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    if (!rewind_now(e, slot, err)) return false;
    const struct graph_state *d = &e->g->states[s.id];
    if (d->type == KV_F32) return read_back(x, gpu_exec_state_range(x, s.id, slot, at, n), out, err);
    const size_t words = kv_row_words(d->type, d->cols), rows = n / d->cols;
    uint32_t *image = kv_image(d, rows, err);
    bool ok =
        image && read_back(x, gpu_exec_state_range(x, s.id, slot, at / d->cols * words, rows * words), image, err);
    for (size_t i = 0; ok && i < rows; i++) kv_row_decode(d->type, image + i * words, d->cols, out + i * d->cols);
    free(image);
    return ok;
}

bool gpu_exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in,
                          struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    if (!rewind_now(e, slot, err)) return false;
    const struct graph_state *d = &e->g->states[s.id];
    const size_t words = kv_row_words(d->type, d->cols), rows = n / d->cols;
    const bool floats = d->type == KV_F32;
    struct gpu_range r =
        gpu_exec_state_range(x, s.id, slot, floats ? at : at / d->cols * words, floats ? n : rows * words);
    uint32_t *image = floats ? NULL : kv_image(d, rows, err);
    if (!floats && !image) return false;
    for (size_t i = 0; image && i < rows; i++) kv_row_encode(d->type, in + i * d->cols, d->cols, image + i * words);
    gpu_write(x->gpu, r.buffer, r.at, image ? (const void *)image : in, r.bytes);
    free(image);
    return gpu_check(x->gpu, err);
}

bool gpu_exec_state_clear(struct exec *e, uint32_t slot, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    rewind_forget(e, slot);
    gpu_begin(x->gpu, "clear a slot");
    for (uint32_t i = 1; i < e->g->n_states; i++) /* rows of positions that were not written are never read */
        if (!e->g->states[i].positions)
            gpu_clear(x->gpu, gpu_exec_state_range(x, i, slot, 0, state_stride(&e->g->states[i])));
    return gpu_submit(x->gpu, err);
}

/* a value in int8 form passes through this */
static uint32_t *q8_image(const struct graph_value *v, uint32_t rows, struct error *err)
{
    uint32_t *image = malloc(rows * q8_row_words(v->cols) * sizeof *image);
    if (!image) fail_memory(err, "an activation");
    return image;
}

bool gpu_exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    const struct graph_value *d = &e->g->values[v.id];
    struct gpu_range r = gpu_exec_value_range(x, v, rows);
    uint32_t *image = d->q8 ? q8_image(d, rows, err) : NULL;
    if (d->q8 && !image) return false;
    for (uint32_t i = 0; image && i < rows; i++)
        q8_row_encode(in + (size_t)i * d->cols, d->cols, image + i * q8_row_words(d->cols));
    gpu_write(x->gpu, r.buffer, r.at, image ? (const void *)image : in, r.bytes);
    free(image);
    return gpu_check(x->gpu, err);
}

bool gpu_exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    const struct graph_value *d = &e->g->values[v.id];
    if (!d->q8) return read_back(x, gpu_exec_value_range(x, v, rows), out, err);
    uint32_t *image = q8_image(d, rows, err);
    bool ok = image && read_back(x, gpu_exec_value_range(x, v, rows), image, err);
    for (uint32_t i = 0; ok && i < rows; i++)
        q8_row_decode(image + i * q8_row_words(d->cols), d->cols, out + (size_t)i * d->cols);
    free(image);
    return ok;
}
