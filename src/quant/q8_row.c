/* q8_row.c - see q8_row.h */
#include "quant/q8_row.h"

#include <math.h>
#include <string.h>

void q8_row_encode(const float *x, size_t K, uint32_t *row)
{
    uint32_t *scale = row + K / 4;
    memset(row, 0, q8_row_words(K) * sizeof *row);
    for (size_t at = 0; at < K; at += Q8_BLOCK, scale += 2) {
        float top = 0;
        int sums[2] = {0, 0};
        for (size_t i = 0; i < Q8_BLOCK; i++) top = fmaxf(top, fabsf(x[at + i]));
        float d = top / 127, inverse = top > 0 && top < INFINITY ? 127 / top : 0;
        for (size_t i = 0; i < Q8_BLOCK; i++) {
            if (isnan(x[at + i])) d = NAN;
            int q = isnan(x[at + i]) ? 0 : (int)rintf(x[at + i] * inverse); /* halves to even, as WGSL rounds */
            sums[i / 16] += q;
            row[(at + i) / 4] |= (uint32_t)(uint8_t)(int8_t)q << (at + i) % 4 * 8;
        }
        memcpy(scale, &d, sizeof d);
        scale[1] = (uint32_t)(uint16_t)sums[0] | (uint32_t)(uint16_t)sums[1] << 16;
    }
}

void q8_row_decode(const uint32_t *row, size_t K, float *x)
{
    for (size_t i = 0; i < K; i++) {
        float d;
        memcpy(&d, row + K / 4 + i / Q8_BLOCK * 2, sizeof d);
        x[i] = d * (float)(int8_t)(uint8_t)(row[i / 4] >> i % 4 * 8);
    }
}
