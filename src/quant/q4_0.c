/* q4_0.c - Q4_0: blocks of 32 weights d * (q - 8), 4.5 bits a weight; Q4_1: d * q + m, 5 bits; q in 0..15.
 *
 * File: the low nibble of byte i is weight i, the high nibble weight 16 + i.
 * GPU form
 *   quants  2 words a span: nibbles as repack_nibbles orders them
 *   scales  Q4_0: 1 word for 2 blocks: d of the even block in the low half, of the odd block in the high half (f16)
 *           Q4_1: 1 word a block: d in the low half, m in the high half (f16) */
#include <assert.h>

#include "quant/block.h"

enum { ITEMS = 32 };

struct block_q4_0 {
    uint8_t d[2]; /* f16 */
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q4_0) == 18, "4.5 bits a weight");

struct block_q4_1 {
    uint8_t d[2], m[2]; /* f16 */
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q4_1) == 20, "5 bits a weight");

static void decode_q4_0(const void *blocks, float *out, size_t n)
{
    const struct block_q4_0 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d);
        for (int i = 0; i < ITEMS / 2; i++) {
            out[i] = d * (float)((block->quants[i] & 15) - 8);
            out[i + 16] = d * (float)((block->quants[i] >> 4) - 8);
        }
    }
}

static void decode_q4_1(const void *blocks, float *out, size_t n)
{
    const struct block_q4_1 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d), m = read_f16(block->m);
        for (int i = 0; i < ITEMS / 2; i++) {
            out[i] = d * (float)(block->quants[i] & 15) + m;
            out[i + 16] = d * (float)(block->quants[i] >> 4) + m;
        }
    }
}

static void repack_q4_0(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q4_0 *block = blocks;
    size_t n_blocks = K / ITEMS;
    for (size_t i = 0; i < n_blocks; i++) repack_nibbles(block[i].quants, quants + 4 * i, quants + 4 * i + 2);
    for (size_t i = 0; i < n_blocks; i += 2) {
        uint32_t odd = i + 1 < n_blocks ? read_u16(block[i + 1].d) : 0u;
        scales[i / 2] = read_u16(block[i].d) | odd << 16;
    }
}

static void repack_q4_1(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q4_1 *block = blocks;
    for (size_t i = 0; i < K / ITEMS; i++) {
        repack_nibbles(block[i].quants, quants + 4 * i, quants + 4 * i + 2);
        scales[i] = read_u32(block[i].d); /* d and m as they stand */
    }
}

const struct quant_info quant_q4_0 = {
    .type = QUANT_Q4_0,
    .name = "Q4_0",
    .codec = "q4_0",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q4_0),
    .span_words = 2,
    .scale_words = 1,
    .scale_blocks = 2,
    .decode = decode_q4_0,
    .encode = NULL,
    .repack = repack_q4_0,
};

const struct quant_info quant_q4_1 = {
    .type = QUANT_Q4_1,
    .name = "Q4_1",
    .codec = "q4_1",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q4_1),
    .span_words = 2,
    .scale_words = 1,
    .scale_blocks = 1,
    .decode = decode_q4_1,
    .encode = NULL,
    .repack = repack_q4_1,
};
