/* gpu_weights.h - the model's tensors on the device: file form to GPU form, split where one binding cannot hold a
 * matrix, in few large buffers. */
#ifndef CORVID_MODEL_GPU_WEIGHTS_H
#define CORVID_MODEL_GPU_WEIGHTS_H

#include "model/exec.h"

enum { WEIGHT_MAX_PARTS = 32 };

struct gpu_weight {
    uint32_t rows_per_part, n_parts;
    struct gpu_range quants[WEIGHT_MAX_PARTS]; /* a vector's floats lie in quants[0] */
    struct gpu_range scales[WEIGHT_MAX_PARTS]; /* bytes 0 where the type has no scales */
    /* of F32 and BF16 in a mixed stack, once loaded: the bits of the largest |w|, which grow with it; infinity and NaN
     * are beyond all others */
    _Atomic uint32_t largest;
};

struct gpu_weights {
    struct gpu_pool *pool;
    struct gpu_weight *items; /* [graph.n_weights], by id */
};

/* Decides where every weight of the graph goes; `items` are allocated in `arena`. Nothing is on the device yet. */
bool gpu_weights_plan(struct gpu_weights *w, struct gpu *gpu, const struct graph *g, struct arena *arena,
                      struct error *err);

/* Makes the buffers and uploads what was planned, repacked by all processors. */
bool gpu_weights_load(struct gpu_weights *w, struct gpu *gpu, const struct graph *g, exec_progress *progress,
                      void *user, struct error *err);
void gpu_weights_free(struct gpu_weights *w);

#endif
