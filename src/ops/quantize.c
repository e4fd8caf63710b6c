/* quantize.c - activations as int8 blocks for the products with integer weights (quant/q8_row.h).
 *
 *   q = round(x / d), d = max |x| / 127 of 32 neighbours   x[T,K] -> y[T,K] in int8 form
 *
 * Ops whose kernels hold whole blocks write this form themselves (their second output); this op is for the others. */
#include "ops/op.h"

#define QUANTIZE_PARAMS(U, F) U(quads)
PARAMS(quantize, QUANTIZE_PARAMS);

void quantize_ref(const struct op_ref *r) { ref_quantize(&r->in[0], &r->out[0]); }

bool quantize_plan(struct op_plan *p, struct error *err)
{
    struct quantize_params params = {p->in_cols[0] / 4};
    const uint32_t threads = 64;
    struct dispatch_desc d = {
        .files = {plan_reduce(p), plan_octet(p), "q8/store", "quantize"},
        .consts = {{"WORKGROUP", threads}, {"LANES", 1}},
        .params_wgsl = quantize_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_out(0)},
        .n_operands = 2,
        .grid = {{.fixed = (params.quads + threads - 1) / threads}, {1, 1, p->rows}},
    };
    return plan_dispatch(p, &d, err);
}
