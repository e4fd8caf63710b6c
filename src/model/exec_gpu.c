/* exec_gpu.c - runs a graph on the GPU. At creation every op plans its dispatches: kernels are compiled, parameters laid
 * into one uniform buffer, bind groups made. A step then only writes the batch and replays the list; nothing is
 * allocated, compiled or bound anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/trace.h"
#include "model/exec_gpu_parts.h"

static void gpu_exec_destroy(struct exec *e)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    for (uint32_t i = 0; i < x->n_dispatches; i++) gpu_bindings_destroy(x->dispatches[i].bindings);
    free(x->params_image);
    decode_memory_free(&x->decode);
    kernel_cache_free(&x->own_kernels);
    for (uint32_t i = 0; x->values && i < x->plan.n_buffers; i++) gpu_buffer_destroy(x->values[i]);
    gpu_pool_destroy(x->state_pool);
    gpu_buffer_destroy(x->batch);
    gpu_buffer_destroy(x->params);
    for (int written = 0; written < 2; written++) gpu_buffer_destroy(x->dummies[written]);
    if (!x->beside) gpu_weights_free(&x->weights);
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

static bool run_step(struct exec_gpu *x, const struct step *step, float *const *logits, struct error *err)
{
    gpu_write(x->gpu, x->batch, 0, step->words, step->n_words * sizeof *step->words);
    gpu_begin(x->gpu, "step");
    replay(x, step);
    val out = x->base.g->logits;
    if (!out.id || !logits || !step->n_outputs) return gpu_submit(x->gpu, err);
    unsigned ticket;
    bool reading = gpu_read(x->gpu, gpu_exec_value_range(x, out, step->n_outputs), &ticket, err);
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

static const struct exec_functions gpu_functions = {gpu_exec_destroy,     gpu_exec_run,         gpu_exec_state_read,
                                                    gpu_exec_state_write, gpu_exec_state_clear, gpu_exec_value_write,
                                                    gpu_exec_value_read,  decode_gpu_create};

/* ---- for decode_gpu.c ---- */

struct gpu_exec_parts gpu_exec_parts(struct exec *e)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    struct gpu_range logits = {0};
    if (e->g->logits.id) logits = gpu_exec_value_range(x, e->g->logits, e->limits.outputs);
    return (struct gpu_exec_parts){x->gpu, x->batch, logits, &x->decode, decode_gpu_kernel(x->kernels), &x->n_runs};
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
        struct gpu_range own = gpu_exec_state_range(x, i, slot, 0, state_stride(&e->g->states[i]));
        with.bytes = own.bytes;
        gpu_copy(x->gpu, back ? with : own, back ? own : with);
        with.at += own.bytes;
    }
}

/* ---- creation ---- */

/* of the states that lie together; 0: a binding is too small for that */
static uint64_t together_bytes(const struct exec_gpu *x)
{
    const uint64_t bytes = gpu_exec_fixed_bytes(&x->base) * x->base.slots;
    return bytes > gpu_describe(x->gpu)->max_binding_bytes ? 0 : bytes;
}

static bool plan_strides(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    const bool together = together_bytes(x) > 0;
    x->state_strides = arena_alloc(&x->arena, g->n_states, sizeof *x->state_strides);
    if (!x->state_strides) return fail_memory(err, "states");
    for (uint32_t i = 1; i < g->n_states; i++)
        x->state_strides[i] = together && !g->states[i].positions
                                  ? (uint32_t)(gpu_exec_fixed_bytes(&x->base) / sizeof(float))
                                  : (uint32_t)state_stride(&g->states[i]);
    return true;
}

