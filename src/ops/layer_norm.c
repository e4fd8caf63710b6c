/* layer_norm.c - each row with mean 0 and variance 1, then an affine map.
 *
 *   y = (x - mean(x)) / sqrt(variance(x) + eps) * scale + bias       x[T,C] scale[C] bias[C] -> y[T,C]
 *   args: eps */
#include <math.h>

#include "ops/op.h"

#define LAYER_NORM_PARAMS(U, F) F(eps)
PARAMS(layer_norm, LAYER_NORM_PARAMS);

void layer_norm_ref(const struct op_ref *r)
{
    uint32_t C = r->out[0].cols;
    for (uint32_t t = 0; t < r->out[0].rows; t++) {
        const float *x = r->in[0].data + (size_t)t * C;
        float *y = r->out[0].data + (size_t)t * C;
        double mean = 0, variance = 0;
        for (uint32_t c = 0; c < C; c++) mean += x[c];
        mean /= C;
        for (uint32_t c = 0; c < C; c++) variance += (x[c] - mean) * (x[c] - mean);
        double inverse_sd = 1 / sqrt(variance / C + r->args->eps);
        for (uint32_t c = 0; c < C; c++)
            y[c] = (float)((x[c] - mean) * inverse_sd * r->w[0].vector[c] + r->w[1].vector[c]);
    }
}

bool layer_norm_plan(struct op_plan *p, struct error *err)
{
    struct layer_norm_params params = {p->args->eps};
    uint32_t C = p->out_cols[0], threads = plan_row_threads(p, C);
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "norm/row", "norm/layer_norm"},
        .consts = {{"WORKGROUP", threads}, {"LANES", threads}, {"VECTORS", C / 4}},
        .params_wgsl = layer_norm_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_vector(0), operand_vector(1), operand_out(0)},
        .n_operands = 4,
        .grid = {{1, 1, p->rows}},
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}
