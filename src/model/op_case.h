/* op_case.h - a small graph on made-up data, run on the GPU and by the scalar reference, compared: the tests of ops and
 * the self test (self_test.h) are made of these.
 *
 * A case runs several steps on one executor, so that state is carried from step to step. Outputs are full of NaN before
 * each step, and rows behind the step's must stay so. Everything random comes from the case's name. */
#ifndef CORVID_MODEL_OP_CASE_H
#define CORVID_MODEL_OP_CASE_H

#include "base/rng.h"
#include "model/exec.h"

enum { CASE_SEQS = 4, CASE_SLOTS = 5, CASE_NUMBERS = 6, CASE_TENSORS = 16, CASE_BLOCKS = 4 };

/* tokens of one sequence in a step; count 0 ends the list */
struct sequence {
    uint32_t count, slot, position;
};

struct step_shape {
    struct sequence seqs[CASE_SEQS];
};

struct tolerance {
    double nmse;               /* sum (got - want)^2 / sum want^2 */
    double absolute, relative; /* |got - want| <= absolute + relative |want| */
};

#define TOLERANCE_EXACT {0, 0, 0}
#define TOLERANCE_USUAL {1e-7, 2e-5, 2e-5}
#define TOLERANCE_LOOSER {1e-7, 2e-4, 2e-4} /* long recurrences, angles of far positions */
#define TOLERANCE_MATMUL {1e-6, 2e-4, 2e-4}
#define TOLERANCE_MATMUL_F16 {1e-5, 3e-2, 1e-2}

struct case_value {
    val v;
    uint32_t n_blocks; /* equal parts of the columns, */
    struct case_range {
        float low, high; /* each with values between these */
    } blocks[CASE_BLOCKS];
    float step; /* all are multiples of it; 0: any */
};

struct case_state {
    state s;
    float low, high; /* low is NaN: all NaN */
};

/* what a case's record function fills in */
struct op_bench {
    struct graph graph; /* failures stick to it */
    struct arena arena;
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
    uint32_t n[CASE_NUMBERS]; /* sizes; each record function (op_graphs.h) names its own */
    const struct step_shape *steps;
    size_t n_steps;
    struct tolerance tolerance;
};

struct op_case_result {
    double nmse; /* the worst of all outputs and states */
    bool wrong;
    char message[160]; /* the first thing that is wrong: "step 2, output 0, row 1, column 5: 0.5, expected 0.25" */
};

/* False if the case could not be run at all, with the reason in err; else see *result. */
bool op_case_run(const struct op_case *c, struct gpu *gpu, struct op_case_result *result, struct error *err);

/* Adds what n values got show against those wanted, rows of `cols`; NaN is wanted where want is NaN. */
void op_case_compare(const struct tolerance *t, const char *what, const float *want, const float *got, size_t n,
                     size_t cols, struct op_case_result *result);

/* ---- random tensors, inputs and states, for record functions ---- */

weight case_vector(struct op_bench *b, const char *name, uint32_t rows, uint32_t cols, float low, float high);
weight case_matrix(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows, uint32_t cols);
val case_input(struct op_bench *b, uint32_t cols, float low, float high);
/* multiples of 1/64 up to 1, which f16 holds, and 1/16 of them: matrix units do not round them */
val case_input_coarse(struct op_bench *b, uint32_t cols);
/* an input for products that take it in int8 form, and as floats; the two are other numbers */
val case_input_q8(struct op_bench *b, uint32_t cols, float low, float high);
val case_blocks(struct op_bench *b, uint32_t cols, const struct case_range *blocks, uint32_t n);
state case_memory(struct op_bench *b, uint32_t rows, uint32_t cols, bool positions, float low, float high);
state case_cache(struct op_bench *b, uint32_t rows, uint32_t cols, enum kv_type type, float low, float high);

/* for op_case.c */
void case_begin(struct op_bench *b, const char *name);
void case_end(struct op_bench *b);
void case_fill(struct rng *r, float *out, size_t n, float low, float high); /* low is NaN: all NaN */

#endif
