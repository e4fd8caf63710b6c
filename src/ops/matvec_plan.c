/* matvec_plan.c - kernels for few tokens, bound by the bytes of W (matmul/matvec.wgsl, matvec_mixed.wgsl). */
#include <stdio.h>

#include "ops/matmul_choices.h"
#include "quant/q8_row.h"

static uint32_t power_of_two_up_to(uint32_t limit)
{
    uint32_t n = 1;
    while (2 * n <= limit) n *= 2;
    return n;
}

static uint32_t group_rows(struct matvec_shape s) { return s.threads / s.lanes * s.rows; }

/* Floats: rows of a thread share the loads of x; for a single token and a small matrix, more threads count for more. */
static struct matvec_shape choose_float_shape(const struct op_plan *p, uint32_t rows, uint32_t spans,
                                              uint32_t max_tokens)
{
    struct matvec_shape s = {.threads = plan_threads(p, 128), .lanes = power_of_two_up_to(spans < 64 ? spans : 64)};
    s.rows = max_tokens > 1 || rows >= 16384 ? 4 : 1;
    if (p->out_cols[OUT_Q8]) s.rows = 4;
    return s;
}

/* Integers: latency bounds them, so that what counts is many threads with few blocks each, up to what a device has room
 * for; of several tokens, then, more rows a thread. */
static struct matvec_shape choose_q8_shape(const struct op_plan *p, uint32_t rows, uint32_t blocks, uint32_t max_tokens)
{
    enum { ENOUGH = 1 << 17 }; /* threads: 1000 for each of 132 multiprocessors */
    const bool one = max_tokens == 1;
    struct matvec_shape s = {.threads = plan_threads(p, 128), .lanes = rows <= 4096 ? 32 : 16, .rows = 1};
    while (one && s.lanes < 64 && rows * s.lanes < ENOUGH) s.lanes *= 2;
    while (s.lanes < 64 && blocks / s.lanes > 8) s.lanes *= 2;
    if (!one && s.lanes == 32 && blocks / s.lanes == 8) s.lanes = 64;
    while (s.lanes > blocks) s.lanes /= 2;
    if (one && s.lanes == 64) s.threads = plan_threads(p, 256);
    while (!one && s.rows < 4 && rows * s.lanes / s.rows >= ENOUGH) s.rows *= 2;
    /* lanes of several subgroups wait for each other, once for each token and all rows of a thread */
    if (!one && s.lanes > 32) s.rows = max_tokens < MATVEC_TOKENS ? 2 : 4;
    if (max_tokens > MATVEC_TOKENS) s.rows = 4;
    if (!p->out_cols[OUT_Q8]) return s;
    s.threads = plan_threads(p, max_tokens == 1 ? 512 : 128);
    s.rows = s.threads >= 512 ? 1 : 4;
    return s;
}

/* Software Vulkan: a processor's core does a subgroup at a time, so that few threads with much work each cost least. */
static struct matvec_shape choose_software_shape(const struct op_plan *p, uint32_t steps, uint32_t max_tokens)
{
    const bool many = !max_tokens;
    return (struct matvec_shape){.threads = plan_threads(p, 64), .lanes = many || steps < 2 ? 1 : 2, .rows = 4};
}

static struct matvec_shape choose_shape(const struct op_plan *p, const struct matmul_part *part, uint32_t max_tokens)
{
    const struct matmul_params *params = &part->params;
    struct matvec_shape s = plan_is_software(p)        ? choose_software_shape(p, params->spans / 2, max_tokens)
                            : matmul_is_q8(p, part->m) ? choose_q8_shape(p, params->rows, params->spans / 2, max_tokens)
                                                       : choose_float_shape(p, params->rows, params->spans, max_tokens);
    while (params->rows / group_rows(s) >= p->device->max_groups && s.lanes > 1) s.lanes /= 2;
    /* whole blocks of int8 output a workgroup */
    while (p->out_cols[OUT_Q8] && group_rows(s) < Q8_BLOCK) s.lanes /= 2;
    return choose_matvec(p, part, max_tokens, s);
}

