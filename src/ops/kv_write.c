/* kv_write.c - puts the step's keys and values into the cache.
 *
 *   S[position % P] = (k, v)            k,v[T,KV] S[P,2*KV]
 *
 * The cache is a ring of P positions: a step may not hold more tokens of a sequence than P, and attention sees only
 * what is not overwritten (attention.c). Its rows are of one of three types (quant/kv_row.h). */
#include "ops/kv_plan.h"

#define KV_WRITE_PARAMS(U, F) U(row_quads) U(rows) U(row_words) U(slot_words)
PARAMS(kv_write, KV_WRITE_PARAMS);

void kv_write_ref(const struct op_ref *r)
{
    const struct step *step = r->step;
    size_t KV = r->in[0].cols;
    for (uint32_t t = 0; t < step->n_tokens; t++) {
        float *row = r->state + step->slot[step->seq[t]] * r->state_stride +
                     step->position[t] % r->state_rows * (size_t)r->state_cols;
        kv_round(r->state_type, r->in[0].data + t * KV, KV, row);
        kv_round(r->state_type, r->in[1].data + t * KV, KV, row + KV);
    }
}

bool kv_write_plan(struct op_plan *p, struct error *err)
{
    struct kv_write_params params = {p->state_cols / 4, p->state_rows,
                                     (uint32_t)kv_row_words(p->state_type, p->state_cols), p->state_stride};
    uint32_t threads = plan_threads(p, 64);
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "kv/kv_write"},
        .consts = {{"WORKGROUP", threads}, {"LANES", 1}},
        .params_wgsl = kv_write_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_in(1)},
        .n_operands = 2,
        .grid = {{.fixed = (p->in_cols[0] / 4 + threads - 1) / threads}, {1, 1, ROWS_TOKENS}},
    };
    plan_kv_store(p, &d);
    return plan_dispatch(p, &d, err);
}
