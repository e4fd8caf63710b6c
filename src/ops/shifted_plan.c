/* shifted_plan.c - products of what a token shift makes, for one token: norm, blends and rounding to int8 ride in the
 * products' own dispatch (matmul/shifted.wgsl), so that the shift needs none. */
#include <stdio.h>
#include <string.h>

#include "ops/matmul_parts.h"
#include "ops/tuning.h"
#include "quant/q8_row.h"

#define SHIFTED_PARAMS(U, F)                                                                                           \
    MATMUL_PARAMS(U, F)                                                                                                \
    U(slot_vectors) F(eps) U(thin_segment) U(thin_f32s) U(thin_at0) U(thin_at1) U(thin_at2) U(thin_at3)
PARAMS(shifted, SHIFTED_PARAMS);

/* how a workgroup's threads share its rows: row_lanes of them `rows` at a time, `turns` times */
struct shifted_shape {
    uint32_t threads, row_lanes, rows, turns;
    uint32_t thin_lanes; /* threads that share a thin row */
};

static uint32_t group_rows(const struct shifted_shape *s) { return s->threads / s->row_lanes * s->rows * s->turns; }

/* every segment takes one whole blend of x, and a workgroup's rows are of one segment */
static bool suits_segments(const struct matmul_plan *m, uint32_t C, uint32_t rows)
{
    bool suits = true;
    for (uint32_t i = 0; i < m->n_segments; i++)
        suits &= m->segments[i].cols == C && m->segments[i].x_at % C == 0 && m->segments[i].rows % rows == 0;
    return suits;
}

/* Every workgroup makes the whole x for itself, so that few with many rows read and compute less; but enough to fill the
 * device: two of 512 threads for each of 132 multiprocessors where this was measured, no third. Floats, whose x costs
 * less to make, like more. Of integers all lanes should have equally many blocks. */
static struct shifted_shape usual_shape(const struct op_plan *p, const struct matmul_plan *m,
                                        const struct matmul_plan *thin)
{
    const uint32_t rows = p->w[m->weight].rows, C = p->in_cols[IN_UNSHIFTED];
    const bool q8 = matmul_is_q8(p, m), even = C % (32 * Q8_BLOCK) == 0;
    const uint32_t least_groups = q8 ? 180 : 256;
    struct shifted_shape s = {.threads = plan_threads(p, q8 && even ? 512 : 256),
                              .row_lanes = q8 && !even ? 16 : 32,
                              .rows = 1,
                              .turns = 4,
                              .thin_lanes = 32};
    while (s.row_lanes > p->device->subgroup_size) s.row_lanes /= 2;
    while (s.thin_lanes > p->device->subgroup_size) s.thin_lanes /= 2;
    const uint32_t thin_groups = q8 && thin ? p->w[thin->weight].rows / (s.threads / s.thin_lanes) : 0;
    while (s.turns > 1 && (rows / group_rows(&s) + thin_groups < least_groups || !suits_segments(m, C, group_rows(&s))))
        s.turns /= 2;
    /* whole blocks of int8 output a workgroup */
    while (p->out_cols[OUT_Q8] && group_rows(&s) < Q8_BLOCK) s.turns *= 2;
    return s;
}

enum { MAX_THIN = 4 };

static bool suits_thin(const struct op_plan *p, const struct matmul_plan *thin)
{
    bool suits = p->w[thin->weight].n_parts == 1 && thin->n_segments <= MAX_THIN;
    for (uint32_t i = 0; i < thin->n_segments; i++)
        suits &= thin->segments[i].type == QUANT_F16 || thin->segments[i].type == QUANT_F32;
    return suits;
}

/* where the segments of thin rows lie */
static void place_thin(const struct matmul_plan *thin, struct shifted_params *params)
{
    uint32_t at[MAX_THIN] = {0};
    for (uint32_t i = 0; i < thin->n_segments; i++) {
        at[i] = thin->segments[i].plane_at;
        if (thin->segments[i].type == QUANT_F32) params->thin_f32s |= 1u << i;
    }
    params->thin_at0 = at[0];
    params->thin_at1 = at[1];
    params->thin_at2 = at[2];
    params->thin_at3 = at[3];
}

/* wider x, which cost more to make in every workgroup, were not measured */
enum { MAX_WIDTH = 4096, MAX_FLOAT_WIDTH = 3072 };

/* vec4s of the x of a workgroup, as floats, as int8 or whichever is longer */
static uint32_t own_vectors(uint32_t C, bool q8, bool floats) { return floats || !q8 ? C / 4 : C / 16; }

static bool suits(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin,
                  const struct shifted_shape *s)
{
    const uint32_t C = p->in_cols[IN_UNSHIFTED];
    const struct gpu_info *device = p->device;
    const uint32_t bytes = (own_vectors(C, matmul_is_q8(p, m), thin != NULL) + C / 64 + s->threads / 4) * 16;
    return C <= (matmul_is_q8(p, m) ? MAX_WIDTH : MAX_FLOAT_WIDTH) && C % Q8_BLOCK == 0 && p->rows == ROWS_TOKENS &&
           s->threads >= 128 && bytes <= device->max_workgroup_bytes && device->max_storage_buffers >= 8 &&
           !p->w[m->bias].q && p->args->combine == COMBINE_NONE && p->w[m->weight].n_parts == 1 &&
           suits_segments(m, C, group_rows(s)) && (!p->out_cols[OUT_Q8] || group_rows(s) % Q8_BLOCK == 0) &&
           (!thin || (suits_thin(p, thin) && suits_segments(thin, C, s->threads / s->thin_lanes)));
}

