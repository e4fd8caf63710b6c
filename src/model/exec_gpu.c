/* exec_gpu.c - runs a graph on the GPU. At creation every op plans its dispatches: kernels are compiled, parameters laid
 * into one uniform buffer, bind groups made. A step then only writes the batch and replays the list; nothing is
 * allocated, compiled or bound anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/trace.h"
#include "model/exec_gpu.h"
#include "model/gpu_weights.h"
#include "model/kernel_cache.h"
#include "model/memory_plan.h"
#include "model/work.h"
#include "quant/q8_row.h"

struct planned {
    const struct gpu_kernel *kernel;
    struct gpu_bindings *bindings;
    struct grid grid[3];
    uint32_t min_rows, max_rows, min_run, max_run;
    enum rows_of rows;
    struct work work;
};

struct exec_gpu {
    struct exec base;
    struct arena arena;
    struct gpu *gpu;
    struct gpu_weights weights;
    struct kernel_cache kernels;
    struct memory_plan plan;
    struct gpu_buffer **values; /* [plan.n_buffers] */
    struct gpu_pool *state_pool;
    struct gpu_range *states;    /* [n_states], all slots */
    uint32_t *state_strides;     /* [n_states], words from slot to slot */
    struct gpu_range fixed;      /* all states without positions, slot by slot; no buffer if that fits no binding */
    uint64_t n_runs;             /* of exec_run */
    struct decode_memory decode; /* kept from one generation to the next */
    struct gpu_buffer *batch, *params, *dummy;
    struct planned *dispatches;
    uint32_t n_dispatches;
    uint32_t n_wanted;           /* dispatches that the first planning counted */
    unsigned char *params_image; /* [n_wanted * PARAMS_SLOT] while they are planned */
    const struct op_call *call;  /* being planned */
    uint32_t *taken; /* [n_calls], steps of up to so many rows are done by the call that reads the outputs */
};

enum { PARAMS_SLOT = 256, DUMMY_BYTES = 256 };

static void gpu_exec_destroy(struct exec *e)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    for (uint32_t i = 0; i < x->n_dispatches; i++) gpu_bindings_destroy(x->dispatches[i].bindings);
    free(x->params_image);
    decode_memory_free(&x->decode);
    kernel_cache_free(&x->kernels);
    for (uint32_t i = 0; x->values && i < x->plan.n_buffers; i++) gpu_buffer_destroy(x->values[i]);
    gpu_pool_destroy(x->state_pool);
    gpu_buffer_destroy(x->batch);
    gpu_buffer_destroy(x->params);
    gpu_buffer_destroy(x->dummy);
    gpu_weights_free(&x->weights);
    arena_free(&x->arena);
    free(x);
}

/* ---- running ---- */

static uint32_t grid_size(const struct grid *g, const struct step *step)
{
    uint32_t fixed = g->fixed ? g->fixed : 1;
    if (g->rows == ROWS_NONE) return fixed;
    uint32_t per = g->per ? g->per : 1;
    return fixed * ((rows_in_step(step, g->rows) + per - 1) / per);
}

static bool is_within(uint32_t n, uint32_t min, uint32_t max) { return n >= min && (!max || n <= max); }

static void replay(const struct exec_gpu *x, const struct step *step)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < step->n_seqs; i++)
        if (step->count[i] > run) run = step->count[i];
    for (uint32_t i = 0; i < x->n_dispatches; i++) {
        const struct planned *d = &x->dispatches[i];
        uint32_t rows = rows_in_step(step, d->rows);
        if (!is_within(rows, d->min_rows, d->max_rows) || !is_within(run, d->min_run, d->max_run)) continue;
        uint32_t groups[3];
        for (int k = 0; k < 3; k++) groups[k] = grid_size(&d->grid[k], step);
        if (!groups[0] || !groups[1] || !groups[2]) continue;
        if (gpu_is_traced(x->gpu)) work_describe(&d->work, x->gpu, rows, step->n_seqs);
        gpu_dispatch(x->gpu, d->kernel, d->bindings, groups);
    }
}

