/* work.h - how much a dispatch reads and computes, from what its op planned: for traces and profiles. */
#ifndef CORVID_MODEL_WORK_H
#define CORVID_MODEL_WORK_H

#include "model/graph.h"

/* Bytes are weights and recurrent states. Activations, caches of positions and the arithmetic of everything but
 * matrix products and WKV are not counted. */
struct work {
    const char *op;
    int layer;
    uint64_t bytes, row_bytes, seq_bytes; /* of a step, and more for each row (T or O) and for each sequence of it */
    uint64_t row_flops;
};

/* ranges[n_operands] are what the operands are bound to. */
struct work work_of(const struct graph *g, const struct op_call *c, const struct dispatch_desc *d,
                    const struct gpu_range *ranges);

/* Tells the gpu what its next dispatch does in a step. */
void work_describe(const struct work *w, struct gpu *gpu, uint32_t rows, uint32_t seqs);

#endif
