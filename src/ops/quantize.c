/* quantize.c - activations as int8 blocks for the products with integer weights (quant/q8_row.h).
 *
 *   q = round(x / d), d = max |x| / 127 of 32 neighbours   x[T,K] -> y[T,K] in int8 form
 *
 * Ops whose kernels hold whole blocks write this form themselves (their second output); this op is for the others. */
#include "ops/op.h"

#define QUANTIZE_PARAMS(U, F) U(quads)
PARAMS(quantize, QUANTIZE_PARAMS);

void quantize_ref(const struct op_ref *r) { ref_quantize(&r->in[0], &r->out[0]); }

static bool plan(struct op_plan *p, struct operand from, unsigned to, uint32_t cols, uint32_t min_rows,
                 struct error *err)
{
    struct quantize_params params = {cols / 4};
    const uint32_t threads = 64;
    struct dispatch_desc d = {
        .files = {plan_reduce(p), plan_octet(p), "q8/store", "q8/pack", "quantize"},
        .consts = {{"WORKGROUP", threads}, {"LANES", 1}, {"Q8_BINDING", 3}},
        .params_wgsl = quantize_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {from, operand_out(to)},
        .n_operands = 2,
        .grid = {{.fixed = (params.quads + threads - 1) / threads}, {1, 1, p->rows}},
        .min_rows = min_rows,
    };
    return plan_dispatch(p, &d, err);
}

bool quantize_plan(struct op_plan *p, struct error *err) { return plan(p, operand_in(0), 0, p->in_cols[0], 0, err); }

bool plan_quantize_output(struct op_plan *p, uint32_t min_rows, struct error *err)
{
    return plan(p, (struct operand){.kind = OPERAND_OUT, .index = 0, .access = 'r'}, OUT_Q8, p->out_cols[0], min_rows,
                err);
}