/* A slot's states lie together, so that a single copy takes them all. */
static bool create_fixed_states(struct exec_gpu *x, struct error *err)
{
    const struct graph *g = x->base.g;
    uint64_t bytes = together_bytes(x), at = 0;
    if (!bytes) return true;
    if (!gpu_pool_alloc(x->state_pool, bytes, &x->fixed, err)) return false;
    for (uint32_t i = 1; i < g->n_states; i++) {
        if (g->states[i].positions) continue;
        x->states[i] = (struct gpu_range){x->fixed.buffer, x->fixed.at + at, bytes - at};
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
    x->state_pool = gpu_pool_create(x->gpu, "states", total ? total : 256);
    if (!x->states || !x->state_pool) return fail_memory(err, "states");
    if (!plan_strides(x, err) || !create_fixed_states(x, err)) return false;
    for (uint32_t i = 1; i < g->n_states; i++) {
        if (x->states[i].buffer) continue;
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
    x->batch = gpu_buffer_create(x->gpu, "batch", gpu_exec_batch_bytes(*l), err);
    if (!x->batch) return false;
    for (int written = 0; written < 2; written++)
        if (!(x->dummies[written] = gpu_buffer_create(x->gpu, "dummy", DUMMY_BYTES, err))) return false;
    return create_states(x, err);
}

static void count(struct exec_gpu *x)
{
    x->base.sizes.n_kernels = x->kernels->n_kernels;
    for (uint32_t i = 0; i < x->n_dispatches; i++) {
        const struct planned *d = &x->dispatches[i];
        if (d->min_rows <= 1 && d->min_run <= 1) x->base.sizes.n_dispatches++;
    }
    x->base.sizes.copies_bytes = SNAPSHOTS * fixed_state_bytes(x->base.g);
    x->base.sizes.weight_bytes = gpu_pool_bytes(x->weights.pool);
}

/* kernels: where they are kept, or NULL: in the executor */
static struct exec_gpu *create_empty(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                                     struct kernel_cache *kernels, struct error *err)
{
    struct exec_gpu *x = calloc(1, sizeof *x);
    if (!x) return fail_memory(err, "the executor"), NULL;
    x->base = (struct exec){&gpu_functions, g, limits, slots, {0}};
    x->gpu = gpu;
    kernel_cache_init(&x->own_kernels, gpu, limits);
    x->kernels = kernels ? kernels : &x->own_kernels;
    return x;
}

static struct exec *create(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                           struct kernel_cache *kernels, exec_progress *progress, void *user, struct error *err)
{
    struct exec_gpu *x = create_empty(gpu, g, limits, slots, kernels, err);
    if (!x) return NULL;
    bool ok = gpu_weights_plan(&x->weights, gpu, g, &x->arena, err) && create_buffers(x, err);
    uint64_t start = clock_ns();
    const struct trace_zone load = trace_begin("load weights");
    ok = ok && gpu_weights_load(&x->weights, gpu, g, progress, user, err);
    trace_end(load, NULL);
    x->base.sizes.upload_ms = (double)(clock_ns() - start) / 1e6;
    const struct trace_zone plan = trace_begin("plan");
    ok = ok && gpu_exec_plan(x, err);
    trace_end(plan, NULL);
    if (ok) {
        count(x);
        return &x->base;
    }
    gpu_exec_destroy(&x->base);
    return NULL;
}

struct exec *exec_gpu_create(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                             exec_progress *progress, void *user, struct error *err)
{
    return create(gpu, g, limits, slots, NULL, progress, user, err);
}

struct exec *gpu_exec_create_with(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                                  struct kernel_cache *kernels, struct error *err)
{
    return create(gpu, g, limits, slots, kernels, NULL, NULL, err);
}

struct exec *gpu_exec_create_dry(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                                 struct kernel_cache *kernels, struct error *err)
{
    struct exec_gpu *x = create_empty(gpu, g, limits, slots, kernels, err);
    if (!x) return NULL;
    x->taken = arena_alloc(&x->arena, g->n_calls, sizeof *x->taken);
    bool ok = x->taken ? true : fail_memory(err, "the list of dispatches");
    ok = ok && gpu_weights_plan(&x->weights, gpu, g, &x->arena, err) && plan_strides(x, err);
    if (ok) return &x->base;
    gpu_exec_destroy(&x->base);
    return NULL;
}

static bool copy_positions(struct exec_gpu *x, const struct exec_gpu *from, struct error *err)
{
    gpu_begin(x->gpu, "copy states");
    for (uint32_t i = 1; i < x->base.g->n_states; i++)
        if (x->base.g->states[i].positions) gpu_copy(x->gpu, from->states[i], x->states[i]);
    return gpu_submit(x->gpu, err);
}

struct exec *gpu_exec_create_beside(struct exec *first, struct error *err)
{
    const struct exec_gpu *f = (const struct exec_gpu *)first;
    struct exec_gpu *x = create_empty(f->gpu, first->g, first->limits, first->slots, f->kernels, err);
    if (!x) return NULL;
    x->beside = true;
    x->weights = f->weights;
    if (create_buffers(x, err) && copy_positions(x, f, err) && gpu_exec_plan(x, err)) return &x->base;
    gpu_exec_destroy(&x->base);
    return NULL;
}

bool gpu_exec_replan(struct exec *e, struct error *err)
{
    struct exec_gpu *x = (struct exec_gpu *)e;
    for (uint32_t i = 0; i < x->n_dispatches; i++) gpu_bindings_destroy(x->dispatches[i].bindings);
    gpu_buffer_destroy(x->params);
    free(x->params_image);
    x->params = NULL;
    x->params_image = NULL;
    x->n_dispatches = x->n_wanted = 0;
    return gpu_exec_plan(x, err);
}
