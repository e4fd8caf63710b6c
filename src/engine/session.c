/* session.c - corvid_step: cuts the inputs into steps of the executor and runs them.
 *
 * One step takes tokens of as many sequences as there are, in order, until it is full, so that prefill and decode mix
 * and the weights are read once for all of them. */
#include <stdlib.h>

#include "base/trace.h"
#include "engine/engine.h"

corvid_session *corvid_session_create(corvid_model *model, corvid_error *err)
{
    uint32_t slot = 0;
    while (slot < model->limits.seqs && model->slot_used[slot]) slot++;
    if (slot == model->limits.seqs) {
        fail(inner(err), ERR_LIMIT, "all %u sessions of the model are in use: raise max_sessions", slot);
        return NULL;
    }
    corvid_session *s = calloc(1, sizeof *s);
    if (!s) return fail_memory(inner(err), "a session"), NULL;
    s->model = model;
    s->slot = slot;
    if (!corvid_session_reset(s, err)) {
        free(s);
        return NULL;
    }
    model->slot_used[slot] = true;
    return s;
}

void corvid_session_destroy(corvid_session *session)
{
    if (!session) return;
    session->model->slot_used[session->slot] = false;
    free(session);
}

bool session_check_free(const corvid_session *s, struct error *err)
{
    return !s->generating ||
           fail(err, ERR_ARGUMENT, "the session belongs to a generation: drop it there or close that first");
}

bool corvid_session_reset(corvid_session *session, corvid_error *err)
{
    if (!session_check_free(session, inner(err))) return false;
    session->length = 0;
    session->broken = false;
    ahead_rest(&session->model->device->ahead);
    return exec_state_clear(session->model->exec, session->slot, inner(err));
}

uint64_t corvid_session_length(const corvid_session *session) { return session->length; }

uint64_t session_room(const corvid_session *s)
{
    uint64_t context = s->model->arch->recurrent ? UINT32_MAX : s->model->info.context;
    return context - s->length;
}

bool session_check(const corvid_session *s, const corvid_model *m, const char *what, size_t index, size_t count,
                   struct error *err)
{
    if (!s || s->model != m)
        return fail(err, ERR_ARGUMENT, "%s %zu: the session does not belong to this model", what, index);
    if (s->broken)
        return fail(err, ERR_ARGUMENT, "%s %zu: the session's last step failed: reset it first", what, index);
    if (!session_check_free(s, err)) return fail_in(err, "%s %zu", what, index);
    if (count > session_room(s))
        return fail(err, ERR_LIMIT, "%llu tokens and %zu more do not fit the context of %llu: raise it or reset",
                    (unsigned long long)s->length, count, (unsigned long long)(s->length + session_room(s)));
    return true;
}

static bool check_input(const corvid_model *m, const corvid_input *in, size_t index, struct error *err)
{
    if (!session_check(in->session, m, "input", index, in->count, err)) return false;
    if (!in->count || !in->tokens) return fail(err, ERR_ARGUMENT, "input %zu has no tokens", index);
    for (size_t i = 0; i < in->count; i++)
        if (in->tokens[i] < 0 || (uint32_t)in->tokens[i] >= m->hyper.vocab)
            return fail(err, ERR_ARGUMENT, "input %zu: token %d is not in the vocabulary of %u", index, in->tokens[i],
                        m->hyper.vocab);
    return true;
}

static bool check(const corvid_model *m, const corvid_input *inputs, size_t n, struct error *err)
{
    if (!n || n > m->limits.seqs)
        return fail(err, ERR_ARGUMENT, "%zu inputs in a step, expected 1 to %u", n, m->limits.seqs);
    for (size_t i = 0; i < n; i++) {
        if (!check_input(m, &inputs[i], i, err)) return false;
        for (size_t k = 0; k < i; k++)
            if (inputs[k].session == inputs[i].session)
                return fail(err, ERR_ARGUMENT, "inputs %zu and %zu are the same session", k, i);
    }
    return true;
}

/* where the logits of the input's token `index` go; NULL if nowhere */
static float *logits_of(const corvid_model *m, const corvid_input *in, size_t index)
{
    if (in->all_logits) return in->all_logits + index * m->hyper.vocab;
    return index + 1 == in->count ? in->logits : NULL;
}

/* takes what fits of the input's tokens from `done` on; returns how many */
static size_t take(corvid_model *m, const corvid_input *in, size_t done)
{
    struct step *s = &m->step;
    uint32_t seq = s->n_seqs, first = s->n_tokens;
    size_t n = 0;
    for (; done + n < in->count && s->n_tokens < m->limits.tokens; n++) {
        float *out = logits_of(m, in, done + n);
        if (out && s->n_outputs == m->limits.outputs) break;
        uint32_t row = s->n_tokens++;
        s->token[row] = (uint32_t)in->tokens[done + n];
        s->position[row] = (uint32_t)(in->session->length + n);
        s->seq[row] = seq;
        if (!out) continue;
        m->rows[s->n_outputs] = out;
        s->output[s->n_outputs++] = row;
    }
    if (!n) return 0;
    s->first[seq] = first;
    s->count[seq] = (uint32_t)n;
    s->slot[seq] = in->session->slot;
    s->n_seqs++;
    return n;
}

/* one step of whatever is left; *left is false when nothing is */
static bool run_step(corvid_model *m, const corvid_input *inputs, size_t n, bool *left, struct error *err)
{
    size_t *taken = m->taken;
    step_clear(&m->step);
    for (size_t i = 0; i < n; i++) taken[i] = take(m, &inputs[i], m->fed[i]);
    *left = m->step.n_tokens > 0;
    if (!*left) return true;
    const struct trace_zone zone = trace_begin("step");
    bool ok = exec_run(m->exec, &m->step, m->rows, err);
    trace_end(zone, NULL);
    if (!ok) return false;
    for (size_t i = 0; i < n; i++) {
        m->fed[i] += taken[i];
        inputs[i].session->length += taken[i];
    }
    return true;
}

/* all_logits given, the last row is also the input's logits */
static void copy_last(const corvid_model *m, const corvid_input *in)
{
    if (!in->all_logits || !in->logits) return;
    const float *last = in->all_logits + (in->count - 1) * (size_t)m->hyper.vocab;
    for (uint32_t i = 0; i < m->hyper.vocab; i++) in->logits[i] = last[i];
}

bool corvid_step(corvid_model *model, const corvid_input *inputs, size_t n_inputs, corvid_error *err)
{
    if (!check(model, inputs, n_inputs, inner(err))) return false;
    ahead_rest(&model->device->ahead);
    for (size_t i = 0; i < n_inputs; i++) model->fed[i] = 0;
    for (bool left = true; left;) {
        if (run_step(model, inputs, n_inputs, &left, inner(err))) continue;
        for (size_t i = 0; i < n_inputs; i++) inputs[i].session->broken = true;
        return false;
    }
    for (size_t i = 0; i < n_inputs; i++) copy_last(model, &inputs[i]);
    return true;
}
