/* sampler.h - logits[V] to one token: on the CPU, and what the kernel needs that does the same on the GPU.
 *
 * The chain, in llama.cpp's order: forbidden tokens, penalties, top-k, top-p, min-p, temperature, then a draw.
 * temperature <= 0 is greedy: the first of the largest logits after the penalties. The n-th draw of a seed depends on
 * nothing but the logits, and both executors, on every platform, choose the same: what is not exact in floats is
 * computed in integers (sampler.c says how).
 * One sampler a sequence; not thread-safe. */
#ifndef CORVID_OPS_SAMPLER_H
#define CORVID_OPS_SAMPLER_H

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

/* The next token; logits[V] are not changed. NaN logits count as -infinity; if none is left, fails (-1). */
int32_t sampler_next(struct sampler *s, const float *logits);

/* Tells the penalties that `token` now stands in the text (prompt or answer). */
void sampler_accept(struct sampler *s, int32_t token);
/* `token` is never chosen from now on. */
bool sampler_forbid(struct sampler *s, int32_t token, struct error *err);
void sampler_reset(struct sampler *s); /* forgets the text and rewinds the seed */

/* ---- on the GPU: sample/token.wgsl ---- */

enum { SAMPLE_MAX_VOCAB = 1 << 18, SAMPLE_HISTORY = 512, SAMPLE_FORBIDDEN = 16 };

/* Constants of a sequence; the kernel's struct Wish. */
struct sample_wish {
    uint32_t greedy, top_k;
    uint32_t top_p;            /* in units of 2^-32; UINT32_MAX: off */
    uint32_t farthest;         /* distance that min-p allows */
    uint32_t heat, heat_shift; /* a distance times heat / 2^heat_shift is what it is at the temperature */
    float repeat, repeat_inverse, presence, frequency;
    uint32_t window; /* 0: no penalties */
    uint32_t seed[2];
    uint32_t zero; /* 0, which the compiler does not know */
    uint32_t n_forbidden, unused;
    uint32_t forbidden[SAMPLE_FORBIDDEN];
};

/* What changes from token to token; the kernel's struct Past. */
struct sample_past {
    uint32_t drawn, n_tokens, unused[2]; /* n_tokens: that the text has */
    uint32_t tokens[SAMPLE_HISTORY];     /* the text's token i is in place i % window */
};

/* Whether the kernel can do it: a window of SAMPLE_HISTORY tokens at most, few forbidden tokens, a small vocabulary. */
bool sampler_fits(const struct sampler *s);
void sampler_describe(const struct sampler *s, struct sample_wish *wish, struct sample_past *past);
/* The past after one more token; UINT32_MAX: none could be chosen. */
void sample_past_add(struct sample_past *past, const struct sample_wish *wish, uint32_t token);
/* A token was chosen elsewhere: counts the draw and accepts the token. */
void sampler_follow(struct sampler *s, int32_t token);

#endif
