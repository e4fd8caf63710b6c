/* call_group.c - see call_group.h */
#include "model/call_group.h"

#include <string.h>

static bool alike_values(const struct graph *g, val a, val b)
{
    const struct graph_value *x = &g->values[a.id], *y = &g->values[b.id];
    return !a.id == !b.id && (!a.id || (x->cols == y->cols && x->rows == y->rows && x->q8 == y->q8));
}

static bool is_read(const struct graph *g, val v)
{
    return g->values[v.id].last > g->values[v.id].made || g->logits.id == v.id;
}

static bool alike_weights(const struct graph *g, weight a, weight b)
{
    const struct graph_weight *x = &g->weights[a.id], *y = &g->weights[b.id];
    return !a.id == !b.id && (!a.id || (x->q == y->q && x->rows == y->rows && x->cols == y->cols &&
                                        x->vector == y->vector && x->n_parts == y->n_parts));
}

static bool alike_states(const struct graph *g, state a, state b)
{
    const struct graph_state *x = &g->states[a.id], *y = &g->states[b.id];
    return !a.id == !b.id &&
           (!a.id || (x->rows == y->rows && x->cols == y->cols && x->positions == y->positions && x->type == y->type));
}

static bool alike_args(const struct op_args *a, const struct op_args *b)
{
    bool alike = a->act == b->act && a->combine == b->combine && a->head_dim == b->head_dim && a->window == b->window &&
                 a->n_products == b->n_products;
    for (uint32_t i = 0; alike && i < a->n_products; i++)
        alike = a->products[i].x_at == b->products[i].x_at && a->products[i].act == b->products[i].act;
    return alike;
}

static bool alike(const struct graph *g, const struct op_call *a, const struct op_call *b)
{
    if (a->op != b->op || !alike_args(&a->args, &b->args) || !alike_states(g, a->s, b->s)) return false;
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        if (!alike_values(g, a->in[i], b->in[i])) return false;
    for (int i = 0; i < OP_MAX_OUTPUTS; i++)
        if (!alike_values(g, a->out[i], b->out[i])) return false;
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        if (!alike_weights(g, a->w[i], b->w[i])) return false;
    return is_read(g, a->out[0]) == is_read(g, b->out[0]);
}

void call_groups_find(const struct graph *g, uint32_t *first_alike)
{
    for (uint32_t i = 0; i < g->n_calls; i++) {
        first_alike[i] = 0;
        while (!alike(g, &g->calls[first_alike[i]], &g->calls[i])) first_alike[i]++; /* ends at i */
    }
}

uint64_t call_bytes(const struct graph *g, const struct op_call *c, uint32_t slots)
{
    uint64_t bytes = 0;
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        const struct graph_weight *w = &g->weights[c->w[i].id];
        if (!c->w[i].id || w->stacked) continue;
        uint64_t words =
            w->vector ? w->cols : quant_row_quant_words(w->q, w->cols) + quant_row_scale_words(w->q, w->cols);
        bytes += words * w->rows * sizeof(uint32_t);
    }
    if (c->s.id) bytes += (uint64_t)g->states[c->s.id].rows * g->states[c->s.id].cols * sizeof(float) * slots;
    return bytes;
}

/* a weight and the parts it is stacked from; map: ids of g to those of out */
static weight copy_weight(struct graph *out, const struct graph *g, weight w, uint32_t *map)
{
    if (!w.id || map[w.id]) return (weight){w.id ? map[w.id] : 0};
    struct graph_weight *copy = &out->weights[out->n_weights];
    const weight own = {map[w.id] = out->n_weights++};
    *copy = g->weights[w.id];
    for (uint32_t i = 0; i < copy->n_parts; i++) copy->parts[i].w = copy_weight(out, g, copy->parts[i].w, map);
    return own;
}

/* the value is written by call `made`; `last` reads it */
static val copy_value(struct graph *out, const struct graph *g, val v, uint32_t made, uint32_t last)
{
    if (!v.id) return v;
    struct graph_value *copy = &out->values[out->n_values];
    *copy = g->values[v.id];
    copy->made = made;
    copy->last = last;
    copy->as_q8 = (val){0};
    return (val){out->n_values++};
}

bool call_group_record(struct graph *out, const struct graph *g, const uint32_t *first_alike, uint32_t first,
                       uint32_t n, uint32_t n_states, struct error *err)
{
    graph_init(out, NULL, NULL);
    out->int8 = g->int8;
    out->calls = arena_alloc(&out->arena, n, sizeof *out->calls);
    out->values = arena_alloc(&out->arena, 1 + OP_MAX_INPUTS + n * OP_MAX_OUTPUTS, sizeof *out->values);
    out->weights = arena_alloc(&out->arena, g->n_weights, sizeof *out->weights);
    out->states = arena_alloc(&out->arena, 1 + n, sizeof *out->states);
    uint32_t *map = arena_alloc(&out->arena, g->n_weights, sizeof *map);
    if (!out->calls || !out->values || !out->weights || !out->states || !map)
        return fail_memory(err, "calls to measure");
    val in[OP_MAX_INPUTS];
    for (int i = 0; i < OP_MAX_INPUTS; i++) in[i] = copy_value(out, g, g->calls[first].in[i], 0, n);
    for (uint32_t from = first; out->n_calls < n; from = (from + 1) % g->n_calls) {
        if (first_alike[from] != first) continue;
        struct op_call *c = &out->calls[out->n_calls];
        *c = g->calls[from];
        memcpy(c->in, in, sizeof in);
        for (int i = 0; i < OP_MAX_WEIGHTS; i++) c->w[i] = copy_weight(out, g, c->w[i], map);
        for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
            /* floats beside an int8 form are written only if they are read */
            bool read = i != OUT_Q8 && c->out[OUT_Q8].id && is_read(g, c->out[i]);
            c->out[i] = copy_value(out, g, g->calls[from].out[i], out->n_calls, out->n_calls + read);
        }
        if (c->s.id) {
            const uint32_t id = 1 + out->n_calls % n_states;
            if (id == out->n_states) out->states[out->n_states++] = g->states[c->s.id];
            c->s = (state){id};
        }
        out->n_calls++;
    }
    return true;
}