/* the usual shape or what tuning found (tuning.h) */
static struct shifted_shape choose_shape(const struct op_plan *p, const struct matmul_plan *m,
                                         const struct matmul_plan *thin)
{
    enum { THREADS = 3, LANES = 3, TURNS = 3 }; /* of each: so many powers of two */
    const struct plan_weight *w = &p->w[m->weight];
    struct shifted_shape s = usual_shape(p, m, thin);
    struct choice c = {.names = "threads/lanes of a row/turns", .tokens = 1};
    snprintf(c.key, sizeof c.key, "shifted %s %ux%u, %u thin%s%s", w->q->name, w->rows, w->cols,
             thin ? p->w[thin->weight].rows : 0, matmul_is_q8(p, m) ? " q8" : "", p->out_cols[OUT_Q8] ? " to q8" : "");
    choice_add(&c, s.threads, s.row_lanes, s.turns);
    for (uint32_t i = 0; i < THREADS * LANES * TURNS; i++) {
        struct shifted_shape near = s;
        near.threads = 128u << i % THREADS;
        near.row_lanes = 8u << i / THREADS % LANES;
        near.turns = 1u << i / (THREADS * LANES);
        if (near.row_lanes <= p->device->subgroup_size && near.threads <= p->device->max_workgroup_threads &&
            suits(p, m, thin, &near))
            choice_add(&c, near.threads, near.row_lanes, near.turns);
    }
    const uint32_t *numbers = plan_choose(p, &c);
    s.threads = numbers[0];
    s.row_lanes = numbers[1];
    s.turns = numbers[2];
    return s;
}

static bool plan_shifted(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin,
                         const struct shifted_shape *s, struct error *err)
{
    const struct plan_weight *w = &p->w[m->weight], *t = thin ? &p->w[thin->weight] : NULL;
    const bool q8 = matmul_is_q8(p, m), q8_out = p->out_cols[OUT_Q8] > 0;
    const uint32_t C = p->in_cols[IN_UNSHIFTED], rows = w->rows + (t ? t->rows : 0);
    struct matmul_segment segments[MAX_PRODUCTS];
    struct matmul_plan both = {.segments = segments};
    for (uint32_t i = 0; i < m->n_segments; i++) segments[both.n_segments++] = m->segments[i];
    for (uint32_t i = 0; t && i < thin->n_segments; i++) segments[both.n_segments++] = thin->segments[i];
    struct matmul_params common = {.rows = rows,
                                   .row_at = m->y_at,
                                   .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
                                   .out_cols = p->out_cols[0],
                                   .first_thin = w->rows,
                                   .thin_groups = t ? t->rows / (s->threads / s->thin_lanes) : 0};
    matmul_cut_segments(&both, 0, rows, &common);
    struct shifted_params params = {0};
    memcpy(&params, &common, sizeof common);
    params.slot_vectors = p->state_stride / 4;
    params.eps = p->args->eps;
    params.thin_segment = m->n_segments;
    if (thin) place_thin(thin, &params);
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    struct dispatch_desc d = {
        .files = {"matmul/shifted", codec, q8 ? "matmul/shifted_q8" : "matmul/shifted_float", plan_reduce(p),
                  "norm/row", "matmul/segment", "matmul/epilogue", "activation",
                  q8_out ? "matmul/store_q8" : "matmul/store_f32", t ? "matmul/shifted_thin" : "matmul/shifted_only",
                  "q8/pack", plan_octet(p), q8 ? "matmul/dots_q8" : NULL},
        .consts = {{"WORKGROUP", s->threads},
                   {"LANES", s->threads},
                   {"ROW_LANES", s->row_lanes},
                   {"ROWS", s->rows},
                   {"TURNS", s->turns},
                   {"GROUP_ROWS", group_rows(s)},
                   {"VECTORS", C / 4},
                   {"X_VECTORS", own_vectors(C, q8, thin != NULL)},
                   {"X_INT8", q8}},
        .params_wgsl = shifted_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_quants(m->weight, 0), operand_scales(m->weight, 0), operand_in(IN_UNSHIFTED),
                     operand_vector(W_SHIFT), operand_state('w'), operand_out(0)},
        .n_operands = 6,
        .grid = {{.fixed = params.thin_groups + (w->rows + group_rows(s) - 1) / group_rows(s)}},
        .min_rows = 1,
        .max_rows = 1,
        .baked = true,
    };
    size_t n = 9;
    if (q8) d.consts[n++] = (struct kernel_const){"BLOCKS", w->cols / Q8_BLOCK};
    if (t) {
        d.consts[n++] = (struct kernel_const){"THIN_BINDING", (uint32_t)(2 + d.n_operands)};
        d.consts[n++] = (struct kernel_const){"THIN_LANES", s->thin_lanes};
        d.operands[d.n_operands++] = operand_quants(thin->weight, 0);
    }
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}

bool matmul_plan_shifted(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin, bool *done,
                         struct error *err)
{
    *done = false;
    const struct gpu_info *device = p->device;
    if (!p->in_cols[IN_UNSHIFTED] || plan_is_software(p) || !device->subgroups || device->subgroup_size < 8)
        return true;
    const struct shifted_shape s = choose_shape(p, m, thin);
    *done = suits(p, m, thin, &s) && plan_take_over(p, matmul_is_q8(p, m) ? IN_Q8 : 0, 1);
    return !*done || plan_shifted(p, m, thin, &s, err);
}
