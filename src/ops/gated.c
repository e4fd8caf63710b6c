/* gated.c - the two halves of an MLP's first layer meet: y = f(W_gate x) * (W_up x), where f has been applied to the gate.
 *
 *   y = v[:, 0 .. F) * v[:, F .. 2F)             v[T,2*F] x[T,K] W[2*F,K] -> y[T,F]
 *   args: products[0].act f
 *
 * v are the products side by side (products.c). For up to GATED_FEW tokens they are not made: one dispatch reads both
 * matrices, which are a stack, and multiplies what it finds (matmul/matvec_gated.wgsl). */
#include "ops/gated.h"

#include <stdio.h>

#include "ops/matmul_parts.h"
#include "quant/q8_row.h"

#define GATED_PARAMS(U, F) U(quads)
PARAMS(gated, GATED_PARAMS);

void gated_ref(const struct op_ref *r)
{
    const uint32_t F = r->out[0].cols;
    for (uint32_t t = 0; t < r->out[0].rows; t++) {
        const float *v = r->in[0].data + (size_t)t * 2 * F;
        for (uint32_t c = 0; c < F; c++) r->out[0].data[(size_t)t * F + c] = v[c] * v[F + c];
    }
}

bool gated_does_few(const struct plan_weight *stack, const struct gpu_info *device)
{
    return stack->q && stack->n_parts == 1 && stack->rows / 2 < device->max_groups;
}

/* how the threads share the rows of the gate */
struct shape {
    uint32_t threads, lanes, rows;
};

static struct shape choose_shape(const struct op_plan *p, bool q8, uint32_t spans, uint32_t tokens)
{
    struct shape s = {plan_threads(p, tokens == 1 && p->out_cols[OUT_Q8] ? 512 : 128), 1, 1};
    const uint32_t steps = q8 ? spans / 2 : spans, most = plan_is_software(p) ? 2 : q8 ? 16 : 64;
    while (s.lanes < most && 2 * s.lanes <= steps) s.lanes *= 2;
    if (plan_is_software(p) || (p->out_cols[OUT_Q8] && s.threads < 512)) s.rows = 4;
    while (p->out_cols[OUT_Q8] && s.threads / s.lanes * s.rows < Q8_BLOCK) s.lanes /= 2;
    return s;
}

static bool plan_few(struct op_plan *p, uint32_t tokens, uint32_t min_tokens, uint32_t max_tokens, struct error *err)
{
    const struct plan_weight *w = &p->w[0];
    const uint32_t F = p->out_cols[0], x = p->in_cols[IN_Q8] ? IN_Q8 : 1;
    const bool q8 = x == IN_Q8;
    struct matmul_segment halves[] = {{F, w->cols, 0, p->args->products[0].act}, {F, w->cols, 0, ACT_NONE}};
    struct matmul_plan m = {.segments = halves, .n_segments = 2};
    struct matmul_part part = {.m = &m};
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    part.codec = codec;
    matmul_cut_segments(&m, 0, 2 * F, &part.params);
    part.params.rows = F;
    part.params.spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN);
    part.params.quads = p->in_cols[x] / 4;
    part.params.out_cols = F;
    const struct shape s = choose_shape(p, q8, part.params.spans, tokens);
    const uint32_t group_rows = s.threads / s.lanes * s.rows;
    struct dispatch_desc d = matmul_describe(p, &part, "matmul/matvec_gated");
    d.files[4] = "matmul/segment";
    d.files[5] = plan_reduce(p);
    d.files[6] = q8 ? "matmul/sums_q8" : "matmul/sums_float";
    d.files[7] = p->out_cols[OUT_Q8] ? "matmul/store_q8" : "matmul/store_f32";
    if (q8) d.files[8] = "matmul/dots_q8";
    d.operands[2] = operand_in(x);
    d.weights = 2 * (uint64_t)F * padded_cols(w->cols);
    size_t n = 0;
    d.consts[n++] = (struct kernel_const){"WORKGROUP", s.threads};
    d.consts[n++] = (struct kernel_const){"LANES", s.lanes};
    d.consts[n++] = (struct kernel_const){"ROWS", s.rows};
    d.consts[n++] = (struct kernel_const){"TOKENS", tokens};
    if (q8) d.consts[n++] = (struct kernel_const){"BLOCKS", part.params.spans / 2};
    if (p->out_cols[OUT_Q8]) {
        d.consts[n++] = (struct kernel_const){"GROUP_ROWS", group_rows};
        plan_q8_output(p, &d);
    }
    d.grid[0] = (struct grid){.rows = p->rows, .per = tokens};
    d.grid[1] = (struct grid){.fixed = (F + group_rows - 1) / group_rows};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err);
}

static bool plan_many(struct op_plan *p, uint32_t min_tokens, struct error *err)
{
    const struct gated_params params = {p->out_cols[0] / 4};
    const uint32_t threads = 64;
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "gated"},
        .consts = {{"WORKGROUP", threads}, {"LANES", 1}},
        .params_wgsl = gated_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_out(0)},
        .n_operands = 2,
        .grid = {{.fixed = (params.quads + threads - 1) / threads}, {1, 1, p->rows}},
        .min_rows = min_tokens,
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}

bool gated_plan(struct op_plan *p, struct error *err)
{
    if (!gated_does_few(&p->w[0], p->device)) return plan_many(p, 0, err);
    return plan_few(p, 1, 1, 1, err) && plan_few(p, 4, 2, 4, err) && plan_few(p, GATED_FEW, 5, GATED_FEW, err) &&
           plan_many(p, GATED_FEW + 1, err);
}
