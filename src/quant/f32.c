/* f32.c - F32: plain floats, 32 bits a weight.
 *
 * GPU form: 16 words a span, one float each; no scales. A row's last span is filled up with zeros. */
#include "quant/block.h"

static void decode(const void *blocks, float *out, size_t n) { memcpy(out, blocks, n * sizeof *out); }
static void encode(const float *in, void *blocks, size_t n) { memcpy(blocks, in, n * sizeof *in); }

static void repack(const void *blocks, size_t K, uint32_t *quants, uint32_t *scales)
{
    (void)scales;
    memcpy(quants, blocks, K * sizeof(float));
    memset(quants + K, 0, ((size_t)padded_cols(K) - K) * sizeof(float));
}

const struct quant_info quant_f32 = {
    .type = QUANT_F32,
    .name = "F32",
    .codec = "f32",
    .items = 1,
    .block_bytes = sizeof(float),
    .span_words = 16,
    .scale_words = 0,
    .scale_blocks = 1,
    .decode = decode,
    .encode = encode,
    .repack = repack,
};
