/* matmul_plan.h - kernels for matrix products, shared by matmul.c and products.c.
 *
 * Few tokens: matvec, bound by the bytes of W; each weight is decoded once for up to 8 tokens, and the workgroups of
 * the next 8 run beside them while the weights are in the cache. Where there are matrix units, these for more than 4 or
 * 8. Many: matmat, tiles in workgroup memory, on matrix units where they suit. A matrix too large for one binding is done
 * part by part. A stack of matrices is one matrix whose rows fall into segments, each with its own columns of x and
 * activation. */
#ifndef CORVID_OPS_MATMUL_PLAN_H
#define CORVID_OPS_MATMUL_PLAN_H

#include "ops/op.h"

struct matmul_segment {
    uint32_t rows; /* the next ones of the matrix */
    uint32_t cols; /* columns of x that meet them, */
    uint32_t x_at; /* from this one on */
    enum act act;
    enum quant_type type; /* in a mixed stack: of its rows, */
    uint32_t plane_at;    /* where they begin in the plane, in 16 bytes, */
    float largest;        /* and, of F32 and BF16, the largest |w| */
};

struct matmul_plan {
    unsigned weight; /* index in op_plan.w of the matrix or stack */
    unsigned bias;   /* of the bias of all output columns */
    uint32_t y_at;   /* output column of the matrix's first row */
    const struct matmul_segment *segments;
    uint32_t n_segments; /* up to MAX_PRODUCTS */
    uint32_t but; /* steps of up to so many tokens are planned elsewhere: matmul_plan_shifted, matmul_plan_mixed */
};

/* Plans x = input 0, other = input 1, y = output 0, for any number of tokens. */
bool matmul_plan_kernels(struct op_plan *p, const struct matmul_plan *m, struct error *err);

/* Two stacks whose rows follow each other in y, of any type and then thin ones of floats, can be done by one dispatch
 * where tokens are few: how few is set in `but` of both. */
enum { MATMUL_FEW = 8 }; /* tokens, at most */
bool matmul_can_mix(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin);
bool matmul_plan_mixed(struct op_plan *p, struct matmul_plan *m, struct matmul_plan *thin,
                       struct error *err); /* from m->but + 1 tokens on */

/* For one token, a call's only stack, or two of them as above, with the token shift before it in the same dispatch; *done
 * tells whether that is possible. */
bool matmul_plan_shifted(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin, bool *done,
                         struct error *err);

/* Products on matrix units need scratch. A matrix is cut into tiles of UNITS_TILE rows, none of which lies in two
 * segments. */
enum { UNITS_TILE = 128 };
static inline uint32_t units_tiles(uint32_t rows) { return (rows + UNITS_TILE - 1) / UNITS_TILE; }

/* Floats of output OUT_MORE, in steps of up to `rows` rows; 0 if those are too few for matrix units. */
uint64_t units_sums(uint32_t tiles, uint32_t rows);

/* Columns, as floats, of output OUT_HALVES, where the widest segment reads `cols` of the x_cols of x; 0 if x is not stored. */
uint32_t units_halves(uint32_t tiles, uint32_t n_segments, uint32_t cols, uint32_t x_cols);

double ref_activate(enum act act, double x);

#endif
