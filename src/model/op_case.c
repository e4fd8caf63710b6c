/* op_case.c - runs a case on both executors and compares what they make. */
#include "model/op_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "quant/q8_row.h"

struct run {
    const struct op_case *c;
    struct op_bench bench;
    struct step_limits limits;
    struct exec *execs[2]; /* reference, GPU */
    struct step step;
    size_t step_index;
    float *want, *got; /* each holds any value or any slot's state */
    struct op_case_result *result;
};

void op_case_compare(const struct tolerance *t, const char *what, const float *want, const float *got, size_t n,
                     size_t cols, struct op_case_result *result)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)got[i] - want[i];
        bool near = fabs(d) <= t->absolute + t->relative * fabs((double)want[i]); /* false if got is NaN */
        if (!(isnan(want[i]) ? isnan(got[i]) : near) && !result->wrong) {
            result->wrong = true;
            snprintf(result->message, sizeof result->message, "%s, row %zu, column %zu: %g, expected %g", what,
                     i / cols, i % cols, (double)got[i], (double)want[i]);
        }
        if (isnan(want[i])) continue;
        error += d * d;
        power += (double)want[i] * want[i];
    }
    double nmse = error == 0 ? 0 : error / power;
    if (isnan(nmse) || nmse > result->nmse) result->nmse = nmse;
    if (nmse <= t->nmse || result->wrong) return;
    result->wrong = true;
    snprintf(result->message, sizeof result->message, "%s: NMSE %g, allowed %g", what, nmse, t->nmse);
}

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

/* r->want to the value on both executors */
static bool write_value(struct run *r, val v, uint32_t rows, struct error *err)
{
    return exec_value_write(r->execs[0], v, r->want, rows, err) && exec_value_write(r->execs[1], v, r->want, rows, err);
}

/* not what dispatches leave for each other */
static bool is_compared(const struct run *r, val v) { return v.id && !r->bench.graph.values[v.id].scratch; }

static bool poison(struct run *r, val v, struct error *err)
{
    uint32_t rows = rows_of(r, v, true);
    case_fill(&r->bench.rng, r->want, (size_t)rows * r->bench.graph.values[v.id].cols, NAN, NAN);
    return write_value(r, v, rows, err);
}

static bool fill_input(struct run *r, const struct case_value *in, struct error *err)
{
    uint32_t cols = r->bench.graph.values[in->v.id].cols;
    size_t n = (size_t)r->step.n_tokens * cols;
    case_fill(&r->bench.rng, r->want, n, 0, 1);
    for (size_t k = 0; k < n; k++) {
        struct case_range range = in->blocks[k % cols / (cols / in->n_blocks)];
        r->want[k] = range.low + (range.high - range.low) * r->want[k];
        if (in->step > 0) r->want[k] = roundf(r->want[k] / in->step) * in->step;
    }
    return write_value(r, in->v, r->step.n_tokens, err);
}

static bool fill_values(struct run *r, struct error *err)
{
    struct op_bench *b = &r->bench;
    /* poison first: outputs may share buffers with inputs that an earlier call used up */
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        val v = last_call(r)->out[i];
        if (is_compared(r, v) && !poison(r, v, err)) return false;
    }
    for (uint32_t i = 0; i < b->n_inputs; i++)
        if (!fill_input(r, &b->inputs[i], err)) return false;
    return true;
}

static size_t state_floats(const struct run *r)
{
    uint32_t id = r->bench.state.s.id;
    return id ? (size_t)r->bench.graph.states[id].rows * r->bench.graph.states[id].cols : 0;
}

static bool fill_state(struct run *r, struct error *err)
{
    const struct case_state *s = &r->bench.state;
    size_t n = state_floats(r);
    for (uint32_t slot = 0; n && slot < CASE_SLOTS; slot++) {
        case_fill(&r->bench.rng, r->want, n, s->low, s->high);
        for (int e = 0; e < 2; e++)
            if (!exec_state_write(r->execs[e], s->s, slot, 0, n, r->want, err)) return false;
    }
    return true;
}

/* In int8 form a value that lies halfway between two integers may go to either: one step of its block. So each block is
 * compared by itself, and all together with an NMSE that allows few of those. */
static void compare_q8(struct run *r, const char *what, size_t n, size_t cols)
{
    struct tolerance t = r->c->tolerance;
    float largest = 0;
    for (size_t at = 0; at < n; at += Q8_BLOCK) {
        float top = 0;
        for (size_t i = at; i < at + Q8_BLOCK; i++) top = fmaxf(top, fabsf(r->want[i]));
        largest = fmaxf(largest, top);
        for (size_t i = at; i < at + Q8_BLOCK && !r->result->wrong; i++) {
            double allowed = t.absolute + t.relative * fabs((double)r->want[i]) + 1.01 * (double)top / 127;
            if (fabs((double)r->got[i] - r->want[i]) <= allowed) continue; /* false for NaN */
            if (isnan(r->want[i]) && isnan(r->got[i])) continue;
            r->result->wrong = true;
            snprintf(r->result->message, sizeof r->result->message, "%s, row %zu, column %zu: %g, expected %g", what,
                     i / cols, i % cols, (double)r->got[i], (double)r->want[i]);
        }
    }
    t.absolute += 1.01 * (double)largest / 127;
    t.nmse += 1e-6;
    op_case_compare(&t, what, r->want, r->got, n, cols, r->result);
}

