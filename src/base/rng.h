/* rng.h - xoshiro256** (Blackman and Vigna): 64 random bits a call, the same on every platform.
 * Not for secrets. Not thread-safe: one rng a user. */
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

#endif