bool plan_matvec(struct op_plan *p, const struct matmul_part *part, uint32_t tokens, uint32_t min_tokens,
                 uint32_t max_tokens, struct error *err)
{
    const struct matmul_params *params = &part->params;
    const bool q8 = matmul_is_q8(p, part->m);
    const struct matvec_shape s = choose_shape(p, part, max_tokens);
    const bool q8_out = p->out_cols[OUT_Q8] > 0;
    struct dispatch_desc d = matmul_describe(p, part, "matmul/matvec");
    matmul_add_file(&d, plan_reduce(p));
    matmul_add_file(&d, q8 ? "matmul/sums_q8" : "matmul/sums_float");
    matmul_add_file(&d, q8_out ? "matmul/store_q8" : "matmul/store_f32");
    if (q8) matmul_add_file(&d, "matmul/dots_q8");
    size_t n = 0;
    d.consts[n++] = (struct kernel_const){"WORKGROUP", s.threads};
    d.consts[n++] = (struct kernel_const){"LANES", s.lanes};
    d.consts[n++] = (struct kernel_const){"ROWS", s.rows};
    d.consts[n++] = (struct kernel_const){"TOKENS", tokens};
    if (q8) d.consts[n++] = (struct kernel_const){"BLOCKS", params->spans / 2};
    if (q8_out) {
        d.consts[n++] = (struct kernel_const){"GROUP_ROWS", group_rows(s)};
        plan_q8_output(p, &d);
    }
    d.grid[0] = (struct grid){.rows = p->rows, .per = tokens};
    d.grid[1] = (struct grid){.fixed = (params->rows + group_rows(s) - 1) / group_rows(s)};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    d.baked = max_tokens == 1;
    return plan_dispatch(p, &d, err);
}

/* both stacks for steps of min_tokens to max_tokens, `tokens` at a time */
static bool plan_mixed(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin, uint32_t tokens,
                       uint32_t min_tokens, uint32_t max_tokens, struct error *err)
{
    const struct plan_weight *w = &p->w[m->weight], *t = &p->w[thin->weight];
    const bool q8 = matmul_is_q8(p, m);
    const struct matvec_shape usual = {plan_threads(p, 128),
                                       plan_is_software(p)    ? 2
                                       : q8 || max_tokens > 1 ? 32
                                                              : 64,
                                       1};
    const struct matvec_shape s = choose_mixed(p, m, thin, max_tokens, usual);
    const uint32_t threads = s.threads, lanes = s.lanes;
    const uint32_t rows = threads / lanes;
    struct matmul_segment segments[2 * MAX_PRODUCTS];
    struct matmul_plan both = {.segments = segments};
    for (uint32_t i = 0; i < m->n_segments; i++) segments[both.n_segments++] = m->segments[i];
    for (uint32_t i = 0; i < thin->n_segments; i++) segments[both.n_segments++] = thin->segments[i];
    struct matmul_params params = {.rows = w->rows + t->rows,
                                   .row_at = m->y_at,
                                   .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
                                   .quads = p->in_cols[q8 ? IN_Q8 : 0] / 4,
                                   .out_cols = p->out_cols[0],
                                   .first_thin = w->rows,
                                   .thin_groups = (t->rows + rows - 1) / rows};
    matmul_cut_segments(&both, 0, params.rows, &params);
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    struct dispatch_desc d = {
        .files = {"matmul/matvec_mixed", codec, q8 ? "matmul/sums_q8" : "matmul/sums_float", "matmul/thin",
                  "matmul/mixed_row", "matmul/segment", "matmul/epilogue", "activation", "matmul/store_f32",
                  plan_reduce(p), q8 ? "matmul/dots_q8" : NULL},
        .consts =
            {{"WORKGROUP", threads}, {"LANES", lanes}, {"ROWS", 1}, {"TOKENS", tokens}, {"BLOCKS", params.spans / 2}},
        .params_wgsl = matmul_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_quants(m->weight, 0), operand_scales(m->weight, 0), operand_in(q8 ? IN_Q8 : 0),
                     operand_in(0), operand_quants(thin->weight, 0), operand_out(0)},
        .n_operands = 6,
        .grid = {{1, tokens, p->rows}, {.fixed = params.thin_groups + (w->rows + rows - 1) / rows}},
        .min_rows = min_tokens,
        .max_rows = max_tokens,
        .baked = max_tokens == 1,
    };
    return plan_dispatch(p, &d, err);
}

bool matmul_can_mix(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin)
{
    const struct plan_weight *w = &p->w[m->weight], *t = &p->w[thin->weight];
    return quant_is_float(t->q) && !w->mixed && !p->w[m->bias].q && w->n_parts == 1 && t->n_parts == 1 &&
           t->rows < w->rows && m->n_segments + thin->n_segments <= MAX_PRODUCTS &&
           (w->rows + t->rows) / 2 < p->device->max_groups && p->device->max_workgroup_threads >= 64;
}

bool matmul_plan_mixed(struct op_plan *p, struct matmul_plan *m, struct matmul_plan *thin, struct error *err)
{
    const uint32_t m_from = units_few_from(p, m), thin_from = units_few_from(p, thin);
    const uint32_t from = m_from > thin_from ? m_from : thin_from;
    const uint32_t most = m_from && thin_from ? from - 1 : MATMUL_FEW;
    const bool one = m->but >= 1 || plan_mixed(p, m, thin, 1, 1, 1, err);
    m->but = thin->but = most;
    return one && plan_mixed(p, m, thin, most, 2, most, err);
}
