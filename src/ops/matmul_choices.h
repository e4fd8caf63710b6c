/* matmul_choices.h - what of a matrix product's kernels is left to measurement (tuning.h). */
#ifndef CORVID_OPS_MATMUL_CHOICES_H
#define CORVID_OPS_MATMUL_CHOICES_H

#include "ops/matmul_parts.h"
#include "ops/tuning.h"

/* how the threads of a matvec share the work: lanes threads a row, each of them takes `rows` rows */
struct matvec_shape {
    uint32_t threads, lanes, rows;
};

/* For steps of up to max_tokens; `usual` is the shape where nothing was measured. */
struct matvec_shape choose_matvec(const struct op_plan *p, const struct matmul_part *part, uint32_t max_tokens,
                                  struct matvec_shape usual);

/* The same for two stacks in one dispatch; 1 row a thread. */
struct matvec_shape choose_mixed(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin,
                                 uint32_t max_tokens, struct matvec_shape usual);

/* matmat's QUADS, at most `most`. */
uint32_t choose_quads(const struct op_plan *p, const struct matmul_part *part, uint32_t usual, uint32_t most);

/* A choice about `rows` rows of a matrix, without candidates yet, for steps of up to `tokens` tokens: `what` begins its key. */
struct choice matmul_choice(const struct op_plan *p, const struct matmul_plan *m, uint32_t rows, const char *what,
                            const char *names, uint32_t tokens);

/* Whether matrix units do steps of up to so many tokens, where they can; usually they do. */
bool choose_units(const struct op_plan *p, const struct matmul_plan *m, const char *what, uint32_t tokens);

#endif
