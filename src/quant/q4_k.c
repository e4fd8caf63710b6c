/* q4_k.c - Q4_K: blocks of 256 weights in 8 sub-blocks of 32: d * scale * q - dmin * minimum; 4.5 bits a weight.
 *          q in 0..15, scale and minimum (per sub-block) in 0..63.
 *
 * File: of 64 weights (2 sub-blocks) the low nibble of byte i is weight i, the high nibble weight 32 + i.
 * GPU form
 *   quants  2 words a span: nibbles as repack_nibbles orders them
 *   scales  4 words a block: d in the low half and dmin in the high half (f16), then 3 words of k_scales_repack
 *
 * Encoding: for each sub-block search the line x = step * q - offset of least weighted error (fit_line); then round
 * the 8 steps and offsets to 6 bits of the block's largest, and the weights to the lines that are left. */
#include <assert.h>
#include <math.h>

#include "quant/block.h"

enum { ITEMS = 256, SUB_ITEMS = 32, N_SUBS = ITEMS / SUB_ITEMS, QUANT_MAX = 15, SCALE_MAX = 63 };
enum { N_TRIALS = 7, N_ROUNDS = 3 }; /* of fit_line: as good as ggml's search in the same time */

struct block_q4_k {
    uint8_t d[2], dmin[2]; /* f16 */
    uint8_t scales[12];    /* k_scale_read */
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q4_k) == 144, "4.5 bits a weight");

/* x = step * q - offset; both are 0 or more */
struct line {
    float step, offset;
};

static void decode(const void *blocks, float *out, size_t n)
{
    const struct block_q4_k *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d), dmin = read_f16(block->dmin);
        for (int s = 0; s < N_SUBS; s++) {
            const uint8_t *bytes = block->quants + s / 2 * SUB_ITEMS;
            uint32_t scale, minimum;
            k_scale_read(block->scales, s, &scale, &minimum);
            float step = d * (float)scale, offset = dmin * (float)minimum;
            for (int i = 0; i < SUB_ITEMS; i++)
                out[SUB_ITEMS * s + i] = step * (float)(bytes[i] >> 4 * (s & 1) & 15) - offset;
        }
    }
}

/* nearest integer in 0..max; 0 for NaN */
static uint8_t round_clamped(float x, float max) { return !(x > 0) ? 0 : (uint8_t)(fminf(x, max) + 0.5f); }

/* weighted least squares line through (q[i], x[i]); its offset is not allowed below 0 */
static struct line regress(const float *x, const float *weight, const uint8_t *q)
{
    float w = 0, wx = 0, wq = 0, wqq = 0, wqx = 0;
    for (int i = 0; i < SUB_ITEMS; i++) {
        float weighted_q = weight[i] * (float)q[i];
        w += weight[i];
        wx += weight[i] * x[i];
        wq += weighted_q;
        wqq += weighted_q * (float)q[i];
        wqx += weighted_q * x[i];
    }
    float det = w * wqq - wq * wq;
    struct line line = {0};
    if (det > 0) line = (struct line){(w * wqx - wx * wq) / det, (wq * wqx - wqq * wx) / det};
    if (line.offset < 0 || !(det > 0)) line = (struct line){wqq > 0 ? wqx / wqq : 0, 0};
    return line;
}

static float weighted_error(const float *x, const float *weight, const uint8_t *q, struct line line)
{
    float sum = 0;
    for (int i = 0; i < SUB_ITEMS; i++) {
        float error = line.step * (float)q[i] - line.offset - x[i];
        sum += weight[i] * error * error;
    }
    return sum;
}

/* Starts from 7 divisions of the range (min..max or, for positive weights, 0..max) by 14 to 16 steps. From each start,
 * three times: rounds the weights to the line, then fits the line to what they were rounded to. Keeps the best line of
 * all. Large weights count more: they carry most of a product's sum. */
