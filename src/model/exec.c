/* exec.c - the executors' common front: checks a step, then calls the executor. */
#include "model/exec_internal.h"

void exec_destroy(struct exec *e)
{
    if (e) e->f->destroy(e);
}

struct exec_sizes exec_sizes(const struct exec *e) { return e->sizes; }

static bool check_step(const struct exec *e, const struct step *s, struct error *err)
{
    const struct step_limits *l = &e->limits;
    if (!s->n_tokens || s->n_tokens > l->tokens || !s->n_seqs || s->n_seqs > l->seqs || s->n_outputs > l->outputs)
        return fail(err, ERR_LIMIT, "a step of %u tokens, %u sequences, %u outputs; the limits are %u, %u, %u",
                    s->n_tokens, s->n_seqs, s->n_outputs, l->tokens, l->seqs, l->outputs);
    for (uint32_t i = 0; i < s->n_seqs; i++)
        if (s->slot[i] >= e->slots || s->first[i] >= s->n_tokens || s->count[i] > s->n_tokens - s->first[i])
            return fail(err, ERR_LIMIT, "sequence %u of a step lies outside of it", i);
    return true;
}

bool exec_run(struct exec *e, struct step *step, float *const *logits, struct error *err)
{
    if (!check_step(e, step, err)) return false;
    step_seal(step);
    return e->f->run(e, step, logits, err);
}

bool exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err)
{
    return e->f->state_read(e, s, slot, at, n, out, err);
}

bool exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in, struct error *err)
{
    return e->f->state_write(e, s, slot, at, n, in, err);
}

bool exec_state_clear(struct exec *e, uint32_t slot, struct error *err) { return e->f->state_clear(e, slot, err); }

bool exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err)
{
    return e->f->value_write(e, v, in, rows, err);
}

bool exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err)
{
    return e->f->value_read(e, v, out, rows, err);
}

bool exec_decodes(const struct exec *e, const struct sampler *sampler)
{
    return e->f->decode && e->g->logits.id && sampler_fits(sampler);
}

struct decode *exec_decode(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                           const struct decode_limits *limits, struct error *err)
{
    return e->f->decode(e, sequences, n, limits, err);
}
