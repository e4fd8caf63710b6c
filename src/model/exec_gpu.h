/* exec_gpu.h - what decode_gpu.c and exec_gpu.c are to each other. */
#ifndef CORVID_MODEL_EXEC_GPU_H
#define CORVID_MODEL_EXEC_GPU_H

#include "model/exec_internal.h"
#include "model/kernel_cache.h"

enum {
    MAX_AHEAD = 8, /* steps of a generation in flight */
    SNAPSHOT_EVERY = 4,
    SNAPSHOTS = MAX_AHEAD / SNAPSHOT_EVERY + 1
};

/* Of a slot: the copies of its state, and how it is to go back before it is used again. */
struct rewind {
    struct gpu_buffer *snapshots; /* [SNAPSHOTS]; NULL: none was needed yet */
    bool due;
    uint64_t step, position; /* of the copy to start from, and of the first token */
    int32_t tokens[SNAPSHOT_EVERY];
    uint32_t n_tokens;
};

/* What decode_gpu.c keeps on the device from one generation to the next; made by need, zeroed before. */
struct decode_memory {
    const struct gpu_kernel *kernel; /* decode_gpu_kernel */
    struct gpu_bindings *bindings;
    struct gpu_buffer *wishes, *pasts, *made;
    struct rewind *rewinds; /* [n_rewinds]; NULL: there was no generation yet */
    uint32_t n_rewinds;
    struct gpu_list **lists; /* [n_lists]: dispatches of a step of so many rows; NULL: to be recorded, or cannot be */
    uint32_t n_lists;
    struct step step;
    const struct decode *owner; /* whose rows the batch, wishes and pasts hold */
};

void decode_memory_free(struct decode_memory *m);

/* The kernel that draws tokens: noted with those of the graph, which has logits, so that all are compiled together. */
bool decode_gpu_want_kernel(struct kernel_cache *c, const struct graph *g, struct error *err);
const struct gpu_kernel *decode_gpu_kernel(const struct kernel_cache *c);

struct decode *decode_gpu_create(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                                 const struct decode_limits *limits, struct error *err);

struct gpu_exec_parts {
    struct gpu *gpu;
    struct gpu_buffer *batch;
    struct gpu_range logits; /* [limits.outputs, V] */
    struct decode_memory *memory;
    const struct gpu_kernel *sampler;
    const uint64_t *n_runs; /* grows with every exec_run, which overwrites the batch */
};

struct gpu_exec_parts gpu_exec_parts(struct exec *e);

/* Records the dispatches of a step whose image is in the batch. Which they are, and how large, depends on how many tokens,
 * sequences and outputs it has, on the most tokens of a sequence, and on nothing else: decode_gpu.c runs them again. */
void gpu_exec_encode(struct exec *e, const struct step *step);

/* exec_gpu_create with kernels of executors of several graphs, of the same limits, in the caller's cache, which must
 * outlive them. The same without anything on the device: only gpu_exec_want and exec_destroy may have it. */
struct exec *gpu_exec_create_with(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                                  struct kernel_cache *kernels, struct error *err);
struct exec *gpu_exec_create_dry(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                                 struct kernel_cache *kernels, struct error *err);

/* Notes the kernels of a call as the graph's chooser would have them now. */
bool gpu_exec_want(struct exec *e, uint32_t call, struct error *err);

/* Another executor of the same graph, planned as the graph's chooser says now, with values of its own and copies of the
 * states that have positions: the weights and kernels are those of the first, which must outlive it and gets the kernels
 * that are new. */
struct exec *gpu_exec_create_beside(struct exec *first, struct error *err);

/* Plans such an executor anew, as the chooser says now. After a failure it can only be planned again or destroyed. */
bool gpu_exec_replan(struct exec *e, struct error *err);

/* A slot's states without positions: their bytes, and a copy of them to or from `with`, which is as long. */
uint64_t gpu_exec_fixed_bytes(const struct exec *e);
void gpu_exec_copy_fixed(struct exec *e, uint32_t slot, struct gpu_range with, bool back);

/* ---- rewind_gpu.c ---- */

/* Room for the copies of a slot's state. */
bool rewind_reserve(struct exec *e, uint32_t slot, struct error *err);

/* Records the copy that belongs before a generation's step, if one does. */
void rewind_keep(struct exec *e, uint32_t slot, uint64_t step);

/* The slot is to go back to the copy that was made before `step`, and to be fed tokens[n] from `position` on. */
void rewind_plan(struct exec *e, uint32_t slot, uint64_t step, uint64_t position, const int32_t *tokens, uint32_t n);

/* Does what was planned, if anything: before the slot is used. It overwrites the batch. */
bool rewind_now(struct exec *e, uint32_t slot, struct error *err);

/* The slot's state is not needed any more. */
void rewind_forget(struct exec *e, uint32_t slot);

#endif
