/* memory_plan.h - activations placed by lifetime: values that are never alive together share a buffer.
 *
 * Several buffers rather than ranges of one: WebGPU forbids a buffer to be read and written by the same dispatch. */
#ifndef CORVID_MODEL_MEMORY_PLAN_H
#define CORVID_MODEL_MEMORY_PLAN_H

#include "model/graph.h"

struct memory_plan {
    uint32_t *buffer_of; /* [n_values]: the value's buffer; values[0] has none */
    uint64_t *bytes;     /* [n_buffers]: of each buffer, for steps up to the limits */
    uint32_t n_buffers;
};

/* The arrays are allocated in `arena`. */
bool memory_plan_make(struct memory_plan *plan, const struct graph *g, struct step_limits limits, struct arena *arena,
                      struct error *err);

#endif
