/* little_endian.h - integers in files: little-endian, at any address, on any host. */
#ifndef CORVID_BASE_LITTLE_ENDIAN_H
#define CORVID_BASE_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t load_u16(const void *from)
{
    const uint8_t *p = from;
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t load_u32(const void *from)
{
    const uint8_t *p = from;
    return (uint32_t)load_u16(p) | (uint32_t)load_u16(p + 2) << 16;
}

static inline uint64_t load_u64(const void *from)
{
    const uint8_t *p = from;
    return (uint64_t)load_u32(p) | (uint64_t)load_u32(p + 4) << 32;
}

static inline void store_u32(void *to, uint32_t value)
{
    uint8_t *p = to;
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> 8 * i);
}

static inline void store_u64(void *to, uint64_t value)
{
    uint8_t *p = to;
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(value >> 8 * i);
}

#endif