static struct gpu_range value_range(const struct exec_gpu *x, val v, uint32_t rows)
{
    uint64_t bytes = (uint64_t)rows * value_row_words(&x->base.g->values[v.id]) * sizeof(uint32_t);
    return (struct gpu_range){x->values[x->plan.buffer_of[v.id]], 0, bytes};
}

/* copies a range to out, in a submission of its own */
static bool read_back(struct exec_gpu *x, struct gpu_range range, void *out, struct error *err)
{
    unsigned ticket;
    const void *data;
    gpu_begin(x->gpu, "read back");
    bool reading = gpu_read(x->gpu, range, &ticket, err);
    bool ok = gpu_submit(x->gpu, reading ? err : NULL) && reading && gpu_wait(x->gpu, ticket, &data, err);
    if (ok) memcpy(out, data, (size_t)range.bytes);
    if (reading) gpu_release(x->gpu, ticket);
    return ok;
}

static bool run_step(struct exec_gpu *x, const struct step *step, float *const *logits, struct error *err)
{
    gpu_write(x->gpu, x->batch, 0, step->words, step->n_words * sizeof *step->words);
    gpu_begin(x->gpu, "step");
    replay(x, step);
    val out = x->base.g->logits;
    if (!out.id || !logits || !step->n_outputs) return gpu_submit(x->gpu, err);
    unsigned ticket;
    bool reading = gpu_read(x->gpu, value_range(x, out, step->n_outputs), &ticket, err);
    const void *data;
    bool ok = gpu_submit(x->gpu, reading ? err : NULL) && reading && gpu_wait(x->gpu, ticket, &data, err);
    size_t V = x->base.g->values[out.id].cols;
    for (uint32_t i = 0; ok && i < step->n_outputs; i++)
        if (logits[i]) memcpy(logits[i], (const float *)data + i * V, V * sizeof(float));
    if (reading) gpu_release(x->gpu, ticket);
    return ok;
}

static bool gpu_exec_run(struct exec *e, const struct step *step, float *const *logits, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    for (uint32_t i = 0; i < step->n_seqs; i++)
        if (!rewind_now(e, step->slot[i], err)) return false;
    if (!gpu_capture_begin(x->gpu, err)) return false;
    x->n_runs++;
    bool ok = run_step(x, step, logits, err);
    gpu_capture_end(x->gpu);
    return ok;
}

static struct gpu_range state_range(const struct exec_gpu *x, uint32_t id, uint32_t slot, size_t at, size_t n)
{
    struct gpu_range r = x->states[id];
    uint64_t words = (uint64_t)slot * x->state_strides[id] + at;
    return (struct gpu_range){r.buffer, r.at + words * sizeof(uint32_t), n * sizeof(uint32_t)};
}

/* rows of a state that are not floats pass through this */
static uint32_t *kv_image(const struct graph_state *s, size_t rows, struct error *err)
{
    uint32_t *image = malloc(rows * kv_row_words(s->type, s->cols) * sizeof *image);
    if (!image) fail_memory(err, "a key-value cache's rows");
    return image;
}

static bool gpu_exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out,
                                struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    if (!rewind_now(e, slot, err)) return false;
    const struct graph_state *d = &e->g->states[s.id];
    if (d->type == KV_F32) return read_back(x, state_range(x, s.id, slot, at, n), out, err);
    const size_t words = kv_row_words(d->type, d->cols), rows = n / d->cols;
    uint32_t *image = kv_image(d, rows, err);
    bool ok = image && read_back(x, state_range(x, s.id, slot, at / d->cols * words, rows * words), image, err);
    for (size_t i = 0; ok && i < rows; i++) kv_row_decode(d->type, image + i * words, d->cols, out + i * d->cols);
    free(image);
    return ok;
}

static bool gpu_exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in,
                                 struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    if (!rewind_now(e, slot, err)) return false;
    const struct graph_state *d = &e->g->states[s.id];
    const size_t words = kv_row_words(d->type, d->cols), rows = n / d->cols;
    const bool floats = d->type == KV_F32;
    struct gpu_range r = state_range(x, s.id, slot, floats ? at : at / d->cols * words, floats ? n : rows * words);
    uint32_t *image = floats ? NULL : kv_image(d, rows, err);
    if (!floats && !image) return false;
    for (size_t i = 0; image && i < rows; i++) kv_row_encode(d->type, in + i * d->cols, d->cols, image + i * words);
    gpu_write(x->gpu, r.buffer, r.at, image ? (const void *)image : in, r.bytes);
    free(image);
    return gpu_check(x->gpu, err);
}

