/* sample_case.h - tokens that the GPU draws and that the CPU's sampler draws from the same logits, which must be the
 * same: for tests and the self test. */
#ifndef CORVID_MODEL_SAMPLE_CASE_H
#define CORVID_MODEL_SAMPLE_CASE_H

#include "model/op_case.h"

enum { SAMPLE_ROWS = 3 };

/* A model whose logits are what is written into `logits`, whatever it is fed. */
struct sample_table {
    struct op_bench bench;
    struct exec *exec;
    val input;
    uint32_t vocab;
    float *logits; /* [SAMPLE_ROWS, vocab] */
};

bool sample_table_init(struct sample_table *t, struct gpu *gpu, uint32_t vocab, struct error *err);
void sample_table_free(struct sample_table *t); /* accepts a zeroed one, also after a failure */

/* Draws `steps` tokens for each of the first `rows` rows, with a sampler for each. False if that could not be done;
 * else see *result, whose nmse is the share of tokens that differ. */
bool sample_table_run(struct sample_table *t, struct sampler *const *samplers, uint32_t rows, uint32_t steps,
                      struct op_case_result *result, struct error *err);

/* The self test: a few samplings of made-up logits. */
bool sample_self_test(struct gpu *gpu, struct op_case_result *result, struct error *err);

#endif
