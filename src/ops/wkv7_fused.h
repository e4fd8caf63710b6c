/* wkv7_fused.h - for wkv7.c: few tokens, with the products before it in the same dispatch. */
#ifndef CORVID_OPS_WKV7_FUSED_H
#define CORVID_OPS_WKV7_FUSED_H

#include "ops/op.h"

/* Plans steps of up to *max_rows rows; 0 where the products or the device do not suit. */
bool wkv7_plan_fused(struct op_plan *p, uint32_t *max_rows, struct error *err);

#endif
