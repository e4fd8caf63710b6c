/* tune_check.h - what tuning found for single ops, tried in whole steps of the graph: an op that is faster by itself may
 * make those around it wait. For tune.c. */
#ifndef CORVID_MODEL_TUNE_CHECK_H
#define CORVID_MODEL_TUNE_CHECK_H

#include "model/graph.h"
#include "model/kernel_cache.h"
#include "ops/tuning.h"

struct tune_found {
    struct choice choice;
    uint32_t best; /* index of the candidate that was found; 0: the usual one, or it did not hold */
    bool on;       /* is planned now */
};

/* Sets best to 0 where steps of choice.tokens are not faster with it: of those with as many tokens all stay if they are
 * faster together, else those that are faster alone. If the device has no room for the graph, or takes too long for a
 * step, all stay. kernels: of these limits. again(user) is asked before each measurement; false stops. */
bool tune_check(struct gpu *gpu, const struct graph *g, struct step_limits limits, struct kernel_cache *kernels,
                struct tune_found *found, uint32_t n, bool (*again)(void *user, struct error *err), void *user,
                struct error *err);

#endif
