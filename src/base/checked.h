/* checked.h - arithmetic on sizes that come from files and requests.
 * Each function returns false instead of wrapping; *out is then unchanged. */
#ifndef CORVID_BASE_CHECKED_H
#define CORVID_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out)
{
    if (a > UINT64_MAX - b) return false;
    *out = a + b;
    return true;
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b && a > UINT64_MAX / b) return false;
    *out = a * b;
    return true;
}

/* Rounds a up to a multiple of `alignment`, a power of two. */
static inline bool checked_align(uint64_t a, uint64_t alignment, uint64_t *out)
{
    uint64_t sum;
    if (!checked_add(a, alignment - 1, &sum)) return false;
    *out = sum & ~(alignment - 1);
    return true;
}

/* For values that are known to be small: no check. */
static inline uint64_t round_up(uint64_t a, uint64_t multiple) { return (a + multiple - 1) / multiple * multiple; }
static inline uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

#endif
