/* gated.h - what gated.c and products.c agree on. */
#ifndef CORVID_OPS_GATED_H
#define CORVID_OPS_GATED_H

#include "ops/op.h"

/* Steps of up to so many tokens need no products before a gated op whose stack it can read. */
enum { GATED_FEW = 8 };

bool gated_does_few(const struct plan_weight *stack, const struct gpu_info *device);

#endif