/* an output that is wanted in int8 form only is not written as floats */
static bool is_written(const struct run *r, int index)
{
    const struct op_call *c = last_call(r);
    const struct graph_value *v = &r->bench.graph.values[c->out[index].id];
    return is_compared(r, c->out[index]) && (index != 0 || !c->out[OUT_Q8].id || v->last > v->made);
}

static bool compare_output(struct run *r, int index, val v, struct error *err)
{
    uint32_t rows = rows_of(r, v, false), all = rows_of(r, v, true), cols = r->bench.graph.values[v.id].cols;
    if (!exec_value_read(r->execs[0], v, r->want, rows, err) || !exec_value_read(r->execs[1], v, r->got, all, err))
        return false;
    char what[64];
    snprintf(what, sizeof what, "step %zu, output %d", r->step_index, index);
    if (r->bench.graph.values[v.id].q8) compare_q8(r, what, (size_t)rows * cols, cols);
    else op_case_compare(&r->c->tolerance, what, r->want, r->got, (size_t)rows * cols, cols, r->result);
    if (r->bench.graph.n_calls != 1) return true; /* the rows behind may hold what an earlier call left */
    for (size_t i = (size_t)rows * cols; i < (size_t)all * cols; i++) {
        if (isnan(r->got[i]) || r->result->wrong) continue;
        r->result->wrong = true;
        snprintf(r->result->message, sizeof r->result->message, "%s: row %zu behind the step's was written", what,
                 i / cols);
    }
    return true;
}

static bool compare_state(struct run *r, struct error *err)
{
    size_t n = state_floats(r);
    state s = r->bench.state.s;
    for (uint32_t slot = 0; n && slot < CASE_SLOTS; slot++) {
        if (!exec_state_read(r->execs[0], s, slot, 0, n, r->want, err) ||
            !exec_state_read(r->execs[1], s, slot, 0, n, r->got, err))
            return false;
        const struct graph_state *d = &r->bench.graph.states[s.id];
        struct tolerance t = r->c->tolerance;
        char what[64];
        snprintf(what, sizeof what, "step %zu, state of slot %u", r->step_index, slot);
        if (d->type == KV_Q8) {
            compare_q8(r, what, n, d->cols);
            continue;
        }
        if (d->type == KV_F16 && t.relative > 0) t.relative += 0x1p-10; /* a value halfway may go to either neighbour */
        op_case_compare(&t, what, r->want, r->got, n, d->cols, r->result);
    }
    return true;
}

static bool prepare(struct run *r, struct gpu *gpu, struct error *err)
{
    struct op_bench *b = &r->bench;
    if (gpu_describe(gpu)->matrix_units) {
        b->graph.units_tokens = r->limits.tokens;
        b->graph.units_outputs = r->limits.outputs;
    }
    r->c->record(b, r->c->n);
    if (!graph_ok(&b->graph, err) || !step_init(&r->step, r->limits, err)) return false;
    size_t largest = state_floats(r);
    for (uint32_t id = 1; id < b->graph.n_values; id++) {
        size_t n = (size_t)r->limits.tokens * b->graph.values[id].cols;
        if (n > largest) largest = n;
    }
    r->want = arena_alloc(&b->arena, largest, sizeof *r->want);
    r->got = arena_alloc(&b->arena, largest, sizeof *r->got);
    if (!r->want || !r->got) return fail_memory(err, "a test of an op");
    r->execs[0] = exec_ref_create(&b->graph, r->limits, CASE_SLOTS, err);
    r->execs[1] = r->execs[0] ? exec_gpu_create(gpu, &b->graph, r->limits, CASE_SLOTS, NULL, NULL, err) : NULL;
    return r->execs[1] && fill_state(r, err);
}

static bool run_step(struct run *r, struct error *err)
{
    fill_step(r);
    if (!fill_values(r, err)) return false;
    for (int e = 0; e < 2; e++)
        if (!exec_run(r->execs[e], &r->step, NULL, err)) return false;
    for (int i = 0; i < OP_MAX_OUTPUTS; i++)
        if (is_written(r, i) && !compare_output(r, i, last_call(r)->out[i], err)) return false;
    return compare_state(r, err);
}

bool op_case_run(const struct op_case *c, struct gpu *gpu, struct op_case_result *result, struct error *err)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r) return fail_memory(err, "a test of an op");
    *result = (struct op_case_result){0};
    r->c = c;
    r->limits = limits_of(c);
    r->result = result;
    case_begin(&r->bench, c->name);
    bool ok = prepare(r, gpu, err);
    for (; ok && r->step_index < c->n_steps; r->step_index++) ok = run_step(r, err);
    for (int e = 0; e < 2; e++) exec_destroy(r->execs[e]);
    step_free(&r->step);
    case_end(&r->bench);
    free(r);
    return ok;
}
