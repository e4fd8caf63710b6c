/* q5_k.c - Q5_K: blocks of 256 weights in 8 sub-blocks of 32: d * scale * q - dmin * minimum; 5.5 bits a weight.
 *          q in 0..31, scale and minimum (per sub-block) in 0..63.
 *
 * File: of 64 weights (2 sub-blocks) the low nibble of byte i is weight i, the high nibble weight 32 + i;
 * bit s of high[i] is bit 4 of weight i of sub-block s.
 * GPU form
 *   quants  2 words a span: the low 4 bits, nibbles as repack_nibbles orders them
 *   scales  12 words a block: d in the low half and dmin in the high half (f16), 3 words of k_scales_repack, then one
 *           word of high bits for each sub-block: bit 8b + 4p + c is bit 4 of weight 16p + 4c + b of the sub-block
 *           (p = span in sub-block, c = column of the span, b = 0..3) */
#include <assert.h>

#include "quant/block.h"

enum { ITEMS = 256, SUB_ITEMS = 32, N_SUBS = ITEMS / SUB_ITEMS };

struct block_q5_k {
    uint8_t d[2], dmin[2]; /* f16 */
    uint8_t scales[12];    /* k_scale_read */
    uint8_t high[SUB_ITEMS];
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q5_k) == 176, "5.5 bits a weight");

static void decode(const void *blocks, float *out, size_t n)
{
    const struct block_q5_k *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d), dmin = read_f16(block->dmin);
        for (int s = 0; s < N_SUBS; s++) {
            const uint8_t *bytes = block->quants + s / 2 * SUB_ITEMS;
            uint32_t scale, minimum;
            k_scale_read(block->scales, s, &scale, &minimum);
            float step = d * (float)scale, offset = dmin * (float)minimum;
            for (int i = 0; i < SUB_ITEMS; i++) {
                int q = (bytes[i] >> 4 * (s & 1) & 15) | (block->high[i] >> s & 1) << 4;
                out[SUB_ITEMS * s + i] = step * (float)q - offset;
            }
        }
    }
}

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q5_k *block = blocks;
    for (size_t n = K / ITEMS; n > 0; n--, block++, scales += 12) {
        scales[0] = read_u32(block->d); /* d and dmin as they stand */
        k_scales_repack(block->scales, scales + 1);
        for (int s = 0; s < N_SUBS; s++) {
            /* column r = 4p + c of the sub-block is file bytes 4r..4r+3 */
            uint32_t word = 0;
            for (int r = 0; r < 8; r++) word |= (read_u32(block->high + 4 * r) >> s & 0x01010101u) << r;
            scales[4 + s] = word;
        }
        quants = k_quants_repack(block->quants, quants);
    }
}

const struct quant_info quant_q5_k = {
    .type = QUANT_Q5_K,
    .name = "Q5_K",
    .codec = "q5_k",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q5_k),
    .span_words = 2,
    .scale_words = 12,
    .scale_blocks = 1,
    .decode = decode,
    .encode = NULL,
    .repack = repack,
};
