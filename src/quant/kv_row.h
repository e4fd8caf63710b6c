/* kv_row.h - a row of a key-value cache on the device, in one of three types.
 *
 *   KV_F32   the values
 *   KV_F16   two to a 32-bit word, the first in its low half; beyond 65504 cut off
 *   KV_Q8    32 values share a scale d, x = d * q: words [0, K/4) hold q, four to a word as in q8_row.h, [K/4, K/4 + K/32)
 *            each block's d (f32) with 16 digits of its mantissa, so that 127 d is exact and what was decoded is encoded
 *            to the same again
 *
 * Rows are padded to a multiple of 4 words. K is a multiple of 4, of KV_Q8 one of 32. Pure functions on caller's memory;
 * thread-safe. */
#ifndef CORVID_QUANT_KV_ROW_H
#define CORVID_QUANT_KV_ROW_H

#include <stddef.h>
#include <stdint.h>

enum kv_type { KV_F32, KV_F16, KV_Q8, KV_TYPES };

static inline size_t kv_row_words(enum kv_type type, size_t K)
{
    size_t words = type == KV_F32 ? K : type == KV_F16 ? K / 2 : K / 4 + K / 32;
    return (words + 3) / 4 * 4;
}

const char *kv_type_name(enum kv_type type); /* "f32", "f16", "q8_0" */

void kv_row_encode(enum kv_type type, const float *x, size_t K, uint32_t *row); /* row[kv_row_words(type, K)] */
void kv_row_decode(enum kv_type type, const uint32_t *row, size_t K, float *x);

/* x as the type holds it, as floats; n values, of KV_Q8 whole blocks */
void kv_round(enum kv_type type, const float *x, size_t n, float *out);

#endif
