/* rivals.c - see rivals.h */
#include "model/rivals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "model/exec_gpu.h"
#include "ops/tuning.h"

enum { MAX_RUNS = 400, CALLS_AT_ONCE = 128, GLANCE = 4 /* part of a series */ };
static const double series_s = 0.004, clearly_slower = 1.1, far_slower = 1.25, most_nmse = 1e-5;

void rivals_release(struct rivals *r)
{
    exec_destroy(r->usual);
    exec_destroy(r->other);
    if (!r->borrowed) graph_free(&r->graph);
    step_free(&r->step);
    for (int i = 0; i < OP_MAX_INPUTS; i++) free(r->inputs[i]);
    free(r->want);
    free(r->got);
    *r = (struct rivals){.gpu = r->gpu};
}

bool rivals_make_usual(struct rivals *r, bool dry, struct error *err)
{
    r->usual = (dry ? gpu_exec_create_dry : gpu_exec_create_with)(r->gpu, &r->graph, r->limits, r->limits.seqs,
                                                                  r->kernels, err);
    return r->usual;
}

/* ---- a step ---- */

/* rows of the cache that the calls have, or 0 */
static uint32_t positions_of(const struct graph *g)
{
    return g->n_states > 1 && g->states[1].positions ? g->states[1].rows : 0;
}

void rivals_set_step(struct rivals *r, uint32_t tokens)
{
    struct step *s = &r->step;
    const bool few = tokens <= r->limits.seqs;
    const uint32_t positions = positions_of(&r->graph), reach = positions < r->reach ? positions : r->reach;
    const uint32_t run = few ? 1 : tokens, first = reach > run ? reach - run : 0;
    step_clear(s);
    s->n_tokens = tokens;
    s->n_seqs = few ? tokens : 1;
    for (uint32_t i = 0; i < s->n_seqs; i++) {
        s->first[i] = s->slot[i] = i;
        s->count[i] = run;
    }
    for (uint32_t i = 0; i < tokens; i++) {
        s->token[i] = 0;
        s->position[i] = first + (few ? 0 : i);
        s->seq[i] = few ? i : 0;
    }
    for (; s->n_outputs < tokens && s->n_outputs < r->limits.outputs; s->n_outputs++)
        s->output[s->n_outputs] = s->n_outputs;
}

static uint32_t rows_now(const struct rivals *r, val v)
{
    const enum rows_of rows = r->graph.values[v.id].rows;
    return rows == ROWS_TOKENS ? r->step.n_tokens : rows == ROWS_OUTPUTS ? r->step.n_outputs : 1;
}

static uint32_t rows_at_most(const struct rivals *r, val v) { return value_rows(&r->graph.values[v.id], r->limits); }

static size_t value_floats(const struct rivals *r, val v)
{
    return (size_t)rows_at_most(r, v) * r->graph.values[v.id].cols;
}

static size_t state_floats(const struct rivals *r, state s)
{
    return s.id ? (size_t)r->graph.states[s.id].rows * r->graph.states[s.id].cols : 0;
}

/* numbers from 0 to 1, with which no op's state grows without end */
static bool make_inputs(struct rivals *r, struct error *err)
{
    const struct op_call *c = &r->graph.calls[0];
    struct rng rng;
    rng_seed(&rng, 1);
    size_t most = state_floats(r, c->s);
    for (int i = 0; i < OP_MAX_OUTPUTS; i++)
        if (c->out[i].id && value_floats(r, c->out[i]) > most) most = value_floats(r, c->out[i]);
    r->want = malloc((most + 1) * sizeof *r->want);
    r->got = malloc((most + 1) * sizeof *r->got);
    bool ok = r->want && r->got;
    for (int i = 0; ok && i < OP_MAX_INPUTS; i++) {
        if (!c->in[i].id) continue;
        size_t n = value_floats(r, c->in[i]);
        r->inputs[i] = malloc(n * sizeof(float));
        ok = r->inputs[i];
        for (size_t k = 0; ok && k < n; k++) r->inputs[i][k] = (float)(rng_next(&rng) >> 40) * 0x1p-24f;
    }
    return (ok || fail_memory(err, "values to measure with")) && step_init(&r->step, r->limits, err);
}

static bool write_inputs(struct rivals *r, struct exec *e, struct error *err)
{
    const struct op_call *c = &r->graph.calls[0];
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        if (c->in[i].id && !exec_value_write(e, c->in[i], r->inputs[i], rows_at_most(r, c->in[i]), err)) return false;
    return true;
}

/* the inputs' numbers in every position of the caches, which are alike but in a graph that is no group of calls */
static bool write_caches(struct rivals *r, struct error *err)
{
    const struct graph *g = &r->graph;
    if (!positions_of(g) || r->borrowed) return true;
    const size_t n = state_floats(r, (state){1});
    struct rng rng;
    rng_seed(&rng, 2);
    for (size_t k = 0; k < n; k++) r->want[k] = (float)(rng_next(&rng) >> 40) * 0x1p-24f;
    for (uint32_t i = 1; i < g->n_states; i++)
        for (uint32_t slot = 0; slot < r->limits.seqs; slot++)
            if (!exec_state_write(r->usual, (state){i}, slot, 0, n, r->want, err)) return false;
    return true;
}

bool rivals_prepare(struct rivals *r, struct error *err)
{
    return make_inputs(r, err) && write_inputs(r, r->usual, err) && write_caches(r, err);
}

bool rivals_make_other(struct rivals *r, struct error *err)
{
    if (r->other) return gpu_exec_replan(r->other, err);
    r->other = gpu_exec_create_beside(r->usual, err);
    return r->other && write_inputs(r, r->other, err);
}

/* ---- results ---- */

