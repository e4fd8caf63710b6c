/* kv_row.c - see kv_row.h */
#include "quant/kv_row.h"

#include <math.h>
#include <string.h>

#include "quant/q8_row.h"
#include "quant/quant.h"

static const float half_max = 65504;

const char *kv_type_name(enum kv_type type)
{
    static const char *const names[KV_TYPES] = {"f32", "f16", "q8_0"};
    return names[type];
}

/* the scale of a block whose largest value is top: top / 127, rounded to 16 digits */
static float block_scale(float top)
{
    float d = top / 127;
    uint32_t bits;
    memcpy(&bits, &d, sizeof bits);
    if (isfinite(d)) bits = (bits + 0x40) & ~(uint32_t)0x7f;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static void encode_block(const float *x, uint32_t *words, uint32_t *scale)
{
    float top = 0, d;
    for (size_t i = 0; i < Q8_BLOCK; i++) top = fmaxf(top, fabsf(x[i]));
    d = block_scale(top);
    float inverse = d > 0 && top < INFINITY ? 1 / d : 0;
    for (size_t i = 0; i < Q8_BLOCK; i++) {
        if (isnan(x[i])) d = NAN;
        int q = isnan(x[i]) ? 0 : (int)fmaxf(-127, fminf(127, rintf(x[i] * inverse)));
        words[i / 4] |= (uint32_t)(uint8_t)(int8_t)q << i % 4 * 8;
    }
    memcpy(scale, &d, sizeof d);
}

static uint32_t half_of(float x) { return f32_to_f16(isnan(x) ? x : fmaxf(-half_max, fminf(half_max, x))); }

void kv_row_encode(enum kv_type type, const float *x, size_t K, uint32_t *row)
{
    memset(row, 0, kv_row_words(type, K) * sizeof *row);
    switch (type) {
    case KV_F16:
        for (size_t i = 0; i < K; i++) row[i / 2] |= half_of(x[i]) << i % 2 * 16;
        break;
    case KV_Q8:
        for (size_t i = 0; i < K; i += Q8_BLOCK) encode_block(x + i, row + i / 4, row + K / 4 + i / Q8_BLOCK);
        break;
    default: memcpy(row, x, K * sizeof *x);
    }
}

void kv_row_decode(enum kv_type type, const uint32_t *row, size_t K, float *x)
{
    switch (type) {
    case KV_F16:
        for (size_t i = 0; i < K; i++) x[i] = f16_to_f32((uint16_t)(row[i / 2] >> i % 2 * 16));
        break;
    case KV_Q8:
        for (size_t i = 0; i < K; i++) {
            float d;
            memcpy(&d, row + K / 4 + i / Q8_BLOCK, sizeof d);
            x[i] = d * (float)(int8_t)(uint8_t)(row[i / 4] >> i % 4 * 8);
        }
        break;
    default: memcpy(x, row, K * sizeof *x);
    }
}

/* by blocks, so that no memory is needed for a row */
void kv_round(enum kv_type type, const float *x, size_t n, float *out)
{
    uint32_t block[Q8_BLOCK];
    for (size_t at = 0; at < n; at += Q8_BLOCK) {
        size_t count = n - at < Q8_BLOCK ? n - at : Q8_BLOCK;
        kv_row_encode(type, x + at, count, block);
        kv_row_decode(type, block, count, out + at);
    }
}
