/* blob.c - a session's state as bytes.
 *
 *   header: magic, version, the model's fingerprint, tokens held, floats that follow, hash of the header before it and
 *   of the floats; then each state's floats in the order of the graph: of a cache of positions only the rows in use.
 *   Little-endian, like the memory of every platform that Corvid runs on. */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/engine.h"

struct blob_header {
    char magic[8];
    uint32_t version, unused;
    uint64_t fingerprint, length, floats, hash;
};

static const char blob_magic[8] = {'C', 'O', 'R', 'V', 'I', 'D', 'S', 'T'};
enum { BLOB_VERSION = 2 };

static size_t floats_used(const struct graph_state *s, uint64_t length)
{
    uint64_t rows = s->positions && length < s->rows ? length : s->rows;
    return (size_t)rows * s->cols;
}

static uint64_t total_floats(const struct graph *g, uint64_t length)
{
    uint64_t total = 0;
    for (uint32_t i = 1; i < g->n_states; i++) total += floats_used(&g->states[i], length);
    return total;
}

static uint64_t hash_of(const struct blob_header *h, const void *floats, size_t bytes)
{
    return XXH64(floats, bytes, XXH64(h, offsetof(struct blob_header, hash), 0));
}

bool corvid_session_save(corvid_session *session, void **blob, size_t *size, corvid_error *err)
{
    corvid_model *m = session->model;
    if (session->broken)
        return fail(inner(err), ERR_ARGUMENT, "the session's last step failed: there is no state to save");
    if (!session_check_free(session, inner(err))) return false;
    ahead_rest(&m->device->ahead);
    struct blob_header h = {.version = BLOB_VERSION, .fingerprint = model_fingerprint(m), .length = session->length};
    memcpy(h.magic, blob_magic, sizeof h.magic);
    h.floats = total_floats(&m->graph, h.length);
    size_t bytes = (size_t)h.floats * sizeof(float);
    char *out = malloc(sizeof h + bytes);
    if (!out) return fail_memory(inner(err), "a session's state");
    float *at = (float *)(void *)(out + sizeof h);
    for (uint32_t i = 1; i < m->graph.n_states; i++) {
        size_t n = floats_used(&m->graph.states[i], h.length);
        if (n && !exec_state_read(m->exec, (state){i}, session->slot, 0, n, at, inner(err))) {
            free(out);
            return false;
        }
        at += n;
    }
    h.hash = hash_of(&h, out + sizeof h, bytes);
    memcpy(out, &h, sizeof h);
    *blob = out;
    *size = sizeof h + bytes;
    return true;
}

static bool check_blob(corvid_model *m, const struct blob_header *h, const void *blob, size_t size, struct error *err)
{
    if (memcmp(h->magic, blob_magic, sizeof h->magic))
        return fail(err, ERR_FORMAT, "this is not a saved session of Corvid");
    if (h->version != BLOB_VERSION)
        return fail(err, ERR_UNSUPPORTED, "the saved session has version %u, expected %d", h->version, BLOB_VERSION);
    if (h->fingerprint != model_fingerprint(m))
        return fail(err, ERR_ARGUMENT, "the session was saved with another model than %s", m->info.name);
    if (!m->arch->recurrent && h->length > m->info.context)
        return fail(err, ERR_LIMIT, "the saved session holds %llu tokens, the context is %u: open the model with more",
                    (unsigned long long)h->length, m->info.context);
    if (h->length > UINT32_MAX || h->floats != total_floats(&m->graph, h->length) ||
        size - sizeof *h != h->floats * sizeof(float))
        return fail(err, ERR_FORMAT,
                    "the saved session has %zu bytes, expected %llu: it is cut off, or was saved with "
                    "another step size",
                    size, (unsigned long long)(sizeof *h + 4 * total_floats(&m->graph, h->length)));
    if (h->hash != hash_of(h, (const char *)blob + sizeof *h, size - sizeof *h))
        return fail(err, ERR_FORMAT, "the saved session is damaged: its hash does not match");
    return true;
}

bool corvid_session_restore(corvid_session *session, const void *blob, size_t size, corvid_error *err)
{
    corvid_model *m = session->model;
    struct blob_header h;
    if (size < sizeof h) return fail(inner(err), ERR_FORMAT, "a saved session of %zu bytes is too short", size);
    memcpy(&h, blob, sizeof h);
    if (!session_check_free(session, inner(err)) || !check_blob(m, &h, blob, size, inner(err))) return false;
    float *floats = malloc(size - sizeof h + 1);
    if (!floats) return fail_memory(inner(err), "a session's state");
    memcpy(floats, (const char *)blob + sizeof h, size - sizeof h);
    session->broken = true; /* until all of it is there */
    ahead_rest(&m->device->ahead);
    const float *at = floats;
    bool ok = true;
    for (uint32_t i = 1; ok && i < m->graph.n_states; i++) {
        size_t n = floats_used(&m->graph.states[i], h.length);
        ok = !n || exec_state_write(m->exec, (state){i}, session->slot, 0, n, at, inner(err));
        at += n;
    }
    free(floats);
    session->broken = !ok;
    session->length = ok ? h.length : 0;
    return ok;
}
