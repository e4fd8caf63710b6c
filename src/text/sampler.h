/* sampler.h - logits[V] to one token. The chain, in llama.cpp's order: penalties, top-k, top-p, min-p, temperature,
 * then a draw. temperature <= 0 is greedy: the first of the largest logits after the penalties.
 * One sampler a sequence; not thread-safe. The same seed and logits give the same tokens on every platform. */
#ifndef CORVID_TEXT_SAMPLER_H
#define CORVID_TEXT_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Neutral values switch a stage off. */
struct sampler_params {
    float temperature;       /* 0: greedy */
    int32_t top_k;           /* 0: off */
    float top_p;             /* 1: off */
    float min_p;             /* 0: off */
    float repeat_penalty;    /* 1: off; divides positive and multiplies negative logits of tokens seen lately */
    float presence_penalty;  /* 0: off; subtracted once from every token seen lately */
    float frequency_penalty; /* 0: off; subtracted for every time the token was seen lately */
    int32_t penalty_window;  /* the last tokens that penalties look at; 0: off, -1: all */
    uint64_t seed;
};

struct sampler; /* opaque */

/* Checks the ranges (NaN included) and names the field that is wrong. */
struct sampler *sampler_create(const struct sampler_params *params, int32_t vocab, struct error *err);
void sampler_destroy(struct sampler *s); /* accepts NULL */

/* The next token; logits[V] are not changed. NaN logits count as -infinity; if none is left, fails (NO_TOKEN = -1). */
int32_t sampler_next(struct sampler *s, const float *logits);

/* Tells the penalties that `token` now stands in the text (prompt or answer). */
void sampler_accept(struct sampler *s, int32_t token);
void sampler_reset(struct sampler *s); /* forgets the text and rewinds the seed */

#endif
