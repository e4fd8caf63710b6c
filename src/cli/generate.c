/* generate.c - see generate.h */
#include "cli/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "base/clock.h"
#include "base/terminal.h"

enum { PIECE_PART = 256 };

/* what lives as long as the loop */
struct loop {
    corvid_sampler *sampler;
    corvid_generation *generation; /* NULL until a second token is wanted */
    float *logits;                 /* [vocabulary], after the prompt */
    size_t capacity;
    corvid_utf8 utf8;
    struct builder held; /* whole characters that were not emitted yet */
};

const char *finish_text(enum finish finish)
{
    return finish == FINISH_STOP ? "stop" : finish == FINISH_LENGTH ? "length" : "interrupted";
}

double rate(size_t tokens, double ms) { return ms > 0 ? (double)tokens * 1000 / ms : 0; }

static bool fail_loop(corvid_error *err, corvid_error_code code, const char *message)
{
    err->code = code;
    snprintf(err->message, sizeof err->message, "%s", message);
    return false;
}

/* ---- stop strings ---- */

/* Where the first stop string begins in text[n]; n if there is none. */
static size_t stop_at(const struct generation *g, const char *text, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        for (size_t i = 0; i < g->n_stops; i++) {
            size_t length = strlen(g->stops[i]);
            if (length <= n - at && !memcmp(text + at, g->stops[i], length)) return at;
        }
    }
    return n;
}

/* Where an unfinished stop string may begin in text[n], which contains none; n if nowhere. */
static size_t stop_may_begin(const struct generation *g, const char *text, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        for (size_t i = 0; i < g->n_stops; i++)
            if (strlen(g->stops[i]) > n - at && !memcmp(text + at, g->stops[i], n - at)) return at;
    }
    return n;
}

/* Emits what is certain of the held text: all of it at the end. Sets finish if the text ends here. */
static bool release(struct generation *g, struct loop *l, bool end)
{
    if (!l->held.length) return true;
    size_t stop = stop_at(g, l->held.data, l->held.length);
    bool stopped = stop < l->held.length;
    size_t n = stopped || end ? stop : stop_may_begin(g, l->held.data, l->held.length);
    bool read = !n || g->emit(g->emit_user, l->held.data, n);
    memmove(l->held.data, l->held.data + n, l->held.length - n);
    l->held.length -= n;
    if (stopped) {
        g->finish = FINISH_STOP;
        g->stopped_by_text = true;
    } else if (!read) {
        g->finish = FINISH_NO_READER;
    }
    return read && !stopped;
}

/* Takes the token's text in; false if the text ends here. */
static bool take_piece(struct generation *g, struct loop *l, int32_t token)
{
    const char *bytes = NULL;
    char clean[3 * PIECE_PART + 12];
    for (size_t n = corvid_piece(g->model, token, &bytes), at = 0; at < n; at += PIECE_PART) {
        size_t part = n - at < PIECE_PART ? n - at : PIECE_PART;
        builder_append(&l->held, clean, corvid_utf8_feed(&l->utf8, bytes + at, part, clean));
    }
    return release(g, l, false);
}

/* The text ends: the rest is certain now. */
static void finish_text_stream(struct generation *g, struct loop *l)
{
    char clean[16];
    if (g->finish == FINISH_NO_READER || g->stopped_by_text) return;
    builder_append(&l->held, clean, corvid_utf8_feed(&l->utf8, NULL, 0, clean));
    release(g, l, true);
}

/* ---- tokens ---- */

static bool keep_token(struct generation *g, struct loop *l, int32_t token)
{
    if (g->n_tokens == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 256;
        int32_t *larger = realloc(g->tokens, capacity * sizeof *larger);
        if (!larger) return false;
        g->tokens = larger;
        l->capacity = capacity;
    }
    g->tokens[g->n_tokens++] = token;
    return true;
}

static bool forbid_ends(const struct generation *g, struct loop *l, corvid_error *err)
{
    int32_t vocabulary = (int32_t)corvid_model_describe(g->model)->vocabulary;
    for (int32_t token = 0; token < vocabulary; token++)
        if (corvid_ends_text(g->model, token) && !corvid_sampler_forbid(l->sampler, token, err)) return false;
    return true;
}

