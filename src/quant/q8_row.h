/* q8_row.h - activations as int8: what integer weights are multiplied with, so that a product is made of packed dot
 * products. 32 values share a scale: x = d * q, d = max |x| / 127.
 *
 * A row of K values (a multiple of 32) in 32-bit words, padded to a multiple of 4:
 *   [0, K/4)             byte b of word w is q of value 4w + b, signed
 *   [K/4, K/4 + K/16)    for each block of 32: d (f32), then the sums of q over its first 16 values (low half, signed)
 *                        and over its last 16 (high half)
 * Pure functions on caller's memory; thread-safe. */
#ifndef CORVID_QUANT_Q8_ROW_H
#define CORVID_QUANT_Q8_ROW_H

#include <stddef.h>
#include <stdint.h>

enum { Q8_BLOCK = 32 };

static inline size_t q8_row_words(size_t K) { return (K / 4 + K / 16 + 3) / 4 * 4; }

void q8_row_encode(const float *x, size_t K, uint32_t *row); /* row[q8_row_words(K)] */
void q8_row_decode(const uint32_t *row, size_t K, float *x);

#endif
