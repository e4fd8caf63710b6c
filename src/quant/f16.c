/* f16.c - F16 (IEEE binary16) and BF16 (the upper half of a binary32), 16 bits a weight.
 *
 * GPU form: 8 words a span; weight i is the low (i even) or high (i odd) half of word i / 2; no scales.
 * A row's last span is filled up with zeros. */
#include "quant/block.h"

static void decode_f16(const void *blocks, float *out, size_t n)
{
    const uint8_t *in = blocks;
    for (size_t i = 0; i < n; i++) out[i] = read_f16(in + 2 * i);
}

static void encode_f16(const float *in, void *blocks, size_t n)
{
    uint8_t *out = blocks;
    for (size_t i = 0; i < n; i++) write_u16(out + 2 * i, f32_to_f16(in[i]));
}

static void decode_bf16(const void *blocks, float *out, size_t n)
{
    const uint8_t *in = blocks;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)read_u16(in + 2 * i) << 16;
        memcpy(out + i, &bits, sizeof bits);
    }
}

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    (void)scales;
    uint8_t *out = (uint8_t *)quants;
    memcpy(out, blocks, 2 * K);
    memset(out + 2 * K, 0, 2 * ((size_t)padded_cols(K) - K));
}

const struct quant_info quant_f16 = {
    .type = QUANT_F16,
    .name = "F16",
    .codec = "f16",
    .items = 1,
    .block_bytes = 2,
    .span_words = 8,
    .scale_words = 0,
    .scale_blocks = 1,
    .decode = decode_f16,
    .encode = encode_f16,
    .repack = repack,
};

const struct quant_info quant_bf16 = {
    .type = QUANT_BF16,
    .name = "BF16",
    .codec = "bf16",
    .items = 1,
    .block_bytes = 2,
    .span_words = 8,
    .scale_words = 0,
    .scale_blocks = 1,
    .decode = decode_bf16,
    .encode = NULL,
    .repack = repack,
};
