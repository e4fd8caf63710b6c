/* block.h - what the type files share: reading a block's bytes, packing 4-bit weights for the GPU form, the table.
 *
 * Block structs consist of bytes only: their alignment is 1, so blocks may lie anywhere in a mapped file.
 * The host is little-endian, as GGUF and WebGPU are. */
#ifndef CORVID_QUANT_BLOCK_H
#define CORVID_QUANT_BLOCK_H

#include <string.h>

#include "quant/quant.h"

extern const struct quant_info quant_f32, quant_f16, quant_bf16, quant_q8_0, quant_q4_0, quant_q4_1, quant_q5_0,
    quant_q5_1, quant_q4_k, quant_q5_k, quant_q6_k;

static inline uint16_t read_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void write_u16(uint8_t *at, uint16_t value) { memcpy(at, &value, sizeof value); }
static inline float read_f16(const uint8_t *at) { return f16_to_f32(read_u16(at)); }

/* 16 bytes of two nibbles each to two spans: one of the low nibbles, one of the high nibbles.
 * A span of 4-bit weights, the same for every type, is 2 words; byte b of word w holds weight 8w + b in its low and
 * weight 8w + 4 + b in its high nibble, so `word & 0x0f0f0f0f` and `word >> 4 & 0x0f0f0f0f` are four weights each. */
static inline void repack_nibbles(const uint8_t bytes[16], uint32_t low[2], uint32_t high[2])
{
    for (int w = 0; w < 2; w++) {
        uint32_t a = read_u32(bytes + 8 * w), b = read_u32(bytes + 8 * w + 4);
        low[w] = (a & 0x0f0f0f0fu) | (b & 0x0f0f0f0fu) << 4;
        high[w] = (a >> 4 & 0x0f0f0f0fu) | (b & 0xf0f0f0f0u);
    }
}

/* Q4_K and Q5_K: 12 bytes hold a 6-bit scale and a 6-bit minimum for each of 8 sub-blocks of 32 weights.
 * Bytes 0-3: scales 0-3, bytes 4-7: minima 0-3, each in the low 6 bits; bytes 8-11: the low nibbles of scale 4-7
 * (low) and of minimum 4-7 (high), whose upper 2 bits are the top bits of bytes 0-3 and 4-7. */
static inline void k_scale_read(const uint8_t packed[12], int sub, uint32_t *scale, uint32_t *minimum)
{
    if (sub < 4) {
        *scale = packed[sub] & 63u;
        *minimum = packed[sub + 4] & 63u;
    } else {
        *scale = (packed[sub + 4] & 15u) | (uint32_t)(packed[sub - 4] >> 6) << 4;
        *minimum = (uint32_t)(packed[sub + 4] >> 4) | (uint32_t)(packed[sub] >> 6) << 4;
    }
}

/* Their 128 bytes of nibbles, of which the low ones of 32 bytes are one sub-block and the high ones the next, to 16
 * spans. Returns where the next block's go. */
static inline uint32_t *k_quants_repack(const uint8_t *nibbles, uint32_t *quants)
{
    for (int pair = 0; pair < 4; pair++, nibbles += 32, quants += 8) {
        repack_nibbles(nibbles, quants, quants + 4);
        repack_nibbles(nibbles + 16, quants + 2, quants + 6);
    }
    return quants;
}

/* The scales in 3 words for the GPU: nibble s of word 0 is the low nibble of scale s, of word 1 that of minimum s;
 * word 2 holds the upper 2 bits of scale s at bit 2s and those of minimum s at bit 16 + 2s. */
static inline void k_scales_repack(const uint8_t packed[12], uint32_t words[3])
{
    words[0] = words[1] = words[2] = 0;
    for (int s = 0; s < 8; s++) {
        uint32_t scale, minimum;
        k_scale_read(packed, s, &scale, &minimum);
        words[0] |= (scale & 15u) << 4 * s;
        words[1] |= (minimum & 15u) << 4 * s;
        words[2] |= (scale >> 4) << 2 * s | (minimum >> 4) << (16 + 2 * s);
    }
}

#endif
