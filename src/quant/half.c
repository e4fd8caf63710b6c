/* half.c - IEEE binary16 to and from binary32. */
#include <string.h>

#include "quant/quant.h"

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float f16_to_f32(uint16_t h)
{
    uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return float_of_bits(sign | bits_of_float((float)fraction * 0x1p-24f));
}

uint16_t f32_to_f16(float f)
{
    uint32_t bits = bits_of_float(f), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    uint32_t half;
    if (size > 0x7f800000u) half = 0x7e00u | (size >> 13 & 0x3ffu); /* NaN stays NaN, made quiet */
    else if (size >= 0x477ff000u) half = 0x7c00u; /* 65520, halfway above the largest half, and more */
    else if (size < 0x38800000u)
        half = bits_of_float(float_of_bits(size) + 0.5f) - 0x3f000000u;  /* the sum's last bit is worth 2^-24 */
    else half = (size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13; /* ties go to the even half */
    return (uint16_t)(sign | half);
}
