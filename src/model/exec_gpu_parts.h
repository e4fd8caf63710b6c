/* exec_gpu_parts.h - the executor of exec_gpu.c, for exec_gpu_plan.c and exec_gpu_data.c, which are parts of it. */
#ifndef CORVID_MODEL_EXEC_GPU_PARTS_H
#define CORVID_MODEL_EXEC_GPU_PARTS_H

#include "model/exec_gpu.h"
#include "model/gpu_weights.h"
#include "model/kernel_cache.h"
#include "model/memory_plan.h"
#include "model/work.h"

/* a dispatch */
struct planned {
    const struct gpu_kernel *kernel;
    struct gpu_bindings *bindings;
    struct grid grid[3];
    uint32_t min_rows, max_rows, min_run, max_run;
    enum rows_of rows;
    struct work work;
};

struct exec_gpu {
    struct exec base;
    struct arena arena;
    struct gpu *gpu;
    struct gpu_weights weights;
    struct kernel_cache own_kernels, *kernels;
    bool beside; /* the weights are another executor's */
    struct memory_plan plan;
    struct gpu_buffer **values; /* [plan.n_buffers] */
    struct gpu_pool *state_pool;
    struct gpu_range *states;    /* [n_states], all slots */
    uint32_t *state_strides;     /* [n_states], words from slot to slot */
    struct gpu_range fixed;      /* all states without positions, slot by slot; no buffer if that fits no binding */
    uint64_t n_runs;             /* of exec_run */
    struct decode_memory decode; /* kept from one generation to the next */
    struct gpu_buffer *batch, *params;
    struct gpu_buffer *dummies[2]; /* what operands that are absent bind: to be read, to be written */
    struct planned *dispatches;
    uint32_t n_dispatches;
    uint32_t n_wanted;           /* dispatches that the first planning counted */
    unsigned char *params_image; /* [n_wanted * PARAMS_SLOT] while they are planned */
    const struct op_call *call;  /* being planned */
    uint32_t *taken; /* [n_calls], steps of up to so many rows are done by the call that reads the outputs */
};

enum { PARAMS_SLOT = 256, DUMMY_BYTES = 256 };

/* ---- exec_gpu_data.c ---- */

struct gpu_range gpu_exec_value_range(const struct exec_gpu *x, val v, uint32_t rows);

/* n words of a state from word `at` of a slot on */
struct gpu_range gpu_exec_state_range(const struct exec_gpu *x, uint32_t id, uint32_t slot, size_t at, size_t n);

/* Reading and writing of struct exec_functions (exec_internal.h). */
bool gpu_exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err);
bool gpu_exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in,
                          struct error *err);
bool gpu_exec_state_clear(struct exec *e, uint32_t slot, struct error *err);
bool gpu_exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err);
bool gpu_exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err);

/* ---- exec_gpu_plan.c ---- */

static inline uint64_t gpu_exec_batch_bytes(struct step_limits l) { return step_words(l) * sizeof(uint32_t); }

/* Makes kernels, parameters, bindings and the list of dispatches; weights and buffers are there. */
bool gpu_exec_plan(struct exec_gpu *x, struct error *err);

#endif
