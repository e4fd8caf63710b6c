/* kv_plan.h - how kernels reach the rows of a key-value cache, whose types are those of quant/kv_row.h. */
#ifndef CORVID_OPS_KV_PLAN_H
#define CORVID_OPS_KV_PLAN_H

#include "ops/op.h"

/* "kv/kv_f32", ...: the file that gives kv_quad for the op's state */
const char *plan_kv_read(const struct op_plan *p);

/* Adds to a dispatch what its kernel needs for kv_store: files and binding. After the kernel's own files, consts,
 * operands. */
void plan_kv_store(const struct op_plan *p, struct dispatch_desc *d);

#endif
