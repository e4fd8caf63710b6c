/* exec_ref.c - the scalar executor: calls each op's reference. Slow, exact (double accumulators), needs no GPU.
 * Weights are read from the model file where they lie; vectors are decoded once. */
#include <stdlib.h>
#include <string.h>

#include "model/exec_internal.h"

struct exec_ref {
    struct exec base;
    struct arena arena;
    float **values, **states, **vectors; /* by id */
    float *scratch;
};

static void ref_destroy(struct exec *e)
{
    struct exec_ref *r = (struct exec_ref *)e;
    for (uint32_t i = 1; r->values && i < e->g->n_values; i++) free(r->values[i]);
    for (uint32_t i = 1; r->states && i < e->g->n_states; i++) free(r->states[i]);
    for (uint32_t i = 1; r->vectors && i < e->g->n_weights; i++) free(r->vectors[i]);
    free(r->scratch);
    arena_free(&r->arena);
    free(r);
}

static struct ref_value value_of(struct exec_ref *r, val v, const struct step *step)
{
    if (!v.id) return (struct ref_value){0};
    const struct graph_value *d = &r->base.g->values[v.id];
    return (struct ref_value){r->values[v.id], rows_in_step(step, d->rows), d->cols};
}

/* of a slot; whatever their type is, they are kept as floats */
static size_t state_floats(const struct graph_state *s) { return (size_t)s->rows * s->cols; }

static void run_call(struct exec_ref *r, const struct op_call *c, const struct step *step)
{
    const struct graph *g = r->base.g;
    struct op_ref o = {.args = &c->args, .step = step, .scratch = r->scratch};
    for (int i = 0; i < OP_MAX_INPUTS; i++) o.in[i] = value_of(r, c->in[i], step);
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) o.out[i] = value_of(r, c->out[i], step);
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        if (!c->w[i].id) continue;
        const struct graph_weight *w = &g->weights[c->w[i].id];
        o.w[i] = (struct ref_weight){w->q, w->data, w->rows, w->cols, r->vectors[c->w[i].id]};
    }
    if (c->s.id) {
        const struct graph_state *s = &g->states[c->s.id];
        o.state = r->states[c->s.id];
        o.state_stride = state_floats(s);
        o.state_type = s->type;
        o.state_rows = s->rows;
        o.state_cols = s->cols;
    }
    op_table[c->op].ref(&o);
    if (c->op != OP_QUANTIZE && c->out[OUT_Q8].id) ref_quantize(&o.out[0], &o.out[OUT_Q8]);
}

static bool ref_run(struct exec *e, const struct step *step, float *const *logits, struct error *err)
{
    (void)err;
    struct exec_ref *r = (struct exec_ref *)e;
    for (uint32_t i = 0; i < e->g->n_calls; i++) run_call(r, &e->g->calls[i], step);
    uint32_t V = e->g->logits.id ? e->g->values[e->g->logits.id].cols : 0;
    for (uint32_t i = 0; V && logits && i < step->n_outputs; i++)
        if (logits[i]) memcpy(logits[i], r->values[e->g->logits.id] + (size_t)i * V, V * sizeof(float));
    return true;
}

static bool ref_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err)
{
    (void)err;
    const float *from = ((struct exec_ref *)e)->states[s.id] + slot * state_floats(&e->g->states[s.id]);
    memcpy(out, from + at, n * sizeof *out);
    return true;
}

static bool ref_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in,
                            struct error *err)
{
    (void)err;
    const struct graph_state *d = &e->g->states[s.id];
    kv_round(d->type, in, n, ((struct exec_ref *)e)->states[s.id] + slot * state_floats(d) + at);
    return true;
}

static bool ref_state_clear(struct exec *e, uint32_t slot, struct error *err)
{
    (void)err;
    for (uint32_t i = 1; i < e->g->n_states; i++) {
        size_t stride = state_floats(&e->g->states[i]);
        memset(((struct exec_ref *)e)->states[i] + slot * stride, 0, stride * sizeof(float));
    }
    return true;
}

static bool ref_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err)
{
    (void)err;
    const struct graph_value *d = &e->g->values[v.id];
    struct ref_value to = {((struct exec_ref *)e)->values[v.id], rows, d->cols};
    memcpy(to.data, in, (size_t)rows * d->cols * sizeof *in);
    if (d->q8) ref_quantize(&to, &to);
    return true;
}

static bool ref_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err)
{
    (void)err;
    memcpy(out, ((struct exec_ref *)e)->values[v.id], (size_t)rows * e->g->values[v.id].cols * sizeof *out);
    return true;
}

static const struct exec_functions ref_functions = {ref_destroy,     ref_run,         ref_state_read, ref_state_write,
                                                    ref_state_clear, ref_value_write, ref_value_read, NULL};

static bool allocate(struct exec_ref *r)
{
    const struct graph *g = r->base.g;
    const struct step_limits *l = &r->base.limits;
    r->values = arena_alloc(&r->arena, g->n_values, sizeof *r->values);
    r->states = arena_alloc(&r->arena, g->n_states, sizeof *r->states);
    r->vectors = arena_alloc(&r->arena, g->n_weights, sizeof *r->vectors);
    if (!r->values || !r->states || !r->vectors) return false;
    for (uint32_t i = 1; i < g->n_values; i++) {
        if (g->values[i].scratch) continue;
        size_t rows = value_rows(&g->values[i], *l);
        r->values[i] = calloc(rows * g->values[i].cols, sizeof(float));
        if (!r->values[i]) return false;
        r->base.sizes.work_bytes += rows * g->values[i].cols * sizeof(float);
    }
    for (uint32_t i = 1; i < g->n_states; i++) {
        size_t floats = state_floats(&g->states[i]);
        r->states[i] = calloc(floats * r->base.slots, sizeof(float));
        if (!r->states[i]) return false;
        r->base.sizes.state_bytes += floats * sizeof(float);
    }
    size_t widest = 1;
    for (uint32_t i = 1; i < g->n_weights; i++) {
        const struct graph_weight *w = &g->weights[i];
        if (w->cols > widest) widest = w->cols;
        if (!w->vector || w->stacked) continue;
        size_t n = (size_t)w->rows * w->cols;
        r->vectors[i] = malloc(n * sizeof(float));
        if (!r->vectors[i]) return false;
        vector_read(g, w, r->vectors[i]);
    }
    r->scratch = malloc(widest * sizeof(float));
    return r->scratch;
}

struct exec *exec_ref_create(const struct graph *g, struct step_limits limits, uint32_t slots, struct error *err)
{
    struct exec_ref *r = calloc(1, sizeof *r);
    if (!r) return fail_memory(err, "the reference executor"), NULL;
    r->base = (struct exec){&ref_functions, g, limits, slots, {0}};
    if (allocate(r)) return &r->base;
    ref_destroy(&r->base);
    return fail_memory(err, "the reference executor"), NULL;
}
