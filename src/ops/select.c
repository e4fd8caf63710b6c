/* select.c - the rows whose logits are wanted, packed.
 *
 *   y[o] = x[output[o]]                 x[T,C] -> y[O,C] */
#include <string.h>

#include "ops/op.h"

#define SELECT_PARAMS(U, F) U(vectors)
PARAMS(select, SELECT_PARAMS);

void select_ref(const struct op_ref *r)
{
    size_t C = r->out[0].cols;
    for (uint32_t o = 0; o < r->step->n_outputs; o++)
        memcpy(r->out[0].data + o * C, r->in[0].data + r->step->output[o] * C, C * sizeof(float));
}

bool select_plan(struct op_plan *p, struct error *err)
{
    struct select_params params = {p->out_cols[0] / 4};
    uint32_t threads = plan_threads(p, 64);
    struct dispatch_desc d = {
        .files = {"select"},
        .consts = {{"WORKGROUP", threads}},
        .params_wgsl = select_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_out(0)},
        .n_operands = 2,
        .grid = {{.fixed = (params.vectors + threads - 1) / threads}, {1, 1, ROWS_OUTPUTS}},
    };
    return plan_dispatch(p, &d, err);
}
