/* exec.h - runs a recorded graph: on a GPU (exec_gpu.c) or in scalar C (exec_ref.c). The two must agree; tests compare
 * them op by op and model by model. One thread at a time. The graph must outlive the executor. */
#ifndef CORVID_MODEL_EXEC_H
#define CORVID_MODEL_EXEC_H

#include "model/graph.h"
#include "ops/sampler.h"

struct exec; /* opaque */

struct exec_sizes {
    uint64_t weight_bytes, state_bytes, work_bytes; /* state: of one slot */
    uint64_t copies_bytes;                          /* of a slot's state, from when it is first generated on */
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

/* A slot's part of a state: floats [at, at + n) of its rows * cols; whole rows where its type is not KV_F32. */
bool exec_state_read(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err);
bool exec_state_write(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in, struct error *err);
bool exec_state_clear(struct exec *e, uint32_t slot, struct error *err); /* all states of the slot */

/* ---- steps that make their own tokens (decode_gpu.c) ----
 *
 * Each step feeds the last token of every sequence and draws the next one, which stays on the device; several steps are
 * submitted ahead of the one whose tokens are asked for. */

struct decode; /* opaque */

struct decode_sequence {
    uint32_t slot;
    uint64_t position; /* of `token`, which is fed first */
    uint64_t room;     /* tokens that still fit */
    int32_t token;
    const struct sampler *sampler; /* read by decode_create alone */
};

struct decode_limits {
    uint64_t max_steps; /* that will be asked for; 0: unknown */
    uint32_t ahead;     /* steps in flight, 8 at most; 0: as many as help, within 10 ms of work */
};

/* Whether the executor can, with such a sampler; else steps go one by one through exec_run and sampler_next. */
bool exec_decodes(const struct exec *e, const struct sampler *sampler);

/* n >= 1 sequences of different slots. */
struct decode *exec_decode(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                           const struct decode_limits *limits, struct error *err);

/* Goes one step on: tokens[i] of sequence i, -1 if it was dropped or has no logit that is a number. */
bool decode_next(struct decode *d, int32_t *tokens, struct error *err);

/* The same in parts. One thread may ask and take while another works; neither does anything else with the device and the
 * executor meanwhile.
 *   ask      a step is wanted, even if it is beyond max_steps
 *   can_work there is a step to submit, or one in flight to wait for
 *   work     does one of them
 *   has      the tokens of the step that was asked for are there: take them */
void decode_ask(struct decode *d);
bool decode_can_work(const struct decode *d);
bool decode_work(struct decode *d, struct error *err);
bool decode_has(const struct decode *d);
void decode_take(struct decode *d, int32_t *tokens);

/* Ends sequence i: its slot's state is what it is after the tokens that were fed when decode_next last returned: all
 * but that call's. What that takes is done by who uses the slot next. exec_run may be called in between. */
void decode_drop(struct decode *d, uint32_t i);
void decode_destroy(struct decode *d); /* accepts NULL; the states of sequences that were not dropped are undefined */

/* For tests: a value's rows, before a step (inputs) or after it (values that no later call's output overwrote). */
bool exec_value_write(struct exec *e, val v, const float *in, uint32_t rows, struct error *err);
bool exec_value_read(struct exec *e, val v, float *out, uint32_t rows, struct error *err);

#endif
