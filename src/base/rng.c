/* rng.c - see rng.h */
#include "base/rng.h"

static uint64_t rotate(uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t x = seed += 0x9E3779B97F4A7C15u;
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        r->s[i] = x ^ x >> 31;
    }
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t mask = n - 1;
    for (unsigned bits = 1; bits < 64; bits *= 2) mask |= mask >> bits;
    uint64_t x;
    do x = rng_next(r) & mask;
    while (x >= n); /* fewer than two rounds on average */
    return x;
}
