/* quant.h - the weight types: what a block of a GGUF tensor means, and the form that the kernels read.
 *
 * File form: rows of blocks as GGUF stores them (row-major, W[M,K], a row is K / items blocks).
 * GPU form:  two planes a matrix, made once at load by `repack`:
 *   quants   the floats or the integers (of 5 and 6 bits: the low 4) of 16 consecutive weights of a row lie together,
 *            rows one after the other; every row starts at a multiple of 4 words
 *   scales   one entry a block (or two blocks), in block order: scales, minima and upper bits; empty for F32, F16, BF16
 * The exact bit layout of each type is the comment at the top of quant/TYPE.c and of ops/codec/TYPE.wgsl.
 * K is padded with zero weights to a multiple of 16 ("span") in the GPU form: padded_cols(K).
 *
 * Pure functions on caller's memory; thread-safe. */
#ifndef CORVID_QUANT_QUANT_H
#define CORVID_QUANT_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* id is ggml's type number as it stands in GGUF files */
enum quant_type {
    QUANT_F32 = 0,
    QUANT_F16 = 1,
    QUANT_Q4_0 = 2,
    QUANT_Q4_1 = 3,
    QUANT_Q5_0 = 6,
    QUANT_Q5_1 = 7,
    QUANT_Q8_0 = 8,
    QUANT_Q4_K = 12,
    QUANT_Q5_K = 13,
    QUANT_Q6_K = 14,
    QUANT_BF16 = 30,
};

enum { QUANT_SPAN = 16 }; /* weights that a kernel decodes at a time */

struct quant_info {
    enum quant_type type;
    const char *name;      /* "Q4_K" */
    const char *codec;     /* WGSL snippet that decodes the GPU form: "q4_k" */
    uint32_t items;        /* weights in a block */
    uint32_t block_bytes;  /* bytes of a block in the file */
    uint32_t span_words;   /* 32-bit words of 16 weights in the quants plane */
    uint32_t scale_words;  /* 32-bit words of an entry in the scales plane; 0: no such plane */
    uint32_t scale_blocks; /* blocks that share an entry: 2 where two f16 scales fill one word, else 1 */

    /* n weights (a multiple of items) from blocks to out[n] */
    void (*decode)(const void *blocks, float *out, size_t n);
    /* n floats (a multiple of items) to blocks; NULL where Corvid does not write the type */
    void (*encode)(const float *in, void *blocks, size_t n);
    /* one row of K weights from file form to its places in the two planes (see quant_repack) */
    void (*repack)(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales);
};

/* The table's entry, or NULL for a type that Corvid does not read. */
const struct quant_info *quant_find(uint32_t ggml_type);
const struct quant_info *quant_find_name(const char *name); /* any case: "q4_k" */
const struct quant_info *quant_at(size_t index);            /* iterates the table; NULL past its end */

/* F32, F16, BF16: weights are floats, not integers with a scale */
static inline bool quant_is_float(const struct quant_info *q)
{
    return q->type == QUANT_F32 || q->type == QUANT_F16 || q->type == QUANT_BF16;
}

/* Bytes of a row of K weights in the file; false if K is not a multiple of the block or the size overflows. */
bool quant_row_bytes(const struct quant_info *q, uint64_t K, uint64_t *bytes);

/* K rounded up to whole spans. */
static inline uint64_t padded_cols(uint64_t K) { return (K + QUANT_SPAN - 1) / QUANT_SPAN * QUANT_SPAN; }

/* 32-bit words of one row in each plane of the GPU form. A row's scales are padded to whole entries. */
uint64_t quant_row_quant_words(const struct quant_info *q, uint64_t K);
uint64_t quant_row_scale_words(const struct quant_info *q, uint64_t K);

/* rows x K weights from file form to the two planes: quants[rows * quant_row_quant_words],
 * scales[rows * quant_row_scale_words] (may be NULL where that is 0). Every word is written. */
void quant_repack(const struct quant_info *q, const void *blocks, size_t rows, size_t K, uint32_t *quants,
                  uint32_t *scales);

float f16_to_f32(uint16_t h);
uint16_t f32_to_f16(float f); /* round to nearest even */

#endif
