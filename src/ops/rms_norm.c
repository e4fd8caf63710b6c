/* rms_norm.c - each row with mean square 1, then a scale and maybe a residual.
 *
 *   y = x / sqrt(mean(x^2) + eps) * scale + residual       x[T,C] residual[T,C]? scale[C] -> y[T,C]
 *   args: eps */
#include <math.h>

#include "ops/op.h"

#define RMS_NORM_PARAMS(U, F) F(eps)
PARAMS(rms_norm, RMS_NORM_PARAMS);

void rms_norm_ref(const struct op_ref *r)
{
    uint32_t C = r->out[0].cols;
    for (uint32_t t = 0; t < r->out[0].rows; t++) {
        const float *x = r->in[0].data + (size_t)t * C;
        const float *residual = r->in[1].data ? r->in[1].data + (size_t)t * C : NULL;
        float *y = r->out[0].data + (size_t)t * C;
        double squares = 0;
        for (uint32_t c = 0; c < C; c++) squares += (double)x[c] * x[c];
        double inverse_rms = 1 / sqrt(squares / C + r->args->eps);
        for (uint32_t c = 0; c < C; c++)
            y[c] = (float)(x[c] * inverse_rms * r->w[0].vector[c] + (residual ? residual[c] : 0));
    }
}

bool rms_norm_plan(struct op_plan *p, struct error *err)
{
    struct rms_norm_params params = {p->args->eps};
    uint32_t C = p->out_cols[0], threads = plan_row_threads(p, C);
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "norm/row", "norm/rms_norm"},
        .consts = {{"WORKGROUP", threads}, {"LANES", threads}, {"VECTORS", C / 4}, {"RESIDUAL", p->in_cols[1] > 0}},
        .params_wgsl = rms_norm_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_in(1), operand_vector(0), operand_out(0)},
        .n_operands = 4,
        .grid = {{1, 1, p->rows}},
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}