static bool is_near(const float *want, const float *got, size_t n)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        power += (double)want[i] * want[i];
    }
    return isfinite(power) && error <= most_nmse * power; /* false if error is NaN */
}

/* An output of the last call. Others are not written, or are what an op's dispatches leave for each other. */
static bool is_result(const struct rivals *r, int i)
{
    const struct op_call *c = &r->graph.calls[r->graph.n_calls - 1];
    const struct graph_value *v = &r->graph.values[c->out[i].id];
    return c->out[i].id && (i || !c->out[OUT_Q8].id || v->last != v->made) && !v->scratch;
}

/* what the candidate before left */
static bool clear_outputs(struct rivals *r, struct error *err)
{
    const struct op_call *c = &r->graph.calls[r->graph.n_calls - 1];
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        if (!is_result(r, i)) continue;
        memset(r->got, 0, value_floats(r, c->out[i]) * sizeof *r->got);
        if (!exec_value_write(r->other, c->out[i], r->got, rows_now(r, c->out[i]), err)) return false;
    }
    return true;
}

static bool compare_outputs(struct rivals *r, bool *same, struct error *err)
{
    const struct op_call *c = &r->graph.calls[r->graph.n_calls - 1];
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        const struct graph_value *v = &r->graph.values[c->out[i].id];
        if (!is_result(r, i)) continue;
        uint32_t rows = rows_now(r, c->out[i]);
        if (!exec_value_read(r->usual, c->out[i], r->want, rows, err) ||
            !exec_value_read(r->other, c->out[i], r->got, rows, err))
            return false;
        *same &= is_near(r->want, r->got, (size_t)rows * v->cols);
    }
    const size_t n = state_floats(r, c->s);
    const uint32_t slot = r->step.n_seqs - 1;
    if (!n) return true;
    if (!exec_state_read(r->usual, c->s, slot, 0, n, r->want, err) ||
        !exec_state_read(r->other, c->s, slot, 0, n, r->got, err))
        return false;
    *same &= is_near(r->want, r->got, n);
    return true;
}

bool rivals_run(struct rivals *r, struct error *err)
{
    return exec_run(r->usual, &r->step, NULL, err) && exec_run(r->other, &r->step, NULL, err);
}

bool rivals_compare(struct rivals *r, bool *same, struct error *err)
{
    struct exec *both[] = {r->usual, r->other};
    *same = true;
    if (!clear_outputs(r, err)) return false;
    for (int e = 0; e < 2; e++)
        for (uint32_t slot = 0; r->graph.n_states > 1 && slot < r->step.n_seqs; slot++)
            if (!exec_state_clear(both[e], slot, err)) return false;
    return rivals_run(r, err) && compare_outputs(r, same, err);
}

/* ---- time ---- */

/* Seconds of the step that the executor ran last, of `runs` in a row; negative after a failure. The device computes while
 * more is encoded, or run again where it can be. */
static double measure(struct rivals *r, struct exec *e, uint32_t runs, struct error *err)
{
    const uint64_t start = clock_ns();
    struct gpu_list *list = NULL;
    bool ok = true;
    for (uint32_t done = 0; ok && done < runs;) {
        gpu_begin(r->gpu, "tune");
        for (uint32_t n = 0; !n || (n < CALLS_AT_ONCE && done < runs); n += r->graph.n_calls, done++) {
            if (list) gpu_list_run(r->gpu, list);
            else if (!done) {
                gpu_list_begin(r->gpu);
                gpu_exec_encode(e, &r->step);
                list = gpu_list_end(r->gpu);
            } else {
                gpu_exec_encode(e, &r->step);
            }
        }
        ok = gpu_submit(r->gpu, err);
    }
    ok = ok && gpu_finish(r->gpu, err);
    gpu_list_destroy(list);
    return ok ? (double)(clock_ns() - start) * 1e-9 / runs : -1;
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure_pair(struct rivals *r, uint32_t runs, double *usual, double *ratio, struct error *err)
{
    *usual = measure(r, r->usual, runs, err);
    const double other = *usual < 0 ? -1 : measure(r, r->other, runs, err);
    *ratio = other / *usual;
    return other >= 0;
}

bool rivals_measure(struct rivals *r, int series, double to_beat, struct rival_times *times, struct error *err)
{
    double usual[RIVALS_MAX_SERIES], ratios[RIVALS_MAX_SERIES];
    *times = (struct rival_times){0};
    double once = measure(r, r->usual, 1, err);
    if (once < 0) return false;
    times->too_long = once > r->longest_s;
    if (times->too_long) return true;
    if (once < series_s / 8) once = measure(r, r->usual, 4, err);
    if (once < 0 || measure(r, r->other, 1, err) < 0) return false;
    const double fit = series_s / (once > 0 ? once : series_s);
    const uint32_t runs = fit < 1 ? 1 : fit > MAX_RUNS ? MAX_RUNS : (uint32_t)fit;
    if (!measure_pair(r, (runs + GLANCE - 1) / GLANCE, &usual[0], &ratios[0], err)) return false;
    bool hopeless = ratios[0] > far_slower * to_beat;
    int n = hopeless;
    for (; n < series && !hopeless; n++) {
        if (!measure_pair(r, runs, &usual[n], &ratios[n], err)) return false;
        hopeless = n ? n == 1 && ratios[0] > to_beat && ratios[1] > to_beat : ratios[0] > clearly_slower * to_beat;
    }
    qsort(usual, (size_t)n, sizeof *usual, compare_times);
    qsort(ratios, (size_t)n, sizeof *ratios, compare_times);
    times->usual_s = usual[n / 2];
    times->ratio = ratios[n / 2];
    times->surely = ratios[3 * n / 4];
    return true;
}

double rivals_seconds(int series) { return 2 * series_s * series; }
