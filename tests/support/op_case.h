/* op_case.h - tests of ops: a small graph on random data, run on the GPU and by the scalar reference, compared.
 *
 * A case runs several steps on one executor, so that state is carried from step to step. Outputs are full of NaN before
 * each step, and rows behind the step's must stay so. Everything random comes from the case's name. */
#ifndef CORVID_TESTS_SUPPORT_OP_CASE_H
#define CORVID_TESTS_SUPPORT_OP_CASE_H

#include "base/rng.h"
#include "model/exec.h"

enum { CASE_SEQS = 4, CASE_SLOTS = 5, CASE_NUMBERS = 6, CASE_TENSORS = 8 };

/* tokens of one sequence in a step; count 0 ends the list */
struct sequence {
    uint32_t count, slot, position;
};

struct step_shape {
    struct sequence seqs[CASE_SEQS];
};

struct tolerance {
    double nmse;          /* sum (got - want)^2 / sum want^2 */
    double absolute, relative; /* |got - want| <= absolute + relative |want| */
};

struct case_value {
    val v;
    float low, high; /* low is NaN: all NaN */
};

struct case_state {
    state s;
    float low, high;
};

/* what a case's record function fills in */
struct op_bench {
    struct graph graph;
    struct rng rng;
    struct tensor_info tensors[CASE_TENSORS];
    char names[CASE_TENSORS][32];
    struct case_value inputs[OP_MAX_INPUTS];
    struct case_state state;
    uint32_t n_tensors, n_inputs, vocabulary;
};

struct op_case {
    char name[128];
    void (*record)(struct op_bench *b, const uint32_t *n);
    uint32_t n[CASE_NUMBERS]; /* sizes; each record function names its own */
    const struct step_shape *steps;
    size_t n_steps;
    struct tolerance tolerance;
    uint64_t max_binding_bytes; /* pretend that the device allows no more; 0: what it does allow */
    struct gpu *gpu;
};

/* random tensors, inputs and states, for record functions */
weight case_vector(struct op_bench *b, const char *name, uint32_t rows, uint32_t cols, float low, float high);
weight case_matrix(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows, uint32_t cols);
val case_input(struct op_bench *b, uint32_t cols, float low, float high);
state case_memory(struct op_bench *b, uint32_t rows, uint32_t cols, bool positions, float low, float high);

/* A cmocka test whose initial state is an op_case. */
void case_run(void **test_state);

/* The two ways in which kernels differ from device to device. The GPU is opened once. */
enum variant { VARIANT_PLAIN, VARIANT_FEATURES, N_VARIANTS };
struct gpu *case_gpu(enum variant v);      /* aborts if there is none */
const char *case_variant_name(enum variant v); /* "plain", "subgroup f16" */
void case_close(void);

#endif
