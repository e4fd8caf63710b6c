/* gated.c - the two halves of an MLP's first layer meet: y = f(W_gate x) * (W_up x), where f has been applied to the gate.
 *
 *   y = v[:, 0 .. F) * v[:, F .. 2F)             v[T,2*F] -> y[T,F]
 *
 * v are the products side by side (products.c). One dispatch for both, which read both matrices and multiplied what it
 * found, was slower from 4 tokens on. */
#include "ops/op.h"

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

bool gated_plan(struct op_plan *p, struct error *err)
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
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}
