/* token_shift.c - layer norm, then mixes of each token with the one before it in its sequence.
 *
 *   h[t] = layer_norm(x[t]);  y_i[t] = h[t] + (h[t-1] - h[t]) lerp_i
 *   x[T,C] vectors[2+n,C] = scale, bias, lerp_i  S[2,C] -> y[T,n*C], the y_i side by side
 *   S has the h of the last even position and of the last odd one: a step of one token does not write the row that it
 *   reads, so that workgroups need not wait for each other
 *   args: eps */
#include <math.h>

#include <stdio.h>

#include "ops/tuning.h"

#define TOKEN_SHIFT_PARAMS(U, F) U(slot_vectors) F(eps)
PARAMS(token_shift, TOKEN_SHIFT_PARAMS);

struct moments {
    double mean, inverse_sd;
};

static struct moments moments_of(const float *x, uint32_t C, float eps)
{
    double mean = 0, variance = 0;
    for (uint32_t c = 0; c < C; c++) mean += x[c];
    mean /= C;
    for (uint32_t c = 0; c < C; c++) variance += (x[c] - mean) * (x[c] - mean);
    return (struct moments){mean, 1 / sqrt(variance / C + eps)};
}

/* channel c of the layer norm of x */
static double normed(const struct op_ref *r, const float *x, struct moments m, uint32_t c)
{
    return (x[c] - m.mean) * m.inverse_sd * r->w[0].vector[c] + r->w[0].vector[r->in[0].cols + c];
}

void token_shift_ref(const struct op_ref *r)
{
    const struct step *step = r->step;
    uint32_t C = r->in[0].cols, n = r->w[0].rows - 2;
    for (uint32_t s = 0; s < step->n_seqs; s++) {
        float *rows = r->state + step->slot[s] * r->state_stride;
        for (uint32_t t = step->first[s]; t < step->first[s] + step->count[s]; t++) {
            const float *x = r->in[0].data + (size_t)t * C, *before = rows + (~step->position[t] & 1) * C;
            float *own = rows + (step->position[t] & 1) * C;
            struct moments m = moments_of(x, C, r->args->eps);
            for (uint32_t c = 0; c < C; c++) {
                double h = normed(r, x, m, c), step_back = before[c] - h;
                for (uint32_t i = 0; i < n; i++)
                    r->out[0].data[((size_t)t * n + i) * C + c] =
                        (float)(h + step_back * r->w[0].vector[(size_t)(2 + i) * C + c]);
                own[c] = (float)h;
            }
        }
    }
}

/* the steps that a dispatch is for: see struct dispatch_desc */
struct reach {
    uint32_t min_rows, max_rows, min_run, max_run;
};

/* a workgroup has so many threads and writes so many vec4s of a token */
static bool plan_slices(struct op_plan *p, uint32_t threads, uint32_t slice, struct reach reach, struct error *err)
{
    uint32_t vectors = p->in_cols[0] / 4;
    struct token_shift_params params = {p->state_stride / 4, p->args->eps};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "norm/row", reach.max_run == 1 ? "norm/token_shift_one" : "norm/token_shift"},
        .consts = {{"WORKGROUP", threads},
                   {"LANES", threads},
                   {"VECTORS", vectors},
                   {"SLICE", slice},
                   {"OUTPUTS", p->w[0].rows - 2}},
        .params_wgsl = token_shift_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_vector(0), operand_state('w'), operand_out(0)},
        .n_operands = 4,
        .grid = {{.fixed = (vectors + slice - 1) / slice}, {1, 1, ROWS_TOKENS}},
        .min_rows = reach.min_rows,
        .max_rows = reach.max_rows,
        .min_run = reach.min_run,
        .max_run = reach.max_run,
        .baked = true,
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* for one token of each sequence: threads of a workgroup, and vec4s that it writes */
static uint32_t choose_threads(const struct op_plan *p)
{
    enum { USUAL = 128 };
    const uint32_t most = plan_row_threads(p, p->in_cols[0]);
    struct choice c = {.names = "threads", .tokens = CHOICE_FEW};
    snprintf(c.key, sizeof c.key, "token shift %ux%u one%s", p->w[0].rows - 2, p->in_cols[0],
             p->out_cols[OUT_Q8] ? " q8" : "");
    choice_add(&c, smaller(USUAL, most), 0, 0);
    for (uint32_t threads = USUAL / 4; threads <= most && threads <= 2 * USUAL; threads *= 2)
        choice_add(&c, threads, 0, 0);
    return *plan_choose(p, &c);
}

/* Workgroups that share a token all read its row. For few tokens they are many, as reading the blends takes long. */
bool token_shift_plan(struct op_plan *p, struct error *err)
{
    enum { FEW = 8, SLICE = 64 };
    const uint32_t vectors = p->in_cols[0] / 4, threads = plan_row_threads(p, p->in_cols[0]), one = choose_threads(p);
    return plan_slices(p, one, smaller(vectors, one), (struct reach){0, 0, 0, 1}, err) &&
           plan_slices(p, threads, smaller(vectors, smaller(threads, SLICE)), (struct reach){0, FEW, 2, 0}, err) &&
           plan_slices(p, threads, smaller(vectors, threads), (struct reach){FEW + 1, 0, 2, 0}, err);
}
