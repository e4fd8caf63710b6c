/* op_graphs.h - graphs of one op each on random data: record functions of op cases. `n` holds the sizes that each
 * names. */
#ifndef CORVID_MODEL_OP_GRAPHS_H
#define CORVID_MODEL_OP_GRAPHS_H

#include "model/op_case.h"

/* quant type, vocabulary, columns */
void record_embed(struct op_bench *b, const uint32_t *n);
/* columns */
void record_select(struct op_bench *b, const uint32_t *n);
/* columns, 1 after select, 1 to int8 */
void record_layer_norm(struct op_bench *b, const uint32_t *n);
/* columns, 1 with a residual, 1 after select, 1 to int8, 1 for two norms */
void record_rms_norm(struct op_bench *b, const uint32_t *n);
/* columns, blends, 1 to int8 */
void record_token_shift(struct op_bench *b, const uint32_t *n);

/* columns */
void record_quantize(struct op_bench *b, const uint32_t *n);

/* quant type, rows, columns, enum act, enum combine, sum of MATMUL_*: _INT8 and _TO_INT8 are x and y in int8 form */
enum { MATMUL_BIAS = 1, MATMUL_OF_OUTPUTS = 2, MATMUL_INT8 = 4, MATMUL_TO_INT8 = 8 };
void record_matmul(struct op_bench *b, const uint32_t *n);

/* types of up to four matrices (PRODUCTS_END ends), rows of the first (each next has 4 more), columns (of floats, each
 * next has 20 more) */
enum { PRODUCTS_END = 99, CASE_PRODUCTS = 4 };
void record_products(struct op_bench *b, const uint32_t *n);
/* the same with int8 activations for integer matrices */
void record_products_int8(struct op_bench *b, const uint32_t *n);

/* thin matrices of F32, F16 and BF16, stacked, behind a large one, with int8 activations: its type (PRODUCTS_END: none)
 * and rows; columns (each next has 20 more), rows of the first thin one (each next has 4 more), n: F32 up to 2^n, 1 with
 * biases */
void record_products_thin(struct op_bench *b, const uint32_t *n);

/* quant type, rows of gate and up, columns, 1 with int8 activations, 1 to int8, quant type of up if another */
void record_gated(struct op_bench *b, const uint32_t *n);

/* after a token shift, for one token in one dispatch where the device suits: quant type, rows, columns, enum act, rows of
 * thin products beside (type F16; SHIFTED_F32: F32; 0: a single matrix, else three), sum of MATMUL_INT8, _TO_INT8 */
enum { SHIFTED_F32 = 1 << 16 };
void record_shifted(struct op_bench *b, const uint32_t *n);

/* head size, heads, 1 with v_first, 1 with keys shorter than any a model has, 1 to int8 */
void record_wkv7(struct op_bench *b, const uint32_t *n);
/* with the thin products that make its w, a, g and mix: head size, heads, 1 with v_first, quant type, rank of the first
 * (each next has 8 more), 1 to int8 */
void record_wkv7_ups(struct op_bench *b, const uint32_t *n);
/* head size, heads, key-value heads, positions, base, sum of enum kv_type and ROPE_*: with a norm, positions / 8 */
enum { ROPE_NORM = 16, ROPE_SCALED = 32 };
void record_rope_kv(struct op_bench *b, const uint32_t *n);
/* head size, heads, key-value heads, positions, window, sum of enum kv_type and CASE_TO_INT8 */
enum { CASE_TO_INT8 = 16 };
void record_attention(struct op_bench *b, const uint32_t *n);
/* the same, after rope_kv into a cache where all else is NaN */
void record_attention_written(struct op_bench *b, const uint32_t *n);

#endif
