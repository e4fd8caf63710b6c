/* q5_0.c - Q5_0: blocks of 32 weights d * (q - 16), 5.5 bits a weight; Q5_1: d * q + m, 6 bits; q in 0..31.
 *
 * File: the low nibble of byte i is weight i, the high nibble weight 16 + i; bit i of `high` is bit 4 of weight i.
 * GPU form
 *   quants  2 words a span: the low 4 bits, nibbles as repack_nibbles orders them
 *   scales  Q5_0: 3 words for 2 blocks: d of the even block (low half) and of the odd block (high half) as f16, then
 *           the high bits of each block
 *           Q5_1: 2 words a block: d in the low half and m in the high half (f16), then the high bits
 *   high bits: bit 8b + 4p + c is bit 4 of weight 16p + 4c + b, so `word >> (4p + c) & 0x01010101` are four weights'
 *           (p = span in block, c = column of the span, b = 0..3) */
#include <assert.h>

#include "quant/block.h"

enum { ITEMS = 32 };

struct block_q5_0 {
    uint8_t d[2]; /* f16 */
    uint8_t high[4];
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q5_0) == 22, "5.5 bits a weight");

struct block_q5_1 {
    uint8_t d[2], m[2]; /* f16 */
    uint8_t high[4];
    uint8_t quants[ITEMS / 2];
};
static_assert(sizeof(struct block_q5_1) == 24, "6 bits a weight");

static void unpack(const uint8_t *quants, uint32_t high, float *out)
{
    for (int i = 0; i < ITEMS / 2; i++) {
        out[i] = (float)((quants[i] & 15u) | (high >> i & 1u) << 4);
        out[i + 16] = (float)((quants[i] >> 4) | (high >> (i + 16) & 1u) << 4);
    }
}

static void decode_q5_0(const void *blocks, float *out, size_t n)
{
    const struct block_q5_0 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d);
        unpack(block->quants, read_u32(block->high), out);
        for (int i = 0; i < ITEMS; i++) out[i] = d * (out[i] - 16);
    }
}

static void decode_q5_1(const void *blocks, float *out, size_t n)
{
    const struct block_q5_1 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d), m = read_f16(block->m);
        unpack(block->quants, read_u32(block->high), out);
        for (int i = 0; i < ITEMS; i++) out[i] = d * out[i] + m;
    }
}

/* bit 4r + b to bit 8b + r: for each b, every fourth bit moves together */
static uint32_t repack_high(uint32_t file)
{
    uint32_t word = 0;
    for (int b = 0; b < 4; b++) {
        uint32_t x = file >> b & 0x11111111u;
        x = (x | x >> 3) & 0x03030303u;
        x = (x | x >> 6) & 0x000f000fu;
        x = (x | x >> 12) & 0x000000ffu;
        word |= x << 8 * b;
    }
    return word;
}

static void repack_q5_0(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q5_0 *block = blocks;
    size_t n_blocks = K / ITEMS;
    for (size_t i = 0; i < n_blocks; i++) repack_nibbles(block[i].quants, quants + 4 * i, quants + 4 * i + 2);
    for (size_t i = 0; i < n_blocks; i += 2, scales += 3) {
        bool odd = i + 1 < n_blocks;
        scales[0] = read_u16(block[i].d) | (odd ? (uint32_t)read_u16(block[i + 1].d) << 16 : 0u);
        scales[1] = repack_high(read_u32(block[i].high));
        scales[2] = odd ? repack_high(read_u32(block[i + 1].high)) : 0u;
    }
}

static void repack_q5_1(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q5_1 *block = blocks;
    for (size_t i = 0; i < K / ITEMS; i++) {
        repack_nibbles(block[i].quants, quants + 4 * i, quants + 4 * i + 2);
        scales[2 * i] = read_u32(block[i].d); /* d and m as they stand */
        scales[2 * i + 1] = repack_high(read_u32(block[i].high));
    }
}

const struct quant_info quant_q5_0 = {
    .type = QUANT_Q5_0,
    .name = "Q5_0",
    .codec = "q5_0",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q5_0),
    .span_words = 2,
    .scale_words = 3,
    .scale_blocks = 2,
    .decode = decode_q5_0,
    .encode = NULL,
    .repack = repack_q5_0,
};

const struct quant_info quant_q5_1 = {
    .type = QUANT_Q5_1,
    .name = "Q5_1",
    .codec = "q5_1",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q5_1),
    .span_words = 2,
    .scale_words = 2,
    .scale_blocks = 1,
    .decode = decode_q5_1,
    .encode = NULL,
    .repack = repack_q5_1,
};
