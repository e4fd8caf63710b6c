/* op_case.c - see op_case.h. */
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- devices ---- */

static struct gpu *gpus[N_VARIANTS];
static char variant_names[N_VARIANTS][32];

struct gpu *case_gpu(enum variant v)
{
    if (gpus[v]) return gpus[v];
    const char *device = getenv("CORVID_DEVICE");
    struct gpu_options options = {.device = device};
    if (v == VARIANT_PLAIN) options.no_f16 = options.no_subgroups = options.validate = true;
    struct error err = {0};
    gpus[v] = gpu_open(&options, &err);
    if (!gpus[v]) {
        fprintf(stderr, "no GPU: %s\n", err.message);
        exit(1);
    }
    const struct gpu_info *info = gpu_describe(gpus[v]);
    snprintf(variant_names[v], sizeof variant_names[v], "%s%s%s", v == VARIANT_PLAIN ? "plain" : "features",
             info->subgroups ? " subgroup" : "", info->shader_f16 ? " f16" : "");
    return gpus[v];
}

const char *case_variant_name(enum variant v) { return case_gpu(v) ? variant_names[v] : ""; }

void case_close(void)
{
    for (int v = 0; v < N_VARIANTS; v++) gpu_close(gpus[v]);
    memset(gpus, 0, sizeof gpus);
}

/* ---- random data ---- */

static float uniform(struct rng *r, float low, float high)
{
    return low + (high - low) * (float)(rng_next(r) >> 40) * 0x1p-24f;
}

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    assert_non_null(p);
    return p;
}

/* where a block's f16 scales lie, and how large they may be so that weights stay about 1 */
static const struct block_scales {
    enum quant_type type;
    int d_at, minimum_at; /* minimum_at -1: none */
    float largest;
} block_scales[] = {
    {QUANT_Q4_0, 0, -1, 0.1f},    {QUANT_Q4_1, 0, 2, 0.1f},     {QUANT_Q5_0, 0, -1, 0.06f},  {QUANT_Q5_1, 0, 2, 0.06f},
    {QUANT_Q8_0, 0, -1, 0.01f},   {QUANT_Q4_K, 0, 2, 0.001f},   {QUANT_Q5_K, 0, 2, 0.0005f},
    {QUANT_Q6_K, 208, -1, 0.0003f},
};

static void write_half(uint8_t *at, float f)
{
    uint16_t half = f32_to_f16(f);
    at[0] = (uint8_t)(half & 255);
    at[1] = (uint8_t)(half >> 8);
}

/* any bytes are a block, but its scales must be finite */
static void random_block(struct rng *r, const struct quant_info *q, uint8_t *block)
{
    for (uint32_t i = 0; i < q->block_bytes; i++) block[i] = (uint8_t)rng_next(r);
    for (size_t i = 0; i < sizeof block_scales / sizeof *block_scales; i++) {
        const struct block_scales *s = &block_scales[i];
        if (s->type != q->type) continue;
        write_half(block + s->d_at, uniform(r, -s->largest, s->largest));
        if (s->minimum_at >= 0) write_half(block + s->minimum_at, uniform(r, -s->largest, s->largest));
        return;
    }
    float f = uniform(r, -1, 1);
    if (q->type == QUANT_F16) write_half(block, f);
    else memcpy(block, (uint8_t *)&f + (q->type == QUANT_BF16 ? 2 : 0), q->block_bytes);
}

static struct tensor_info *add_tensor(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows,
                                      uint32_t cols)
{
    assert_true(b->n_tensors < CASE_TENSORS);
    snprintf(b->names[b->n_tensors], sizeof b->names[0], "%s.weight", name);
    struct tensor_info *t = &b->tensors[b->n_tensors];
    size_t n = (size_t)rows * cols;
    *t = (struct tensor_info){.name = b->names[b->n_tensors++], .type = q->type, .n_dims = 2,
                              .dims = {cols, rows, 1, 1}, .n_items = n, .size = n / q->items * q->block_bytes};
    t->data = allocate(t->size, 1);
    return t;
}

weight case_vector(struct op_bench *b, const char *name, uint32_t rows, uint32_t cols, float low, float high)
{
    struct tensor_info *t = add_tensor(b, name, quant_find(QUANT_F32), rows, cols);
    for (size_t i = 0; i < t->n_items; i++) ((float *)t->data)[i] = uniform(&b->rng, low, high);
    return vector(&b->graph, name, rows, cols);
}

weight case_matrix(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows, uint32_t cols)
{
    assert_int_equal(cols % q->items, 0);
    struct tensor_info *t = add_tensor(b, name, q, rows, cols);
    for (size_t at = 0; at < t->size; at += q->block_bytes) random_block(&b->rng, q, (uint8_t *)t->data + at);
    return matrix(&b->graph, name, rows, cols);
}

