/* q6_k.c - Q6_K: blocks of 256 weights in 16 sub-blocks of 16: d * scale * (q - 32); 6.5625 bits a weight.
 *          q in 0..63, scale (per sub-block) in -128..127.
 *
 * File: two halves of 128 weights, each in four quarters of 32: the low nibble of byte i of a half's 64 `low` bytes is
 * weight i (quarters 0 and 1), the high nibble weight 64 + i (quarters 2 and 3); bits 2f and 2f + 1 of byte i of its
 * 32 `high` bytes are bits 4 and 5 of weight i of quarter f.
 * GPU form
 *   quants  2 words a span: the low 4 bits, nibbles as repack_nibbles orders them
 *   scales  21 words a block: 4 words of scales (byte b of word w is scale 4w + b, signed), 1 word with d (f16) in its
 *           low half, then one word of high bits for each span: bits 8b + 2c and 8b + 2c + 1 are bits 4 and 5 of
 *           weight 4c + b of the span */
#include <assert.h>

#include "quant/block.h"

enum { ITEMS = 256, HALF_ITEMS = 128, N_SPANS = ITEMS / QUANT_SPAN };

struct block_q6_k {
    uint8_t low[ITEMS / 2];
    uint8_t high[ITEMS / 4];
    int8_t scales[N_SPANS];
    uint8_t d[2]; /* f16 */
};
static_assert(sizeof(struct block_q6_k) == 210, "6.5625 bits a weight");

static void decode(const void *blocks, float *out, size_t n)
{
    const struct block_q6_k *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d);
        for (int i = 0; i < ITEMS; i++) {
            int half = i / HALF_ITEMS, at = i % HALF_ITEMS;
            int low = block->low[64 * half + at % 64] >> 4 * (at / 64) & 15;
            int high = block->high[32 * half + at % 32] >> 2 * (at / 32) & 3;
            out[i] = d * (float)block->scales[i / QUANT_SPAN] * (float)((low | high << 4) - 32);
        }
    }
}

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q6_k *block = blocks;
    for (size_t n = K / ITEMS; n > 0; n--, block++, scales += 21) {
        memcpy(scales, block->scales, sizeof block->scales);
        scales[4] = read_u16(block->d);
        for (int span = 0; span < N_SPANS; span++) {
            /* the span's quarter gives the shift, its half and place in the quarter the 16 bytes */
            const uint8_t *bytes = block->high + 32 * (span / 8) + 16 * (span % 2);
            int shift = 2 * (span / 2 % 4);
            uint32_t word = 0;
            for (int c = 0; c < 4; c++) word |= (read_u32(bytes + 4 * c) >> shift & 0x03030303u) << 2 * c;
            scales[5 + span] = word;
        }
        for (int half = 0; half < 2; half++, quants += 16)
            for (int span = 0; span < 4; span++)
                repack_nibbles(block->low + 64 * half + 16 * span, quants + 2 * span, quants + 2 * span + 8);
    }
}

const struct quant_info quant_q6_k = {
    .type = QUANT_Q6_K,
    .name = "Q6_K",
    .codec = "q6_k",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q6_k),
    .span_words = 2,
    .scale_words = 21,
    .scale_blocks = 1,
    .decode = decode,
    .encode = NULL,
    .repack = repack,
};
