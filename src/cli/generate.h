/* generate.h - the token loop of run and chat: feed, sample, write text, stop.
 *
 *   prompt -> step -> logits -> sampler -> token -> piece -> UTF-8 -> stop strings -> emit
 *                                            ^
 *                               generation --' from the second token on
 *
 * Text that may be the beginning of a stop string is held back until it cannot be one. */
#ifndef CORVID_CLI_GENERATE_H
#define CORVID_CLI_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "corvid.h"

enum finish { FINISH_STOP, FINISH_LENGTH, FINISH_INTERRUPTED, FINISH_NO_READER };

struct generation {
    corvid_model *model;
    corvid_session *session;
    const corvid_sampling *sampling;
    const char *const *stops; /* stops[n_stops], none empty */
    size_t n_stops;
    int64_t max_tokens; /* -1: until the text or the context ends */
    bool ignore_eos;
    size_t prefill_chunk; /* Ctrl-C is noticed between chunks of the prompt; 0: not before its end */
    bool (*emit)(void *user, const char *text, size_t n); /* false: nobody reads any more */
    void *emit_user;
    /* results */
    enum finish finish;
    int32_t *tokens; /* tokens[n_tokens] without the one that ends the text; free() */
    size_t n_tokens;
    bool stopped_by_text;                 /* a stop string matched */
    size_t prefill_tokens, decode_tokens; /* fed in prompt and loop; the last token sampled is not fed */
    double prefill_ms, decode_ms;         /* decode: of the whole loop */
};

/* "stop", "length", "interrupted" */
const char *finish_text(enum finish finish);

/* Feeds prompt[n], n >= 1, and continues it. On false what was generated so far is still in *g. */
bool generate(struct generation *g, const int32_t *prompt, size_t n, corvid_error *err);

/* Tokens a second; 0 if there were none. */
double rate(size_t tokens, double ms);

#endif