val case_input(struct op_bench *b, uint32_t cols, float low, float high)
{
    val v = op_input(&b->graph, cols);
    b->inputs[b->n_inputs++] = (struct case_value){v, low, high};
    return v;
}

state case_memory(struct op_bench *b, uint32_t rows, uint32_t cols, bool positions, float low, float high)
{
    b->state = (struct case_state){memory(&b->graph, "state", rows, cols, positions), low, high};
    return b->state.s;
}

static bool find(void *user, const char *name, struct tensor_info *out)
{
    const struct op_bench *b = user;
    for (uint32_t i = 0; i < b->n_tensors; i++) {
        if (strcmp(b->tensors[i].name, name) != 0) continue;
        *out = b->tensors[i];
        return true;
    }
    return false;
}

static float *random_floats(struct rng *r, size_t n, float low, float high)
{
    float *out = allocate(n, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = isnan(low) ? low : uniform(r, low, high);
    return out;
}

/* ---- running ---- */

struct run {
    const struct op_case *c;
    struct op_bench bench;
    struct step_limits limits;
    struct exec *execs[2]; /* reference, GPU */
    struct step step;
    size_t step_index;
};

#define REQUIRE(call)                                                       \
    do {                                                                    \
        struct error err_ = {0};                                            \
        bool ok_ = call;                                                    \
        if (!ok_) fail_msg("%s", err_.message);                             \
    } while (0)

/* one row, one sequence and one output more than any step has */
static struct step_limits limits_of(const struct op_case *c)
{
    struct step_limits limits = {0};
    for (size_t i = 0; i < c->n_steps; i++) {
        uint32_t tokens = 1;
        for (int s = 0; s < CASE_SEQS; s++) tokens += c->steps[i].seqs[s].count;
        if (tokens > limits.tokens) limits.tokens = tokens;
    }
    limits.seqs = CASE_SEQS + 1;
    limits.outputs = limits.tokens;
    return limits;
}

static void fill_step(struct run *r)
{
    struct step *s = &r->step;
    const struct sequence *seqs = r->c->steps[r->step_index].seqs;
    step_clear(s);
    for (int i = 0; i < CASE_SEQS && seqs[i].count; i++) {
        s->first[i] = s->n_tokens;
        s->count[i] = seqs[i].count;
        s->slot[i] = seqs[i].slot;
        s->n_seqs++;
        for (uint32_t t = 0; t < seqs[i].count; t++, s->n_tokens++) {
            s->token[s->n_tokens] = (uint32_t)rng_below(&r->bench.rng, r->bench.vocabulary + 1);
            if (r->bench.vocabulary) s->token[s->n_tokens] %= r->bench.vocabulary;
            s->position[s->n_tokens] = seqs[i].position + t;
            s->seq[s->n_tokens] = (uint32_t)i;
        }
    }
    /* every other row, from the last one back */
    for (uint32_t back = 1; back <= s->n_tokens; back += 2) s->output[s->n_outputs++] = s->n_tokens - back;
}

static const struct op_call *last_call(const struct run *r)
{
    return &r->bench.graph.calls[r->bench.graph.n_calls - 1];
}

static uint32_t rows_of(const struct run *r, val v, bool all)
{
    bool tokens = r->bench.graph.values[v.id].rows == ROWS_TOKENS;
    if (all) return tokens ? r->limits.tokens : r->limits.outputs;
    return tokens ? r->step.n_tokens : r->step.n_outputs;
}

static void fill_values(struct run *r)
{
    struct op_bench *b = &r->bench;
    /* poison first: outputs may share buffers with inputs that an earlier call used up */
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        val v = last_call(r)->out[i];
        if (!v.id) continue;
        uint32_t rows = rows_of(r, v, true);
        float *nan = random_floats(&b->rng, (size_t)rows * b->graph.values[v.id].cols, NAN, NAN);
        for (int e = 0; e < 2; e++) REQUIRE(exec_value_write(r->execs[e], v, nan, rows, &err_));
        free(nan);
    }
    for (uint32_t i = 0; i < b->n_inputs; i++) {
        const struct case_value *in = &b->inputs[i];
        size_t n = (size_t)r->step.n_tokens * b->graph.values[in->v.id].cols;
        float *data = random_floats(&b->rng, n, in->low, in->high);
        for (int e = 0; e < 2; e++) REQUIRE(exec_value_write(r->execs[e], in->v, data, r->step.n_tokens, &err_));
        free(data);
    }
}