/* Feeds tokens and adds the time to *ms. */
static bool feed(struct generation *g, const int32_t *tokens, size_t n, float *logits, double *ms, corvid_error *err)
{
    corvid_input input = {.session = g->session, .tokens = tokens, .count = n, .logits = logits};
    uint64_t start = clock_ns();
    bool done = corvid_step(g->model, &input, 1, err);
    *ms += (double)(clock_ns() - start) / 1e6;
    return done;
}

static bool context_full(const struct generation *g)
{
    uint32_t context = corvid_model_describe(g->model)->context;
    return context && corvid_session_length(g->session) >= context;
}

/* Feeds the prompt; only its last part gives logits. */
static bool feed_prompt(struct generation *g, struct loop *l, const int32_t *prompt, size_t n, corvid_error *err)
{
    size_t chunk = g->prefill_chunk ? g->prefill_chunk : n;
    for (size_t at = 0; at < n && !*terminal_interrupts(); at += chunk) {
        size_t part = n - at < chunk ? n - at : chunk;
        if (!feed(g, prompt + at, part, at + part == n ? l->logits : NULL, &g->prefill_ms, err)) return false;
        g->prefill_tokens += part;
    }
    return true;
}

/* the token after `token`, which is fed */
static bool next_token(struct generation *g, struct loop *l, int32_t *token, corvid_error *err)
{
    uint64_t left = g->max_tokens < 0 ? 0 : (uint64_t)g->max_tokens - g->n_tokens;
    corvid_sequence sequence = {.session = g->session, .sampler = l->sampler, .token = *token};
    corvid_generation_options options = {.max_steps = left};
    if (!l->generation) l->generation = corvid_generation_open(g->model, &sequence, 1, &options, err);
    if (!l->generation || !corvid_generation_next(l->generation, token, err)) return false;
    g->decode_tokens++;
    return true;
}

static bool run_loop(struct generation *g, struct loop *l, corvid_error *err)
{
    if (*terminal_interrupts()) { /* perhaps in the prompt, before there were logits */
        g->finish = FINISH_INTERRUPTED;
        return true;
    }
    int32_t token = corvid_sampler_next(l->sampler, l->logits);
    corvid_sampler_accept(l->sampler, token); /* the generation does it for the others */
    g->finish = FINISH_LENGTH;
    while (g->max_tokens < 0 || g->n_tokens < (uint64_t)g->max_tokens) {
        if (*terminal_interrupts()) {
            g->finish = FINISH_INTERRUPTED;
            return true;
        }
        if (token < 0)
            return fail_loop(err, CORVID_ERROR_DEVICE,
                             "the model computed no number for any token: its "
                             "file is damaged or the GPU's driver computes wrongly");
        if (!g->ignore_eos && corvid_ends_text(g->model, token)) {
            g->finish = FINISH_STOP;
            return true;
        }
        if (!keep_token(g, l, token)) return fail_loop(err, CORVID_ERROR_MEMORY, "out of memory for the text");
        if (!take_piece(g, l, token)) return true;
        bool last = g->max_tokens >= 0 && g->n_tokens >= (uint64_t)g->max_tokens;
        if (last || context_full(g)) return true;
        if (!next_token(g, l, &token, err)) return false;
    }
    return true;
}

/* run_loop, and the time it takes */
static bool time_loop(struct generation *g, struct loop *l, corvid_error *err)
{
    uint64_t start = clock_ns();
    bool done = run_loop(g, l, err);
    if (g->decode_tokens) g->decode_ms = (double)(clock_ns() - start) / 1e6;
    return corvid_generation_close(l->generation, done ? err : NULL) && done;
}

bool generate(struct generation *g, const int32_t *prompt, size_t n, corvid_error *err)
{
    struct loop l = {.sampler = NULL};
    size_t vocabulary = corvid_model_describe(g->model)->vocabulary;
    bool done = false;
    l.sampler = corvid_sampler_create(g->model, g->sampling, err);
    l.logits = malloc(vocabulary * sizeof *l.logits);
    if (l.sampler && !l.logits) {
        fail_loop(err, CORVID_ERROR_MEMORY, "out of memory for the text");
    } else if (l.sampler && (!g->ignore_eos || forbid_ends(g, &l, err)) && feed_prompt(g, &l, prompt, n, err)) {
        done = time_loop(g, &l, err);
        finish_text_stream(g, &l);
        if (done && l.held.failed) done = fail_loop(err, CORVID_ERROR_MEMORY, "out of memory for the text");
    }
    corvid_sampler_destroy(l.sampler);
    builder_free(&l.held);
    free(l.logits);
    return done;
}
