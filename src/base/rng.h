/* rng.h - random numbers, the same on every platform; not for secrets. A stream of them, xoshiro256** (Blackman and
 * Vigna): not thread-safe, one rng a user. Or any number of a sequence by its index, Philox 4x32-10 (Salmon, Moraes,
 * Dror and Shaw). */
#ifndef CORVID_BASE_RNG_H
#define CORVID_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4]; /* not all 0 */
};

/* Any seed is good: splitmix64 spreads it over the state. */
void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);

/* Uniform in 0 .. n - 1 without bias; n >= 1. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* The index-th random number of the seed's sequence. */
uint32_t rng_at(uint64_t seed, uint64_t index);

#endif