static void fill_state(struct run *r)
{
    const struct case_state *s = &r->bench.state;
    if (!s->s.id) return;
    size_t n = (size_t)r->bench.graph.states[s->s.id].rows * r->bench.graph.states[s->s.id].cols;
    for (uint32_t slot = 0; slot < CASE_SLOTS; slot++) {
        float *data = random_floats(&r->bench.rng, n, s->low, s->high);
        for (int e = 0; e < 2; e++) REQUIRE(exec_state_write(r->execs[e], s->s, slot, 0, n, data, &err_));
        free(data);
    }
}

static void compare(const struct run *r, const char *what, const float *want, const float *got, size_t n, size_t cols)
{
    const struct tolerance *t = &r->c->tolerance;
    double error = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)got[i] - want[i];
        if (isnan(want[i]) ? !isnan(got[i]) : !(fabs(d) <= t->absolute + t->relative * fabs((double)want[i])))
            fail_msg("step %zu, %s, row %zu, column %zu: %g, expected %g", r->step_index, what, i / cols, i % cols,
                     (double)got[i], (double)want[i]);
        if (isnan(want[i])) continue;
        error += d * d;
        power += (double)want[i] * want[i];
    }
    if (!(error <= t->nmse * power))
        fail_msg("step %zu, %s: NMSE %g, allowed %g", r->step_index, what, error / power, t->nmse);
}

static void compare_output(const struct run *r, int index, val v)
{
    uint32_t rows = rows_of(r, v, false), all = rows_of(r, v, true), cols = r->bench.graph.values[v.id].cols;
    float *want = allocate((size_t)all * cols, sizeof *want), *got = allocate((size_t)all * cols, sizeof *got);
    REQUIRE(exec_value_read(r->execs[0], v, want, rows, &err_));
    REQUIRE(exec_value_read(r->execs[1], v, got, all, &err_));
    char what[32];
    snprintf(what, sizeof what, "output %d", index);
    compare(r, what, want, got, (size_t)rows * cols, cols);
    if (r->bench.graph.n_calls == 1) /* else the rows behind may hold what an earlier call left */
        for (size_t i = (size_t)rows * cols; i < (size_t)all * cols; i++)
            if (!isnan(got[i])) fail_msg("step %zu, %s: row %zu was written", r->step_index, what, i / cols);
    free(want);
    free(got);
}

static void compare_state(const struct run *r, state s)
{
    const struct graph_state *d = &r->bench.graph.states[s.id];
    size_t n = (size_t)d->rows * d->cols;
    float *want = allocate(n, sizeof *want), *got = allocate(n, sizeof *got);
    for (uint32_t slot = 0; slot < CASE_SLOTS; slot++) {
        REQUIRE(exec_state_read(r->execs[0], s, slot, 0, n, want, &err_));
        REQUIRE(exec_state_read(r->execs[1], s, slot, 0, n, got, &err_));
        char what[32];
        snprintf(what, sizeof what, "state of slot %u", slot);
        compare(r, what, want, got, n, d->cols);
    }
    free(want);
    free(got);
}

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

void case_run(void **test_state)
{
    struct run r = {.c = *test_state, .limits = limits_of(*test_state)};
    struct op_bench *b = &r.bench;
    rng_seed(&b->rng, hash(r.c->name));
    graph_init(&b->graph, find, b);
    r.c->record(b, r.c->n);
    REQUIRE(graph_ok(&b->graph, &err_));
    REQUIRE(step_init(&r.step, r.limits, &err_));
    REQUIRE((r.execs[0] = exec_ref_create(&b->graph, r.limits, CASE_SLOTS, &err_)) != NULL);
    struct gpu_info *info = (struct gpu_info *)gpu_describe(r.c->gpu);
    uint64_t allowed = info->max_binding_bytes;
    if (r.c->max_binding_bytes) info->max_binding_bytes = r.c->max_binding_bytes;
    struct error err = {0};
    r.execs[1] = exec_gpu_create(r.c->gpu, &b->graph, r.limits, CASE_SLOTS, NULL, NULL, &err);
    info->max_binding_bytes = allowed;
    if (!r.execs[1]) fail_msg("%s", err.message);
    fill_state(&r);
    for (; r.step_index < r.c->n_steps; r.step_index++) {
        fill_step(&r);
        fill_values(&r);
        for (int e = 0; e < 2; e++) REQUIRE(exec_run(r.execs[e], &r.step, NULL, &err_));
        for (int i = 0; i < OP_MAX_OUTPUTS; i++)
            if (last_call(&r)->out[i].id) compare_output(&r, i, last_call(&r)->out[i]);
        if (b->state.s.id) compare_state(&r, b->state.s);
    }
    for (int e = 0; e < 2; e++) exec_destroy(r.execs[e]);
    step_free(&r.step);
    for (uint32_t i = 0; i < b->n_tensors; i++) free((void *)b->tensors[i].data);
    graph_free(&b->graph);
}
