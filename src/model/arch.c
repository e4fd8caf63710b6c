/* arch.c - the registry, and what readers of metadata share. */
#include "model/arch.h"

#include <stdio.h>
#include <string.h>

#include "base/builder.h"

static const struct arch *const archs[] = {&arch_rwkv7, &arch_gemma3};
enum { N_ARCHS = sizeof archs / sizeof *archs };

/* far above any real model; they keep products in range */
enum { MAX_LAYERS = 1024, MAX_WIDTH = 1 << 17, MAX_HIDDEN = 1 << 20, MAX_VOCAB = 1 << 24 };

const struct arch *arch_find(const struct model_file *f, struct error *err)
{
    struct bytes name;
    if (!metadata_string(f, "general.architecture", &name, err)) return NULL;
    for (int i = 0; name.data && i < N_ARCHS; i++)
        if (strlen(archs[i]->name) == name.length && !memcmp(archs[i]->name, name.data, name.length)) return archs[i];
    if (!name.data) return fail(err, ERR_FORMAT, "the file does not say general.architecture"), NULL;
    char shown[64], known[128] = "";
    size_t n = name.length < sizeof shown - 1 ? name.length : sizeof shown - 1;
    for (size_t i = 0; i < n; i++) shown[i] = name.data[i] > ' ' && name.data[i] < 127 ? name.data[i] : '?';
    shown[n] = 0;
    for (int i = 0; i < N_ARCHS; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", archs[i]->name);
    fail(err, ERR_UNSUPPORTED, "the model's architecture is %s; this version runs: %s", shown, known);
    return NULL;
}

bool arch_need(const struct model_file *f, const char *arch, const char *key, uint32_t min, uint32_t max, uint32_t *out,
               struct error *err)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", arch, key);
    if (!metadata_need_u32(f, full, out, err)) return false;
    if (*out >= min && *out <= max) return true;
    return fail(err, ERR_FORMAT, "%s is %u, expected %u to %u", full, *out, min, max);
}

bool arch_f32(const struct model_file *f, const char *arch, const char *key, float fallback, float *out,
              struct error *err)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", arch, key);
    return metadata_f32(f, full, fallback, out, err);
}

bool arch_read_common(const struct model_file *f, const char *arch, const char *eps_key, struct hyper *h,
                      struct error *err)
{
    if (!arch_need(f, arch, "block_count", 1, MAX_LAYERS, &h->layers, err) ||
        !arch_need(f, arch, "embedding_length", 4, MAX_WIDTH, &h->embd, err) ||
        !arch_need(f, arch, "feed_forward_length", 4, MAX_HIDDEN, &h->ff, err) ||
        !arch_f32(f, arch, eps_key, 1e-5f, &h->norm_eps, err))
        return false;
    if (!(h->norm_eps >= 0 && h->norm_eps < 1))
        return fail(err, ERR_FORMAT, "%s.%s is %g, expected 0 to 1", arch, eps_key, (double)h->norm_eps);
    const struct tensor_info *embd = model_file_find_tensor(f, "token_embd.weight");
    if (!embd) return fail(err, ERR_FORMAT, "the file has no tensor token_embd.weight");
    uint64_t rows = embd->n_items / embd->dims[0];
    if (rows > MAX_VOCAB || rows % 4)
        return fail(err, ERR_UNSUPPORTED, "the vocabulary has %llu entries, expected a multiple of 4 up to %d",
                    (unsigned long long)rows, MAX_VOCAB);
    h->vocab = (uint32_t)rows;
    return true;
}
