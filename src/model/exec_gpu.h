/* exec_gpu.h - what decode_gpu.c and exec_gpu.c are to each other. */
#ifndef CORVID_MODEL_EXEC_GPU_H
#define CORVID_MODEL_EXEC_GPU_H

#include "model/exec_internal.h"

/* What decode_gpu.c keeps on the device from one generation to the next; made by need, zeroed before. */
struct decode_memory {
    struct gpu_kernel *kernel;
    struct gpu_bindings *bindings;
    struct gpu_buffer *wishes, *pasts, *made;
    struct gpu_buffer **snapshots; /* [slots], NULL where none was needed */
    uint32_t n_snapshots;
    struct step step;
    const struct decode *owner; /* whose rows the batch, wishes and pasts hold */
};

void decode_memory_free(struct decode_memory *m);

struct decode *decode_gpu_create(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                                 const struct decode_limits *limits, struct error *err);

struct gpu_exec_parts {
    struct gpu *gpu;
    struct gpu_buffer *batch;
    struct gpu_range logits; /* [limits.outputs, V] */
    struct decode_memory *memory;
    const uint64_t *n_runs; /* grows with every exec_run, which overwrites the batch */
};

struct gpu_exec_parts gpu_exec_parts(struct exec *e);

/* Records the dispatches of a step whose image is in the batch. */
void gpu_exec_encode(struct exec *e, const struct step *step);

/* A slot's states without positions: their bytes, and a copy of them to or from `with`, which is as long. */
uint64_t gpu_exec_fixed_bytes(const struct exec *e);
void gpu_exec_copy_fixed(struct exec *e, uint32_t slot, struct gpu_range with, bool back);

#endif
