/* kv_write.c - puts the step's keys and values into the cache.
 *
 *   S[position % P] = (k, v)            k,v[T,KV] S[P,2*KV]
 *
 * The cache is a ring of P positions: a step may not hold more tokens of a sequence than P, and attention sees only
 * what is not overwritten (attention.c). */
#include <string.h>

#include "ops/op.h"

#define KV_WRITE_PARAMS(U, F) U(vectors) U(rows) U(slot_vectors)
PARAMS(kv_write, KV_WRITE_PARAMS);

void kv_write_ref(const struct op_ref *r)
{
    const struct step *step = r->step;
    size_t KV = r->in[0].cols;
    for (uint32_t t = 0; t < step->n_tokens; t++) {
        float *row = r->state + step->slot[step->seq[t]] * r->state_stride +
                     step->position[t] % r->state_rows * (size_t)r->state_cols;
        memcpy(row, r->in[0].data + t * KV, KV * sizeof *row);
        memcpy(row + KV, r->in[1].data + t * KV, KV * sizeof *row);
    }
}

bool kv_write_plan(struct op_plan *p, struct error *err)
{
    struct kv_write_params params = {p->in_cols[0] / 4, p->state_rows, p->state_stride / 4};
    uint32_t threads = plan_threads(p, 64);
    struct dispatch_desc d = {
        .files = {"kv_write"},
        .consts = {{"WORKGROUP", threads}},
        .params_wgsl = kv_write_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_in(1), operand_state('w')},
        .n_operands = 3,
        .grid = {{.fixed = (params.vectors + threads - 1) / threads}, {1, 1, ROWS_TOKENS}},
    };
    return plan_dispatch(p, &d, err);
}
