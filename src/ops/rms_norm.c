/* rms_norm.c - each row with mean square 1, then a scale and maybe a residual; and maybe the same with that once more.
 *
 *   z = x / sqrt(mean(x^2) + eps) * scale + residual       x[T,C] residual[T,C]? scale[C] scale_2[C]? -> y[T,C] z[T,C]?
 *   y = z / sqrt(mean(z^2) + eps) * scale_2, without scale_2 y = z
 *   args: eps */
#include <math.h>

#include "ops/op.h"

#define RMS_NORM_PARAMS(U, F) F(eps)
PARAMS(rms_norm, RMS_NORM_PARAMS);

static void norm_row(const float *x, uint32_t C, double eps, const float *scale, const float *residual, float *y)
{
    double squares = 0;
    for (uint32_t c = 0; c < C; c++) squares += (double)x[c] * x[c];
    double inverse_rms = 1 / sqrt(squares / C + eps);
    for (uint32_t c = 0; c < C; c++) y[c] = (float)(x[c] * inverse_rms * scale[c] + (residual ? residual[c] : 0));
}

void rms_norm_ref(const struct op_ref *r)
{
    const uint32_t C = r->out[0].cols;
    for (uint32_t t = 0; t < r->out[0].rows; t++) {
        const size_t at = (size_t)t * C;
        const float *residual = r->in[1].data ? r->in[1].data + at : NULL;
        float *y = r->out[0].data + at, *z = r->w[1].q ? r->out[OUT_MORE].data + at : y;
        norm_row(r->in[0].data + at, C, r->args->eps, r->w[0].vector, residual, z);
        if (r->w[1].q) norm_row(z, C, r->args->eps, r->w[1].vector, NULL, y);
    }
}

bool rms_norm_plan(struct op_plan *p, struct error *err)
{
    struct rms_norm_params params = {p->args->eps};
    uint32_t C = p->out_cols[0], threads = plan_row_threads(p, C);
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "norm/row", "norm/rms_norm",
                  p->w[1].q ? "norm/rms_norm_twice" : "norm/rms_norm_once"},
        .consts = {{"WORKGROUP", threads}, {"LANES", threads}, {"VECTORS", C / 4}, {"RESIDUAL", p->in_cols[1] > 0}},
        .params_wgsl = rms_norm_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_in(1), operand_vector(0), operand_out(0)},
        .n_operands = 4,
        .grid = {{1, 1, p->rows}},
    };
    if (p->w[1].q) {
        d.operands[d.n_operands++] = operand_vector(1);
        d.operands[d.n_operands++] = operand_out(OUT_MORE);
    }
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}