static bool gpu_exec_state_clear(struct exec *e, uint32_t slot, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    rewind_forget(e, slot);
    gpu_begin(x->gpu, "clear a slot");
    for (uint32_t i = 1; i < e->g->n_states; i++) /* rows of positions that were not written are never read */
        if (!e->g->states[i].positions) gpu_clear(x->gpu, state_range(x, i, slot, 0, state_stride(&e->g->states[i])));
    return gpu_submit(x->gpu, err);
}

/* a value in int8 form passes through this */
static uint32_t *q8_image(const struct graph_value *v, uint32_t rows, struct error *err)
{
    uint32_t *image = malloc(rows * q8_row_words(v->cols) * sizeof *image);
    if (!image) fail_memory(err, "an activation");
    return image;
}

static bool gpu_exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    const struct graph_value *d = &e->g->values[v.id];
    struct gpu_range r = value_range(x, v, rows);
    uint32_t *image = d->q8 ? q8_image(d, rows, err) : NULL;
    if (d->q8 && !image) return false;
    for (uint32_t i = 0; image && i < rows; i++)
        q8_row_encode(in + (size_t)i * d->cols, d->cols, image + i * q8_row_words(d->cols));
    gpu_write(x->gpu, r.buffer, r.at, image ? (const void *)image : in, r.bytes);
    free(image);
    return gpu_check(x->gpu, err);
}

static bool gpu_exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    const struct graph_value *d = &e->g->values[v.id];
    if (!d->q8) return read_back(x, value_range(x, v, rows), out, err);
    uint32_t *image = q8_image(d, rows, err);
    bool ok = image && read_back(x, value_range(x, v, rows), image, err);
    for (uint32_t i = 0; ok && i < rows; i++)
        q8_row_decode(image + i * q8_row_words(d->cols), d->cols, out + (size_t)i * d->cols);
    free(image);
    return ok;
}

static const struct exec_functions gpu_functions = {gpu_exec_destroy,     gpu_exec_run,         gpu_exec_state_read,
                                                    gpu_exec_state_write, gpu_exec_state_clear, gpu_exec_value_write,
                                                    gpu_exec_value_read,  decode_gpu_create};

/* ---- for decode_gpu.c ---- */

struct gpu_exec_parts gpu_exec_parts(struct exec *e)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    struct gpu_range logits = {0};
    if (e->g->logits.id) logits = value_range(x, e->g->logits, e->limits.outputs);
    return (struct gpu_exec_parts){x->gpu, x->batch, logits, &x->decode, decode_gpu_kernel(&x->kernels), &x->n_runs};
}

void gpu_exec_encode(struct exec *e, const struct step *step) { replay((struct exec_gpu *)e, step); }

uint64_t gpu_exec_fixed_bytes(const struct exec *e) { return fixed_state_bytes(e->g); }

void gpu_exec_copy_fixed(struct exec *e, uint32_t slot, struct gpu_range with, bool back)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    if (x->fixed.buffer) {
        uint64_t bytes = gpu_exec_fixed_bytes(e);
        struct gpu_range own = {x->fixed.buffer, x->fixed.at + slot * bytes, bytes};
        gpu_copy(x->gpu, back ? with : own, back ? own : with);
        return;
    }
    for (uint32_t i = 1; i < e->g->n_states; i++) {
        if (e->g->states[i].positions) continue;
        struct gpu_range own = state_range(x, i, slot, 0, state_stride(&e->g->states[i]));
        with.bytes = own.bytes;
        gpu_copy(x->gpu, back ? with : own, back ? own : with);
        with.at += own.bytes;
    }
}

/* ---- planning ---- */

static uint64_t batch_bytes(struct step_limits l) { return step_words(l) * sizeof(uint32_t); }

