/* q8_0.c - Q8_0: blocks of 32 weights d * q, q in -127..127, 8.5 bits a weight.
 *
 * GPU form
 *   quants  4 words a span; byte b of word w is weight 4w + b, signed
 *   scales  1 word for 2 blocks: d of the even block in the low half, of the odd block in the high half (f16) */
#include <assert.h>
#include <math.h>

#include "quant/block.h"

enum { ITEMS = 32 };

struct block_q8_0 {
    uint8_t d[2]; /* f16 */
    int8_t quants[ITEMS];
};
static_assert(sizeof(struct block_q8_0) == 34, "8.5 bits a weight");

static void decode(const void *blocks, float *out, size_t n)
{
    const struct block_q8_0 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, out += ITEMS, block++) {
        float d = read_f16(block->d);
        for (int i = 0; i < ITEMS; i++) out[i] = d * (float)block->quants[i];
    }
}

/* the same operations in the same order as ggml's reference: its bytes, bit by bit */
static void encode(const float *in, void *blocks, size_t n)
{
    struct block_q8_0 *block = blocks;
    for (; n >= ITEMS; n -= ITEMS, in += ITEMS, block++) {
        float largest = 0;
        for (int i = 0; i < ITEMS; i++) largest = fmaxf(largest, fabsf(in[i]));
        float d = largest / 127;
        float inverse = d != 0 ? 1 / d : 0;
        write_u16(block->d, f32_to_f16(d));
        for (int i = 0; i < ITEMS; i++) {
            float q = roundf(in[i] * inverse);
            /* false only for weights that no f16 scale can carry: NaN, infinite, or below 1e-36 */
            block->quants[i] = fabsf(q) <= 127 ? (int8_t)q : 0;
        }
    }
}

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    const struct block_q8_0 *block = blocks;
    size_t n_blocks = K / ITEMS;
    for (size_t i = 0; i < n_blocks; i++) memcpy(quants + 8 * i, block[i].quants, ITEMS);
    for (size_t i = 0; i < n_blocks; i += 2) {
        uint32_t odd = i + 1 < n_blocks ? read_u16(block[i + 1].d) : 0u;
        scales[i / 2] = read_u16(block[i].d) | odd << 16;
    }
}

const struct quant_info quant_q8_0 = {
    .type = QUANT_Q8_0,
    .name = "Q8_0",
    .codec = "q8_0",
    .items = ITEMS,
    .block_bytes = sizeof(struct block_q8_0),
    .span_words = 4,
    .scale_words = 1,
    .scale_blocks = 2,
    .decode = decode,
    .encode = encode,
    .repack = repack,
};
