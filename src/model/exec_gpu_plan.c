/* exec_gpu_plan.c - what the operations of a graph become: kernels, parameters, bindings, a list of dispatches. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/exec_gpu_parts.h"

static struct gpu_range operand_range(const struct exec_gpu *x, const struct operand *o)
{
    const struct op_call *c = x->call;
    const struct gpu_range dummy = {x->dummies[o->access == 'w'], 0, DUMMY_BYTES};
    val v = o->kind == OPERAND_IN ? c->in[o->index] : o->kind == OPERAND_OUT ? c->out[o->index] : (val){0};
    switch (o->kind) {
    case OPERAND_IN:
    case OPERAND_OUT:
        if (!v.id) return dummy;
        return gpu_exec_value_range(x, v, value_rows(&x->base.g->values[v.id], x->base.limits));
    case OPERAND_VECTOR:
    case OPERAND_QUANTS: return c->w[o->index].id ? x->weights.items[c->w[o->index].id].quants[o->part] : dummy;
    case OPERAND_SCALES: {
        if (!c->w[o->index].id) return dummy;
        struct gpu_range r = x->weights.items[c->w[o->index].id].scales[o->part];
        return r.bytes ? r : dummy;
    }
    case OPERAND_STATE: return c->s.id ? x->states[c->s.id] : dummy;
    default: return dummy;
    }
}

/* the call reads anything that the other one makes */
static bool reads(const struct op_call *c, const struct op_call *maker)
{
    bool any = false;
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        for (int k = 0; k < OP_MAX_OUTPUTS; k++) any |= c->in[i].id && c->in[i].id == maker->out[k].id;
    return any;
}

/* op_plan.take_over */
static bool take_over(void *executor, unsigned input, uint32_t max_rows)
{
    struct exec_gpu *x = executor;
    const struct graph *g = x->base.g;
    const uint32_t made = g->values[x->call->in[input].id].made;
    const struct op_call *maker = &g->calls[made];
    bool alone = made < g->n_calls && reads(x->call, maker);
    if (!alone) return true; /* no call makes it: a call of another graph does (call_group.h) */
    for (uint32_t i = made + 1; alone && i < g->n_calls; i++)
        alone = &g->calls[i] == x->call || !reads(&g->calls[i], maker);
    if (alone) x->taken[made] = max_rows;
    return alone;
}

/* the first number of rows for which the call being planned has to do it */
static uint32_t first_rows(const struct exec_gpu *x, const struct dispatch_desc *d)
{
    uint32_t taken = x->taken[x->call - x->base.g->calls];
    return taken && d->min_rows <= taken ? taken + 1 : d->min_rows;
}

/* op_plan.dispatch, the first time: only which kernels there will be, and how many dispatches */
static bool want_kernel(void *executor, const struct dispatch_desc *d, struct error *err)
{
    struct exec_gpu *x = executor;
    if (d->max_rows && first_rows(x, d) > d->max_rows) return true;
    x->n_wanted++;
    return kernel_cache_want(x->kernels, d, err);
}

/* op_plan.dispatch, the second time: one more dispatch of x->call */
static bool add_dispatch(void *executor, const struct dispatch_desc *d, struct error *err)
{
    struct exec_gpu *x = executor;
    if (d->max_rows && first_rows(x, d) > d->max_rows) return true;
    const struct gpu_kernel *kernel = kernel_cache_find(x->kernels, d);
    if (!kernel || x->n_dispatches == x->n_wanted)
        return fail(err, ERR_DEVICE, "an op planned other kernels the second time");
    uint64_t params_at = PARAMS_SLOT * (uint64_t)x->n_dispatches;
    memcpy(x->params_image + params_at, d->params, d->params_bytes);
    struct gpu_range ranges[2 + DISPATCH_MAX_OPERANDS];
    ranges[0] = (struct gpu_range){x->params, params_at, PARAMS_SLOT};
    ranges[1] = (struct gpu_range){x->batch, 0, gpu_exec_batch_bytes(x->base.limits)};
    for (size_t i = 0; i < d->n_operands; i++) ranges[2 + i] = operand_range(x, &d->operands[i]);
    struct gpu_bindings *bindings = gpu_bindings_create(x->gpu, kernel, ranges, 2 + d->n_operands, err);
    if (!bindings) return false;
    val out = x->call->out[0];
    x->dispatches[x->n_dispatches++] = (struct planned){.kernel = kernel,
                                                        .bindings = bindings,
                                                        .grid = {d->grid[0], d->grid[1], d->grid[2]},
                                                        .min_rows = first_rows(x, d),
                                                        .max_rows = d->max_rows,
                                                        .min_run = d->min_run,
                                                        .max_run = d->max_run,
                                                        .work = work_of(x->base.g, x->call, d, ranges + 2),
                                                        .rows = out.id ? x->base.g->values[out.id].rows : ROWS_TOKENS};
    return true;
}

