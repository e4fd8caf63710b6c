/* kv_plan.c - see kv_plan.h */
#include "ops/kv_plan.h"

const char *plan_kv_read(const struct op_plan *p)
{
    static const char *const files[KV_TYPES] = {"kv/kv_f32", "kv/kv_f16", "kv/kv_q8"};
    return files[p->state_type];
}

void plan_kv_store(const struct op_plan *p, struct dispatch_desc *d)
{
    static const char *const files[KV_TYPES] = {"kv/kv_store_f32", "kv/kv_store_f16", "kv/kv_store_q8"};
    size_t file = 0, n = 0;
    while (d->files[file]) file++;
    while (d->consts[n].name) n++;
    d->files[file++] = files[p->state_type];
    if (p->state_type == KV_Q8) d->files[file] = plan_octet(p);
    d->consts[n] = (struct kernel_const){"KV_BINDING", (uint32_t)(2 + d->n_operands)};
    d->operands[d->n_operands++] = operand_state('w');
}
