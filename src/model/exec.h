/* exec.h - runs a recorded graph: on a GPU (exec_gpu.c) or in scalar C (exec_ref.c). The two must agree; tests compare
 * them op by op and model by model. One thread at a time. The graph must outlive the executor. */
#ifndef CORVID_MODEL_EXEC_H
#define CORVID_MODEL_EXEC_H

#include "model/graph.h"

struct exec; /* opaque */

struct exec_sizes {
    uint64_t weight_bytes, state_bytes, work_bytes; /* state: of one slot */
    uint32_t n_kernels, n_dispatches;               /* compiled; in a step of one token */
    double upload_ms, compile_ms;                   /* what weights and kernels took */
};

/* The sizes of what exec_gpu_create would put on the device; it creates nothing. */
bool exec_gpu_sizes(struct gpu *gpu, const struct graph *g, struct step_limits limits, struct exec_sizes *out,
                    struct error *err);

/* false cancels */
typedef bool exec_progress(void *user, uint64_t done_bytes, uint64_t total_bytes);

/* Uploads the weights, compiles the kernels, makes every buffer and binding that steps will need. */
struct exec *exec_gpu_create(struct gpu *gpu, const struct graph *g, struct step_limits limits, uint32_t slots,
                             exec_progress *progress, void *user, struct error *err);
struct exec *exec_ref_create(const struct graph *g, struct step_limits limits, uint32_t slots, struct error *err);
void exec_destroy(struct exec *e); /* accepts NULL */

struct exec_sizes exec_sizes(const struct exec *e);

/* Runs the step (sealed here). If the graph has logits, logits[i] (i < n_outputs) receives row i; NULL skips a row. */
bool exec_run(struct exec *e, struct step *step, float *const *logits, struct error *err);

/* A slot's part of a state: floats [at, at + n) of its rows * cols. */
bool exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err);
bool exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in, struct error *err);
bool exec_state_clear(struct exec *e, uint32_t slot, struct error *err); /* all states of the slot */

/* For tests: a value's rows, before a step (inputs) or after it (values that no later call's output overwrote). */
bool exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err);
bool exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err);

#endif
