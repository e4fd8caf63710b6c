/* exec_internal.h - what both executors are to exec.c: a table of functions. */
#ifndef CORVID_MODEL_EXEC_INTERNAL_H
#define CORVID_MODEL_EXEC_INTERNAL_H

#include "model/exec.h"

struct exec_functions {
    void (*destroy)(struct exec *e);
    bool (*run)(struct exec *e, const struct step *step, float *const *logits, struct error *err);
    bool (*state_read)(struct exec *e, state s, uint32_t slot, size_t at, size_t n, float *out, struct error *err);
    bool (*state_write)(struct exec *e, state s, uint32_t slot, size_t at, size_t n, const float *in,
                        struct error *err);
    bool (*state_clear)(struct exec *e, uint32_t slot, struct error *err);
    bool (*value_write)(struct exec *e, val v, const float *in, uint32_t rows, struct error *err);
    bool (*value_read)(struct exec *e, val v, float *out, uint32_t rows, struct error *err);
    struct decode *(*decode)(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                             const struct decode_limits *limits, struct error *err); /* NULL: cannot */
};

/* first member of each executor */
struct exec {
    const struct exec_functions *f;
    const struct graph *g;
    struct step_limits limits;
    uint32_t slots;
    struct exec_sizes sizes;
};

/* 32-bit words of a state in one slot on the device, padded so that slots of any state start aligned */
static inline size_t state_stride(const struct graph_state *s)
{
    return (s->rows * kv_row_words(s->type, s->cols) + 63) / 64 * 64;
}

/* a slot's states without positions */
uint64_t fixed_state_bytes(const struct graph *g);

static inline uint32_t rows_in_step(const struct step *s, enum rows_of rows)
{
    switch (rows) {
    case ROWS_TOKENS: return s->n_tokens;
    case ROWS_OUTPUTS: return s->n_outputs;
    case ROWS_SEQS: return s->n_seqs;
    default: return 1;
    }
}

#endif
