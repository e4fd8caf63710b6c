/* generation.c - corvid_generation: on the device ahead of the caller (model/decode_gpu.c), or step by step where it
 * cannot draw as a sampler wants. */
#include <stdlib.h>

#include "engine/engine.h"

struct corvid_generation {
    corvid_model *model;
    size_t n;
    corvid_sequence *sequences; /* [n]; a session is NULL when its sequence was dropped */
    struct ahead_work ahead;    /* no decode: step by step */
    corvid_input *inputs;       /* [n], step by step */
    size_t *of;                 /* [n]: the sequence of each input */
    float *logits;              /* [n, vocabulary] */
};

static bool check(const corvid_model *m, const corvid_sequence *sequences, size_t n, struct error *err)
{
    if (!n || n > m->limits.seqs)
        return fail(err, ERR_ARGUMENT, "%zu sequences in a generation, expected 1 to %u", n, m->limits.seqs);
    for (size_t i = 0; i < n; i++) {
        const corvid_sequence *s = &sequences[i];
        if (!session_check(s->session, m, "sequence", i, 1, err)) return false;
        if (!s->sampler) return fail(err, ERR_ARGUMENT, "sequence %zu has no sampler", i);
        if (s->token < 0 || (uint32_t)s->token >= m->hyper.vocab)
            return fail(err, ERR_ARGUMENT, "sequence %zu: token %d is not in the vocabulary of %u", i, s->token,
                        m->hyper.vocab);
        for (size_t k = 0; k < i; k++)
            if (sequences[k].session == s->session || sequences[k].sampler == s->sampler)
                return fail(err, ERR_ARGUMENT, "sequences %zu and %zu have the same session or sampler", k, i);
    }
    return true;
}

static bool open_on_device(corvid_generation *g, const corvid_generation_options *o, struct error *err)
{
    struct decode_limits limits = {o->max_steps, o->ahead};
    struct decode_sequence *sequences = calloc(g->n, sizeof *sequences);
    if (!sequences) return fail_memory(err, "a generation");
    for (size_t i = 0; i < g->n; i++) {
        const corvid_sequence *s = &g->sequences[i];
        sequences[i] = (struct decode_sequence){s->session->slot, s->session->length, session_room(s->session),
                                                s->token, s->sampler->inner};
    }
    ahead_rest(&g->model->device->ahead);
    g->ahead.decode = exec_decode(g->model->exec, sequences, (uint32_t)g->n, &limits, err);
    free(sequences);
    return g->ahead.decode != NULL;
}

static bool open_on_host(corvid_generation *g, struct error *err)
{
    g->inputs = calloc(g->n, sizeof *g->inputs);
    g->of = calloc(g->n, sizeof *g->of);
    g->logits = calloc(g->n * g->model->hyper.vocab, sizeof *g->logits);
    return (g->inputs && g->of && g->logits) || fail_memory(err, "a generation");
}

static void release(corvid_generation *g)
{
    free(g->sequences);
    free(g->inputs);
    free(g->of);
    free(g->logits);
    free(g);
}

corvid_generation *corvid_generation_open(corvid_model *model, const corvid_sequence *sequences, size_t n,
                                          const corvid_generation_options *options, corvid_error *err)
{
    static const corvid_generation_options defaults;
    if (!check(model, sequences, n, inner(err))) return NULL;
    corvid_generation *g = calloc(1, sizeof *g);
    if (!g) return fail_memory(inner(err), "a generation"), NULL;
    g->model = model;
    g->n = n;
    g->sequences = calloc(n, sizeof *g->sequences);
    bool ok = g->sequences || fail_memory(inner(err), "a generation"), on_device = true;
    for (size_t i = 0; ok && i < n; i++) {
        g->sequences[i] = sequences[i];
        on_device = on_device && exec_decodes(model->exec, sequences[i].sampler->inner);
    }
    if (ok && on_device) ok = open_on_device(g, options ? options : &defaults, inner(err));
    else if (ok) ok = open_on_host(g, inner(err));
    if (!ok) return release(g), NULL;
    for (size_t i = 0; i < n; i++) sequences[i].session->generating = true;
    return g;
}

static bool next_on_device(corvid_generation *g, int32_t *tokens, struct error *err)
{
    if (!ahead_next(&g->model->device->ahead, &g->ahead, tokens, err)) return false;
    for (size_t i = 0; i < g->n; i++) {
        if (!g->sequences[i].session) continue;
        g->sequences[i].session->length++;
        sampler_follow(g->sequences[i].sampler->inner, tokens[i]);
    }
    return true;
}

static bool next_on_host(corvid_generation *g, int32_t *tokens, corvid_error *err)
{
    const uint32_t vocabulary = g->model->hyper.vocab;
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        corvid_sequence *s = &g->sequences[i];
        tokens[i] = -1;
        if (!s->session) continue;
        s->session->generating = false;
        g->of[n] = i;
        g->inputs[n] = (corvid_input){
            .session = s->session, .tokens = &s->token, .count = 1, .logits = g->logits + n * vocabulary};
        n++;
    }
    bool ok = corvid_step(g->model, g->inputs, n, err);
    for (size_t k = 0; k < n; k++) {
        corvid_sequence *s = &g->sequences[g->of[k]];
        s->session->generating = true;
        if (!ok) continue;
        int32_t token = sampler_next(s->sampler->inner, g->inputs[k].logits);
        sampler_accept(s->sampler->inner, token);
        tokens[g->of[k]] = token;
        s->token = token < 0 ? 0 : token;
    }
    return ok;
}

bool corvid_generation_next(corvid_generation *generation, int32_t *tokens, corvid_error *err)
{
    corvid_generation *g = generation;
    size_t n_live = 0;
    for (size_t i = 0; i < g->n; i++) {
        const corvid_session *s = g->sequences[i].session;
        if (!s) continue;
        n_live++;
        if (s->broken)
            return fail(inner(err), ERR_ARGUMENT, "the generation has failed: close it and reset its sessions");
        if (!session_room(s))
            return fail(inner(err), ERR_LIMIT, "sequence %zu: the context of %llu tokens is full: drop it", i,
                        (unsigned long long)s->length);
    }
    if (!n_live) return fail(inner(err), ERR_ARGUMENT, "every sequence of the generation was dropped");
    if (g->ahead.decode ? next_on_device(g, tokens, inner(err)) : next_on_host(g, tokens, err)) return true;
    for (size_t i = 0; i < g->n; i++)
        if (g->sequences[i].session) g->sequences[i].session->broken = true;
    return false;
}

bool corvid_generation_drop(corvid_generation *generation, size_t i, corvid_error *err)
{
    if (i >= generation->n)
        return fail(inner(err), ERR_ARGUMENT, "sequence %zu of a generation of %zu", i, generation->n);
    corvid_session *s = generation->sequences[i].session;
    if (!s) return true;
    generation->sequences[i].session = NULL;
    s->generating = false;
    ahead_rest(&generation->model->device->ahead);
    if (generation->ahead.decode) decode_drop(generation->ahead.decode, (uint32_t)i);
    return true;
}

bool corvid_generation_close(corvid_generation *generation, corvid_error *err)
{
    if (!generation) return true;
    bool ok = true;
    for (size_t i = 0; i < generation->n; i++) ok = corvid_generation_drop(generation, i, ok ? err : NULL) && ok;
    ahead_rest(&generation->model->device->ahead);
    decode_destroy(generation->ahead.decode);
    release(generation);
    return ok;
}