static struct line fit_line(const float *x)
{
    float low = 0, high = x[0], squares = 0;
    for (int i = 0; i < SUB_ITEMS; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
        squares += x[i] * x[i];
    }
    if (!(high > low)) return (struct line){0, -low};
    float weight[SUB_ITEMS], rms = sqrtf(squares / SUB_ITEMS);
    for (int i = 0; i < SUB_ITEMS; i++) weight[i] = rms + fabsf(x[i]);

    struct line best = {(high - low) / QUANT_MAX, -low};
    float best_error = INFINITY;
    for (int trial = 0; trial < N_TRIALS; trial++) {
        float n_steps = QUANT_MAX - 1 + 2.0f * (float)trial / (N_TRIALS - 1);
        struct line line = {(high - low) / n_steps, -low};
        for (int round = 0; round < N_ROUNDS && line.step > 0; round++) {
            uint8_t q[SUB_ITEMS];
            float inverse = 1 / line.step;
            for (int i = 0; i < SUB_ITEMS; i++) q[i] = round_clamped(inverse * (x[i] + line.offset), QUANT_MAX);
            line = regress(x, weight, q);
            float error = weighted_error(x, weight, q, line);
            if (error < best_error) {
                best_error = error;
                best = line;
            }
        }
    }
    return best;
}

/* the inverse of k_scale_read; packed is zero before sub-block 0 */
static void scale_write(uint8_t packed[12], int sub, unsigned scale, unsigned minimum)
{
    if (sub < 4) {
        packed[sub] = (uint8_t)scale;
        packed[sub + 4] = (uint8_t)minimum;
    } else {
        packed[sub + 4] = (uint8_t)((scale & 15u) | (minimum & 15u) << 4);
        packed[sub - 4] = (uint8_t)(packed[sub - 4] | scale >> 4 << 6);
        packed[sub] = (uint8_t)(packed[sub] | minimum >> 4 << 6);
    }
}

static void encode_block(const float *in, struct block_q4_k *block)
{
    struct line lines[N_SUBS];
    float max_step = 0, max_offset = 0;
    for (int s = 0; s < N_SUBS; s++) {
        lines[s] = fit_line(in + SUB_ITEMS * s);
        max_step = fmaxf(max_step, lines[s].step);
        max_offset = fmaxf(max_offset, lines[s].offset);
    }
    memset(block, 0, sizeof *block);
    write_u16(block->d, f32_to_f16(max_step / SCALE_MAX));
    write_u16(block->dmin, f32_to_f16(max_offset / SCALE_MAX));
    float d = read_f16(block->d), dmin = read_f16(block->dmin);
    for (int s = 0; s < N_SUBS; s++) {
        /* a factor of 0 divides to infinity or NaN: harmless, as it then multiplies by 0 */
        unsigned scale = round_clamped(lines[s].step / d, SCALE_MAX);
        unsigned minimum = round_clamped(lines[s].offset / dmin, SCALE_MAX);
        scale_write(block->scales, s, scale, minimum);
        float step = d * (float)scale, offset = dmin * (float)minimum;
        if (!(step > 0)) continue;
        uint8_t *bytes = block->quants + s / 2 * SUB_ITEMS;
        for (int i = 0; i < SUB_ITEMS; i++) {
            unsigned q = round_clamped((in[SUB_ITEMS * s + i] + offset) / step, QUANT_MAX);
            bytes[i] = (uint8_t)(bytes[i] | q << 4 * (s & 1));
        }
    }
}

static void encode(const float *in, void *blocks, size_t n)
{
    struct block_q4_k *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, in += ITEMS, block++) encode_block(in, block);
}

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q4_k *block = blocks;
    for (size_t n = K / ITEMS; n > 0; n--, block++, scales += 4) {
        scales[0] = read_u32(block->d); /* d and dmin as they stand */
        k_scales_repack(block->scales, scales + 1);
        quants = k_quants_repack(block->quants, quants);
    }
}

const struct quant_info quant_q4_k = {
    .type = QUANT_Q4_K,
    .name = "Q4_K",
    .codec = "q4_k",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q4_k),
    .span_words = 2,
    .scale_words = 4,
    .scale_blocks = 1,
    .decode = decode,
    .encode = encode,
    .repack = repack,
};
