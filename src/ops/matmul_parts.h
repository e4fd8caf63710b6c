/* matmul_parts.h - what the choices of kernels for matrix products share: matvec_plan.c for few tokens, matmat_plan.c for
 * many, units_few_plan.c, units_direct_plan.c and units_plan.c on matrix units; matmul_plan.c puts them together. */
#ifndef CORVID_OPS_MATMUL_PARTS_H
#define CORVID_OPS_MATMUL_PARTS_H

#include "ops/matmul_plan.h"

/* rows of the planes give columns of y from row_at on; segment i ends before row end_i. In mixed stacks its rows begin
 * at plane_i and its type is that of the bits 2 i of `types`: 0 F32, 1 F16, 2 BF16 */
/* clang-format off */
#define MATMUL_PARAMS(U, F)                                                                                  \
    U(rows) U(row_at) U(spans) U(quads) U(out_cols) U(on_outputs) U(combine) U(has_bias)                      \
    U(first_thin) U(thin_groups) U(tiles) U(shares) U(groups)                                                \
    U(end0) U(end1) U(end2) U(end3) U(end4) U(end5) U(end6)                                                  \
    U(x_at0) U(x_at1) U(x_at2) U(x_at3) U(x_at4) U(x_at5) U(x_at6) U(x_at7)                                  \
    U(used0) U(used1) U(used2) U(used3) U(used4) U(used5) U(used6) U(used7)                                  \
    U(plane0) U(plane1) U(plane2) U(plane3) U(plane4) U(plane5) U(plane6) U(plane7) U(types)                 \
    U(act0) U(act1) U(act2) U(act3) U(act4) U(act5) U(act6) U(act7)
/* clang-format on */
PARAMS(matmul, MATMUL_PARAMS);

/* a matvec does 8 at once; steps of more than 48 go to matmat, or on software Vulkan to a matvec that does 16 at once */
enum { MATVEC_TOKENS = 8, MATVEC_MAX = 48, SOFTWARE_TOKENS = 16 };

/* a part of the matrix, for which kernels are planned */
struct matmul_part {
    const struct matmul_plan *m;
    const char *codec; /* file of the weight type */
    uint32_t index;
    struct matmul_params params;
};

/* the weights are integers and there is an x in int8 form for them */
bool matmul_is_q8(const struct op_plan *p, const struct matmul_plan *m);

/* What every kernel of a part needs: kernel, codec, epilogue, activation, segment and, for a mixed stack, mixed_row as
 * files 0 to 5, 6 operands. matmul_add_file appends. */
struct dispatch_desc matmul_describe(const struct op_plan *p, const struct matmul_part *part, const char *kernel);
void matmul_add_file(struct dispatch_desc *d, const char *file);

/* Weights that the segments of a dispatch read: rows by the columns they use. */
uint64_t matmul_count_weights(const struct matmul_params *m);

/* Rows of segment i of a dispatch; 0: there is none. */
uint32_t matmul_segment_rows(const struct matmul_params *m, uint32_t i);

/* Tiles of `tile_rows` rows, none of which lies in two segments. */
uint32_t matmul_count_tiles(const struct matmul_params *m, uint32_t tile_rows);

/* Sets the segments of a dispatch: rows [first, last) of the matrix, which lie in one part. */
void matmul_cut_segments(const struct matmul_plan *m, uint32_t first, uint32_t last, struct matmul_params *params);

/* Steps of min_tokens to max_tokens (0: no end), `tokens` at a time. */
bool plan_matvec(struct op_plan *p, const struct matmul_part *part, uint32_t tokens, uint32_t min_tokens,
                 uint32_t max_tokens, struct error *err);

/* Steps of min_tokens to max_tokens, MATVEC_MAX or 32, on matrix units, if they are there and suit the matrix: then
 * units_few_from says from how many tokens on they are faster than a matvec, else 0. */
uint32_t units_few_from(const struct op_plan *p, const struct matmul_plan *m);
bool plan_units_few(struct op_plan *p, const struct matmul_part *part, uint32_t min_tokens, uint32_t max_tokens,
                    struct error *err);

/* The same where the device lets threads build the matrices in registers: steps of min_tokens to 16 token_units. */
bool can_direct(const struct op_plan *p, const struct matmul_plan *m);
bool plan_direct(struct op_plan *p, const struct matmul_part *part, uint32_t token_units, uint32_t min_tokens,
                 struct error *err);

/* Steps of more than MATVEC_MAX. */
bool plan_matmat(struct op_plan *p, const struct matmul_part *part, struct error *err);

/* The same on matrix units, if they are there and suit the matrix, and from min_tokens on: output OUT_Q8 too. */
bool suits_units(const struct op_plan *p, const struct matmul_plan *m);
bool plan_units(struct op_plan *p, const struct matmul_part *part, uint32_t min_tokens, struct error *err);

/* The same where a thread's elements of the matrices are known (gpu_info.fragments) and the part suits them: tiles of
 * MANY_ROWS rows x MANY_TOKENS tokens. `stored`: x is there in f16, otherwise it has to be int8. Tiles that several
 * workgroups share leave sums, of the rest y is finished. */
enum { MANY_ROWS = 256, MANY_TOKENS = 128 };
bool suits_many(const struct op_plan *p, const struct matmul_part *part, bool stored);
bool plan_many_tiles(struct op_plan *p, const struct matmul_part *part, uint32_t min_rows, uint32_t max_rows,
                     struct error *err);

/* The device multiplies f16 on matrix units in the way that the kernels for them are written for; the weights stay what
 * they are, or nearly so, as f16. */
bool has_units(const struct gpu_info *device);
bool units_keep_right(const struct op_plan *p, const struct matmul_plan *m);

#endif
