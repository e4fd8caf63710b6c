/* wkv7_one.c - wkv7 for steps where every sequence has one token: S is read once and written once, with no chunks of
 * tokens (wkv/wkv7_one.wgsl). */
#include <stdio.h>

#include "ops/tuning.h"
#include "ops/wkv7_plan.h"

/* rows of S in a thread, threads that share them */
struct shape {
    uint32_t rows, row_lanes;
};

static uint32_t threads_of(const struct op_plan *p, struct shape s) { return p->args->head_dim / s.rows * s.row_lanes; }

/* of a row every thread has the same number of vec4s, and of S not more than it has registers for */
static bool fits(const struct op_plan *p, struct shape s)
{
    enum { MOST_FLOATS = 64 };
    const uint32_t N = p->args->head_dim, lanes = N / 4;
    return p->device->subgroups && power_of_two_from(N) == N && s.row_lanes >= 4 && s.row_lanes <= lanes &&
           s.row_lanes <= p->device->subgroup_size && s.rows <= N && s.rows * N / s.row_lanes <= MOST_FLOATS &&
           threads_of(p, s) >= lanes && threads_of(p, s) <= p->device->max_workgroup_threads;
}

/* false if there is none */
static bool choose(const struct op_plan *p, struct shape *out)
{
    static const struct shape usual[] = {{8, 16}, {16, 16}, {4, 16}, {8, 8}, {4, 8}, {4, 4}};
    struct choice c = {.names = "rows of a thread/threads of a row", .tokens = CHOICE_FEW};
    snprintf(c.key, sizeof c.key, "wkv7 %ux%u one%s", p->out_cols[0] / p->args->head_dim, p->args->head_dim,
             p->out_cols[OUT_Q8] ? " q8" : "");
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (fits(p, usual[i])) choice_add(&c, usual[i].rows, usual[i].row_lanes, 0);
    if (!c.n) return false;
    const uint32_t *numbers = plan_choose(p, &c);
    *out = (struct shape){numbers[0], numbers[1]};
    return true;
}

bool wkv7_plan_one(struct op_plan *p, const struct wkv7_params *params, uint32_t min_rows, bool *done,
                   struct error *err)
{
    const uint32_t N = p->args->head_dim;
    struct shape s = {0};
    *done = choose(p, &s);
    if (!*done) return true;
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "wkv/head_norm", "wkv/wkv7_token", "wkv/wkv7_one"},
        .consts = {{"HEAD", N},
                   {"WORKGROUP", threads_of(p, s)},
                   {"LANES", N / 4},
                   {"ROW_LANES", s.row_lanes},
                   {"ROWS", s.rows},
                   {"V_FIRST", p->in_cols[FIRST_RKV] > 0}},
        .params_wgsl = wkv7_params_wgsl,
        .params = params,
        .params_bytes = sizeof *params,
        .operands = {operand_in(RKV), operand_in(WAGV), operand_in(FIRST_RKV), operand_vector(0), operand_state('w'),
                     operand_out(0)},
        .n_operands = 6,
        .baked = true,
        .grid = {{.fixed = p->out_cols[0] / N}, {1, 1, ROWS_SEQS}},
        .min_rows = min_rows,
        .max_run = 1,
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}
