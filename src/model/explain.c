/* explain.c - see explain.h
 *
 *   12  blk.1   MATMUL        v15[T,256] @3 = v9[T,256] @1, time_mix_key.weight[256,256] Q8_0 */
#include "model/explain.h"

#include <string.h>

#include "model/memory_plan.h"

static const char *const act_names[] = {"", "sigmoid", "tanh", "relu^2", "silu", "gelu"};

static void put_value(const struct graph *g, const struct memory_plan *plan, val v, struct builder *out)
{
    const struct graph_value *d = &g->values[v.id];
    builder_printf(out, "v%u[%s,%u] @%u", v.id,
                   d->rows == ROWS_OUTPUTS  ? "O"
                   : d->rows == ROWS_TOKENS ? "T"
                                            : "1",
                   d->cols, plan->buffer_of[v.id]);
}

static void put_call(const struct graph *g, const struct memory_plan *plan, uint32_t index, struct builder *out)
{
    const struct op_call *c = &g->calls[index];
    const char *separator = "";
    if (c->layer < 0) builder_printf(out, "%5u  %-8s %-12s ", index, "", op_table[c->op].name);
    else builder_printf(out, "%5u  blk.%-4d %-12s ", index, c->layer, op_table[c->op].name);
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        if (!c->out[i].id) continue;
        builder_text(out, separator);
        put_value(g, plan, c->out[i], out);
        separator = ", ";
    }
    separator = " = ";
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        if (!c->in[i].id) continue;
        builder_text(out, separator);
        put_value(g, plan, c->in[i], out);
        separator = ", ";
    }
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        const struct graph_weight *w = &g->weights[c->w[i].id];
        if (!c->w[i].id || (w->n_parts && !w->vector)) continue; /* a stack of matrices that are named themselves */
        for (uint32_t k = 0; k < w->n_parts; k++) {
            if (!w->parts[k].w.id) continue;
            builder_printf(out, "%s%s", separator, g->weights[w->parts[k].w.id].name);
            separator = k + 1 < w->n_parts ? " + " : ", ";
        }
        if (w->n_parts) continue;
        builder_printf(out, "%s%s[%u,%u] %s", separator, w->name, w->rows, w->cols, w->q->name);
        separator = ", ";
    }
    if (c->s.id) {
        const struct graph_state *s = &g->states[c->s.id];
        builder_printf(out, "%sstate %s[%u,%u]", separator, s->name, s->rows, s->cols);
        if (s->type != KV_F32) builder_printf(out, " %s", kv_type_name(s->type));
    }
    for (uint32_t i = 0; i < c->args.n_products; i++)
        builder_printf(out, ", x_%u from %u%s%s", i, c->args.products[i].x_at, c->args.products[i].act ? " f = " : "",
                       act_names[c->args.products[i].act]);
    if (c->args.act) builder_printf(out, ", f = %s", act_names[c->args.act]);
    if (c->args.combine) builder_text(out, c->args.combine == COMBINE_ADD ? ", + other" : ", * other");
    if (c->args.window) builder_printf(out, ", window %u", c->args.window);
    builder_text(out, "\n");
}

static void put_formulas(const struct graph *g, struct builder *out)
{
    bool used[OP_COUNT] = {false};
    for (uint32_t i = 0; i < g->n_calls; i++) used[g->calls[i].op] = true;
    for (int i = 0; i < OP_COUNT; i++)
        if (used[i])
            builder_printf(out, "%-12s %s\n             %s\n", op_table[i].name, op_table[i].formula,
                           op_table[i].shapes);
    builder_text(out, "\n");
}

bool explain(const struct graph *g, struct step_limits limits, struct builder *out, struct error *err)
{
    struct arena arena = {0};
    struct memory_plan plan;
    if (!memory_plan_make(&plan, g, limits, &arena, err)) {
        arena_free(&arena);
        return false;
    }
    put_formulas(g, out);
    for (uint32_t i = 0; i < g->n_calls; i++) put_call(g, &plan, i, out);
    uint64_t work = 0, states = 0;
    for (uint32_t i = 0; i < plan.n_buffers; i++) work += plan.bytes[i];
    for (uint32_t i = 1; i < g->n_states; i++)
        states += g->states[i].rows * kv_row_words(g->states[i].type, g->states[i].cols) * sizeof(uint32_t);
    builder_printf(out,
                   "\n%u ops, %u weights, %u activations in %u buffers (@n) of %.1f MiB for steps of up to %u tokens, "
                   "%.1f MiB of state a session\n",
                   g->n_calls, g->n_weights - 1, g->n_values - 1, plan.n_buffers, (double)work / (1 << 20),
                   limits.tokens, (double)states / (1 << 20));
    arena_free(&arena);
    return out->failed ? fail_memory(err, "the explanation") : true;
}