static struct gpu_range operand_range(const struct exec_gpu *x, const struct operand *o)
{
    const struct op_call *c = x->call;
    const struct gpu_range dummy = {x->dummy, 0, DUMMY_BYTES};
    val v = o->kind == OPERAND_IN ? c->in[o->index] : o->kind == OPERAND_OUT ? c->out[o->index] : (val){0};
    switch (o->kind) {
    case OPERAND_IN:
    case OPERAND_OUT:
        if (!v.id) return dummy;
        return value_range(x, v, value_rows(&x->base.g->values[v.id], x->base.limits));
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
    return kernel_cache_want(&x->kernels, d, err);
}

/* op_plan.dispatch, the second time: one more dispatch of x->call */
static bool add_dispatch(void *executor, const struct dispatch_desc *d, struct error *err)
{
    struct exec_gpu *x = executor;
    if (d->max_rows && first_rows(x, d) > d->max_rows) return true;
    const struct gpu_kernel *kernel = kernel_cache_find(&x->kernels, d);
    if (!kernel || x->n_dispatches == x->n_wanted)
        return fail(err, ERR_DEVICE, "an op planned other kernels the second time");
    uint64_t params_at = PARAMS_SLOT * (uint64_t)x->n_dispatches;
    memcpy(x->params_image + params_at, d->params, d->params_bytes);
    struct gpu_range ranges[2 + DISPATCH_MAX_OPERANDS];
    ranges[0] = (struct gpu_range){x->params, params_at, PARAMS_SLOT};
    ranges[1] = (struct gpu_range){x->batch, 0, batch_bytes(x->base.limits)};
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

/* A slot's states lie together, so that a single copy takes them all; unless a binding is too small for that. */
static bool create_fixed_states(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    uint64_t slot_bytes = gpu_exec_fixed_bytes(&x->base), bytes = slot_bytes * x->base.slots, at = 0;
    if (!bytes || bytes > gpu_describe(x->gpu)->max_binding_bytes) return true;
    if (!gpu_pool_alloc(x->state_pool, bytes, &x->fixed, err)) return false;
    for (uint32_t i = 1; i < g->n_states; i++) {
        if (g->states[i].positions) continue;
        x->states[i] = (struct gpu_range){x->fixed.buffer, x->fixed.at + at, bytes - at};
        x->state_strides[i] = (uint32_t)(slot_bytes / sizeof(float));
        at += state_stride(&g->states[i]) * sizeof(float);
    }
    return true;
}

static bool create_states(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    uint64_t total = 0;
    for (uint32_t i = 1; i < g->n_states; i++) {
        uint64_t slot_bytes = state_stride(&g->states[i]) * sizeof(float);
        x->base.sizes.state_bytes += slot_bytes;
        total += round_up(slot_bytes * x->base.slots, 256);
    }
    x->states = arena_alloc(&x->arena, g->n_states, sizeof *x->states);
    x->state_strides = arena_alloc(&x->arena, g->n_states, sizeof *x->state_strides);
    x->state_pool = gpu_pool_create(x->gpu, "states", total ? total : 256);
    if (!x->states || !x->state_strides || !x->state_pool) return fail_memory(err, "states");
    if (!create_fixed_states(x, err)) return false;
    for (uint32_t i = 1; i < g->n_states; i++) {
        if (x->states[i].buffer) continue;
        x->state_strides[i] = (uint32_t)state_stride(&g->states[i]);
        uint64_t bytes = state_stride(&g->states[i]) * x->base.slots * sizeof(float);
        if (bytes > gpu_describe(x->gpu)->max_binding_bytes)
            return fail(err, ERR_LIMIT,
                        "the state %s of %u sessions needs %llu MiB in one binding, the device allows "
                        "%llu: use fewer sessions or a shorter context",
                        g->states[i].name, x->base.slots, (unsigned long long)(bytes >> 20),
                        (unsigned long long)(gpu_describe(x->gpu)->max_binding_bytes >> 20));
        if (!gpu_pool_alloc(x->state_pool, bytes, &x->states[i], err)) return false;
    }
    return gpu_pool_make(x->state_pool, err);
}

/* "activation 3, from layer 0's WKV7": the call that writes to the buffer first */
static void label_activation(const struct exec_gpu *x, uint32_t buffer, char *out, size_t capacity)
{
    const struct graph *g = x->base.g;
    uint32_t id = 1;
    while (id + 1 < g->n_values && x->plan.buffer_of[id] != buffer) id++;
    const struct op_call *c = &g->calls[g->values[id].made];
    int n = snprintf(out, capacity, "activation %u, from ", buffer);
    if (c->layer >= 0) n += snprintf(out + n, capacity - (size_t)n, "layer %d's ", c->layer);
    snprintf(out + n, capacity - (size_t)n, "%s", op_table[c->op].name);
}

static bool create_buffers(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    const struct step_limits *l = &x->base.limits;
    if (!memory_plan_make(&x->plan, g, *l, &x->arena, err)) return false;
    x->values = arena_alloc(&x->arena, x->plan.n_buffers + 1, sizeof *x->values);
    if (!x->values) return fail_memory(err, "activations");
    for (uint32_t i = 0; i < x->plan.n_buffers; i++) {
        char label[64];
        label_activation(x, i, label, sizeof label);
        x->values[i] = gpu_buffer_create(x->gpu, label, x->plan.bytes[i], err);
        if (!x->values[i]) return false;
        x->base.sizes.work_bytes += x->plan.bytes[i];
    }
    x->batch = gpu_buffer_create(x->gpu, "batch", batch_bytes(*l), err);
    x->dummy = x->batch ? gpu_buffer_create(x->gpu, "dummy", DUMMY_BYTES, err) : NULL;
    return x->dummy && create_states(x, err);
}

/* Plans twice: first to compile all kernels together and to know how many dispatches there are, then to make them. First
 * backwards, so that a call knows what those after it take over. */
static bool plan(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    x->taken = arena_alloc(&x->arena, g->n_calls, sizeof *x->taken);
    if (!x->taken) return fail_memory(err, "the list of dispatches");
    for (uint32_t i = g->n_calls; i-- > 0;)
        if (!plan_call(x, &g->calls[i], want_kernel, err)) return false;
    if (g->logits.id && !decode_gpu_want_kernel(&x->kernels, g, err)) return false;
    uint64_t start = clock_ns();
    if (!kernel_cache_compile(&x->kernels, err)) return false;
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

bool gpu_exec_compile(struct exec *e, struct error *err)
{
    return kernel_cache_compile(&((struct exec_gpu *)e)->kernels, err);
}

static void count(struct exec_gpu *x)
{
    x->base.sizes.n_kernels = x->kernels.n_kernels;
    for (uint32_t i = 0; i < x->n_dispatches; i++) {
        const struct planned *d = &x->dispatches[i];
        if (d->min_rows <= 1 && d->min_run <= 1) x->base.sizes.n_dispatches++;
    }
    x->base.sizes.copies_bytes = SNAPSHOTS * fixed_state_bytes(x->base.g);
    x->base.sizes.weight_bytes = gpu_pool_bytes(x->weights.pool);
}

struct exec *exec_gpu_create(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                             exec_progress *progress, void *user, struct error *err)
{
    struct exec_gpu *x = calloc(1, sizeof *x);
    if (!x) return fail_memory(err, "the executor"), NULL;
    x->base = (struct exec){&gpu_functions, g, limits, slots, {0}};
    x->gpu = gpu;
    kernel_cache_init(&x->kernels, gpu, limits);
    bool ok = gpu_weights_plan(&x->weights, gpu, g, &x->arena, err) && create_buffers(x, err);
    uint64_t start = clock_ns();
    ok = ok && gpu_weights_load(&x->weights, gpu, g, progress, user, err);
    x->base.sizes.upload_ms = (double)(clock_ns() - start) / 1e6;
    if (trace_is_on()) trace_end(start, "load weights", NULL);
    const uint64_t began = trace_begin();
    ok = ok && plan(x, err);
    trace_end(began, "plan", NULL);
    if (ok) {
        count(x);
        return &x->base;
    }
    gpu_exec_destroy(&x->base);
    return NULL;
}
