/* quantize.c - a copy of a GGUF file with its large matrices in another type.
 *
 * What changes: two-dimensional float tensors (F32, F16, BF16) with at least MIN_ROWS rows whose rows are whole blocks.
 * What stays: norms, vectors, and RWKV's low-rank and blending matrices (time_mix_{w,a,v,g}{0,1,2}, lerp, decay, first),
 * which are small and sensitive; tensors that are quantised already. A matrix whose rows do not fit the K-quants'
 * blocks of 256 becomes Q8_0. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "engine/engine.h"
#include "file/gguf_write.h"

enum { MIN_ROWS = 128, CHUNK_BYTES = 8 << 20 };

/* llama.cpp's numbers for general.file_type */
static uint32_t file_type(enum quant_type type)
{
    switch (type) {
    case QUANT_F32: return 0;
    case QUANT_F16: return 1;
    case QUANT_Q8_0: return 7;
    default: return 14; /* Q4_K, small */
    }
}

static bool is_float(uint32_t type) { return type == QUANT_F32 || type == QUANT_F16 || type == QUANT_BF16; }

static bool is_kept(const char *name)
{
    static const char *const kept[] = {"_norm",         "time_mix_w",     "time_mix_a",    "time_mix_v0",
                                       "time_mix_v1",   "time_mix_v2",    "time_mix_g1",   "time_mix_g2",
                                       "time_mix_lerp", "time_mix_decay", "time_mix_first"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strstr(name, kept[i])) return true;
    return false;
}

static const struct quant_info *target_of(const struct tensor_info *t, const struct quant_info *wanted)
{
    const struct quant_info *own = quant_find(t->type), *q8 = quant_find(QUANT_Q8_0);
    if (!own || !is_float(t->type) || t->n_dims != 2 || t->dims[1] < MIN_ROWS || is_kept(t->name)) return own;
    if (t->dims[0] % wanted->items == 0) return wanted;
    return t->dims[0] % q8->items == 0 ? q8 : own;
}

struct job {
    const struct model_file *in;
    const struct quant_info *wanted;
    struct gguf_writer *out;
    bool (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);
    void *user;
    uint64_t done, total;
};

static bool describe(struct job *j, struct error *err)
{
    size_t n_changed = 0;
    for (size_t i = 0; i < model_file_n_metadata(j->in); i++)
        if (!gguf_writer_copy(j->out, model_file_metadata(j->in, i), err)) return false;
    if (!gguf_writer_u32(j->out, "general.file_type", file_type(j->wanted->type), err) ||
        !gguf_writer_u32(j->out, "general.quantization_version", 2, err))
        return false;
    for (size_t i = 0; i < model_file_n_tensors(j->in); i++) {
        const struct tensor_info *t = model_file_tensor(j->in, i);
        const struct quant_info *q = target_of(t, j->wanted);
        uint64_t row;
        if (!q)
            return fail(err, ERR_UNSUPPORTED, "tensor %s has type number %u, which this version does not read", t->name,
                        t->type);
        if (!quant_row_bytes(q, t->dims[0], &row))
            return fail(err, ERR_FORMAT, "tensor %s: rows of %llu", t->name, (unsigned long long)t->dims[0]);
        if (!gguf_writer_tensor(j->out, t->name, (uint32_t)q->type, t->n_dims, t->dims, row * (t->n_items / t->dims[0]),
                                err))
            return false;
        j->total += t->size;
        n_changed += (uint32_t)q->type != t->type;
    }
    if (!n_changed)
        return fail(err, ERR_ARGUMENT,
                    "nothing to change to %s: the matrices are quantised already or too small; start "
                    "from an F16, BF16 or F32 file",
                    j->wanted->name);
    return true;
}

static bool report(struct job *j, uint64_t bytes, struct error *err)
{
    j->done += bytes;
    if (!j->progress || j->progress(j->user, j->done, j->total)) return true;
    return fail(err, ERR_IO, "quantising was cancelled");
}

static bool copy_tensor(struct job *j, const struct tensor_info *t, struct error *err)
{
    for (uint64_t at = 0; at < t->size;) {
        uint64_t n = t->size - at < CHUNK_BYTES ? t->size - at : CHUNK_BYTES;
        if (!gguf_writer_data(j->out, (const char *)t->data + at, (size_t)n, err) || !report(j, n, err)) return false;
        at += n;
    }
    return true;
}

static bool convert_tensor(struct job *j, const struct tensor_info *t, const struct quant_info *to, struct error *err)
{
    const struct quant_info *from = quant_find(t->type);
    const uint64_t K = t->dims[0], rows = t->n_items / K;
    uint64_t from_row = 0, to_row = 0;
    quant_row_bytes(from, K, &from_row);
    quant_row_bytes(to, K, &to_row);
    float *floats = malloc((size_t)K * sizeof *floats);
    void *blocks = malloc((size_t)to_row);
    bool ok = floats && blocks ? true : fail_memory(err, t->name);
    for (uint64_t r = 0; ok && r < rows; r++) {
        from->decode((const uint8_t *)t->data + r * from_row, floats, (size_t)K);
        to->encode(floats, blocks, (size_t)K);
        ok = gguf_writer_data(j->out, blocks, (size_t)to_row, err) && report(j, from_row, err);
    }
    free(floats);
    free(blocks);
    return ok;
}

static bool run(struct job *j, const char *out_path, struct error *err)
{
    if (!describe(j, err) || !gguf_writer_begin(j->out, out_path, err)) return false;
    for (size_t i = 0; i < model_file_n_tensors(j->in); i++) {
        const struct tensor_info *t = model_file_tensor(j->in, i);
        const struct quant_info *to = target_of(t, j->wanted);
        bool ok = (uint32_t)to->type == t->type ? copy_tensor(j, t, err) : convert_tensor(j, t, to, err);
        if (!ok) return false;
    }
    return gguf_writer_finish(j->out, err);
}

bool corvid_quantize(const char *in_path, const char *out_path, const char *type,
                     bool (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes), void *user,
                     corvid_error *err)
{
    const struct quant_info *wanted = quant_find_name(type);
    if (!wanted || !wanted->encode)
        return fail(inner(err), ERR_ARGUMENT, "the type %s cannot be written: expected Q8_0, Q4_K, F16 or F32", type);
    struct job j = {.wanted = wanted, .progress = progress, .user = user};
    struct model_file *in = model_file_open(in_path, inner(err));
    if (!in) return false;
    j.in = in;
    j.out = gguf_writer_create(inner(err));
    bool ok = j.out && run(&j, out_path, inner(err));
    gguf_writer_destroy(j.out);
    model_file_close(in);
    return ok;
}