static bool plan_call(struct exec_gpu *x, const struct op_call *c,
                      bool (*dispatch)(void *executor, const struct dispatch_desc *d, struct error *err),
                      struct error *err)
{
    const struct graph *g = x->base.g;
    struct op_plan p = {.args = &c->args,
                        .device = gpu_describe(x->gpu),
                        .limits = x->base.limits,
                        .rows = ROWS_TOKENS,
                        .exact = !g->int8,
                        .chooser = g->chooser,
                        .executor = x,
                        .dispatch = dispatch,
                        .take_over = take_over};
    for (int i = 0; i < OP_MAX_INPUTS; i++) p.in_cols[i] = c->in[i].id ? g->values[c->in[i].id].cols : 0;
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) p.out_cols[i] = c->out[i].id ? g->values[c->out[i].id].cols : 0;
    if (c->out[0].id) p.rows = g->values[c->out[0].id].rows;
    p.floats_read =
        c->out[0].id && (g->values[c->out[0].id].last > g->values[c->out[0].id].made || g->logits.id == c->out[0].id);
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        if (!c->w[i].id) continue;
        const struct graph_weight *w = &g->weights[c->w[i].id];
        const struct gpu_weight *item = &x->weights.items[c->w[i].id];
        p.w[i] = (struct plan_weight){w->q, w->rows, w->cols, item->rows_per_part, item->n_parts, w->mixed, 0};
        const uint32_t largest = item->largest;
        memcpy(&p.w[i].largest, &largest, sizeof largest);
    }
    if (c->s.id) {
        p.state_rows = g->states[c->s.id].rows;
        p.state_cols = g->states[c->s.id].cols;
        p.state_stride = x->state_strides[c->s.id];
        p.state_type = g->states[c->s.id].type;
    }
    x->call = c;
    if (op_table[c->op].plan(&p, err)) return true;
    return fail_in(err, "layer %d, %s", c->layer, op_table[c->op].name);
}

/* Plans twice: first to compile all kernels together and to know how many dispatches there are, then to make them. First
 * backwards, so that a call knows what those after it take over. */
bool gpu_exec_plan(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    x->taken = arena_alloc(&x->arena, g->n_calls, sizeof *x->taken);
    if (!x->taken) return fail_memory(err, "the list of dispatches");
    for (uint32_t i = g->n_calls; i-- > 0;)
        if (!plan_call(x, &g->calls[i], want_kernel, err)) return false;
    if (g->logits.id && !decode_gpu_want_kernel(x->kernels, g, err)) return false;
    uint64_t start = clock_ns();
    if (!kernel_cache_compile(x->kernels, err)) return false;
    x->base.sizes.compile_ms = (double)(clock_ns() - start) / 1e6;
    const uint64_t params_bytes = PARAMS_SLOT * (uint64_t)(x->n_wanted ? x->n_wanted : 1);
    x->dispatches = arena_alloc(&x->arena, x->n_wanted, sizeof *x->dispatches);
    x->params_image = calloc(1, (size_t)params_bytes);
    x->params = gpu_buffer_create(x->gpu, "params", params_bytes, err);
    if (!x->params) return false;
    if (!x->dispatches || !x->params_image) return fail_memory(err, "the list of dispatches");
    for (uint32_t i = 0; i < g->n_calls; i++)
        if (!plan_call(x, &g->calls[i], add_dispatch, err)) return false;
    gpu_write(x->gpu, x->params, 0, x->params_image, params_bytes);
    free(x->params_image);
    x->params_image = NULL;
    return gpu_check(x->gpu, err);
}

/* ---- for tune.c ---- */

bool gpu_exec_want(struct exec *e, uint32_t call, struct error *err)
{
    return plan_call((struct exec_gpu *)e, &e->g->calls[call], want_kernel, err);
}
