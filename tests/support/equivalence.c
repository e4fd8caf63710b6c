/* equivalence.c - see equivalence.h. The truth is session 0, fed one token at a time. */
#include "support/equivalence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

#include <cmocka.h>

static struct {
    struct equivalence e;
    struct model_case c;
    corvid_session *sessions[EQUIVALENCE_SESSIONS];
    size_t n, vocabulary;
    int32_t *tokens; /* [n] */
    float *truth;    /* [n, vocabulary] */
    double worst_logit, worst_state;
} now;

static int set_up(void **state)
{
    (void)state;
    struct rng rng;
    now.e.model.sessions = EQUIVALENCE_SESSIONS;
    now.c = model_case_open(&now.e.model);
    for (int i = 0; i < EQUIVALENCE_SESSIONS; i++) now.sessions[i] = new_session(now.c.model);
    now.n = now.e.n_tokens;
    now.vocabulary = corvid_model_describe(now.c.model)->vocabulary;
    now.tokens = malloc(now.n * sizeof *now.tokens);
    assert_non_null(now.tokens);
    rng_seed(&rng, 7);
    for (size_t i = 0; i < now.n; i++) now.tokens[i] = (int32_t)rng_below(&rng, now.vocabulary);
    now.truth = new_floats(now.n * now.vocabulary);
    for (size_t i = 0; i < now.n; i++) feed(now.sessions[0], now.tokens + i, 1, now.truth + i * now.vocabulary, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    print_message("    largest difference: logits %.2g, state %.2g\n", now.worst_logit, now.worst_state);
    for (int i = 0; i < EQUIVALENCE_SESSIONS; i++) corvid_session_destroy(now.sessions[i]);
    model_case_close(&now.c);
    free(now.tokens);
    free(now.truth);
    return 0;
}

/* logits after token `index` of the sequence */
static void expect_logits(const char *what, const float *found, size_t index)
{
    double difference = max_difference(found, now.truth + index * now.vocabulary, now.vocabulary);
    now.worst_logit = fmax(now.worst_logit, difference);
    if (!(difference <= now.e.logit_tolerance))
        fail_msg("%s: logits after token %zu differ by %g, allowed %g", what, index, difference, now.e.logit_tolerance);
}

static void expect_state(const char *what, const corvid_session *found, const corvid_session *expected)
{
    double difference = state_difference(expected, found);
    now.worst_state = fmax(now.worst_state, difference);
    if (!(difference <= now.e.state_tolerance))
        fail_msg("%s: states differ by %g, allowed %g", what, difference, now.e.state_tolerance);
}

static void feed_chunks(corvid_session *session, size_t chunk, float *logits)
{
    char what[48];
    snprintf(what, sizeof what, "chunks of %zu", chunk);
    for (size_t at = 0; at < now.n; at += chunk) {
        size_t count = now.n - at < chunk ? now.n - at : chunk;
        feed(session, now.tokens + at, count, logits, NULL);
        expect_logits(what, logits, at + count - 1);
    }
    expect_state(what, session, now.sessions[0]);
}

static void test_chunks(void **state)
{
    static const size_t chunks[] = {7, 64, 300};
    (void)state;
    float *logits = new_floats(now.vocabulary);
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        reset(now.sessions[1]);
        feed_chunks(now.sessions[1], chunks[i], logits);
    }
    free(logits);
}

/* The model itself cuts what is longer than its steps, and where more logits are wanted than a step gives. */
static void test_small_steps(void **state)
{
    (void)state;
    struct path file = in_source(now.e.model.file);
    corvid_model *model = open_model_cache(now.c.device, file.text, now.e.model.cache, 1, now.e.model.context, 7);
    corvid_session *session = new_session(model);
    float *all = new_floats(now.n * now.vocabulary);
    feed(session, now.tokens, now.n, NULL, all);
    for (size_t i = 0; i < now.n; i++) expect_logits("steps of 7 tokens", all + i * now.vocabulary, i);
    expect_state("steps of 7 tokens", session, now.sessions[0]);
    reset(now.sessions[1]);
    feed(now.sessions[1], now.tokens, now.n, NULL, all);
    for (size_t i = 0; i < now.n; i++) expect_logits("all logits", all + i * now.vocabulary, i);
    free(all);
    corvid_session_destroy(session);
    corvid_model_close(model);
}

/* Four sequences, all the first tokens of the long one but at different places in it, prefill and decode mixed. */
static void test_together(void **state)
{
    enum { SEQS = 4, ROUNDS = 6 };
    static const size_t counts[ROUNDS][SEQS] = {{20, 0, 3, 0}, {1, 9, 17, 0}, {13, 1, 1, 1},
                                                {1, 1, 1, 1},  {0, 33, 1, 0}, {1, 1, 1, 30}};
    (void)state;
    size_t fed[SEQS] = {0};
    float *logits = new_floats(SEQS * now.vocabulary);
    for (int i = 0; i < SEQS; i++) reset(now.sessions[1 + i]);
    for (int round = 0; round < ROUNDS; round++) {
        corvid_input inputs[SEQS];
        size_t n = 0, of[SEQS];
        /* the order within the step changes too */
        for (size_t k = 0; k < SEQS; k++) {
            size_t i = round % 2 ? SEQS - 1 - k : k, count = counts[round][i];
            if (!count) continue;
            inputs[n] =
                (corvid_input){now.sessions[1 + i], now.tokens + fed[i], count, logits + n * now.vocabulary, NULL};
            of[n++] = i;
            fed[i] += count;
        }
        corvid_error err;
        if (!corvid_step(now.c.model, inputs, n, &err)) fail_msg("%s", err.message);
        for (size_t k = 0; k < n; k++) expect_logits("together", logits + k * now.vocabulary, fed[of[k]] - 1);
    }
    for (size_t i = 0; i < SEQS; i++) {
        corvid_session *alone = now.sessions[1 + SEQS];
        reset(alone);
        feed(alone, now.tokens, fed[i], logits, NULL);
        expect_state("together", now.sessions[1 + i], alone);
    }
    free(logits);
}

/* Going on from a saved state, also in another slot, gives the very same numbers. */
static void test_save_and_restore(void **state)
{
    enum { MORE = 8 };
    const size_t half = now.n / 2;
    (void)state;
    corvid_session *a = now.sessions[1], *b = now.sessions[2];
    corvid_error err;
    void *blob;
    size_t size;
    reset(a);
    feed(a, now.tokens, half, NULL, NULL);
    if (!corvid_session_save(a, &blob, &size, &err)) fail_msg("%s", err.message);
    float *truth = new_floats(MORE * now.vocabulary), *logits = new_floats(now.vocabulary);
    for (size_t i = 0; i < MORE; i++) {
        feed(a, now.tokens + half + i, 1, truth + i * now.vocabulary, NULL);
        expect_logits("after saving", truth + i * now.vocabulary, half + i);
    }
    feed(b, now.tokens, 5, NULL, NULL); /* rubbish to be replaced */
    corvid_session *const into[] = {b, a};
    for (int k = 0; k < 2; k++) {
        if (!corvid_session_restore(into[k], blob, size, &err)) fail_msg("%s", err.message);
        assert_int_equal(corvid_session_length(into[k]), half);
        for (size_t i = 0; i < MORE; i++) {
            feed(into[k], now.tokens + half + i, 1, logits, NULL);
            assert_true(max_difference(logits, truth + i * now.vocabulary, now.vocabulary) <= 0);
        }
    }
    assert_true(state_difference(a, b) <= 0);
    free(blob);
    free(truth);
    free(logits);
}

static void test_reset(void **state)
{
    (void)state;
    corvid_session *s = now.sessions[3];
    float *logits = new_floats(now.vocabulary);
    feed(s, now.tokens + now.n / 2, now.n / 3, NULL, NULL);
    reset(s);
    assert_int_equal(corvid_session_length(s), 0);
    for (size_t i = 0; i < 12; i++) {
        feed(s, now.tokens + i, 1, logits, NULL);
        assert_true(max_difference(logits, now.truth + i * now.vocabulary, now.vocabulary) <= 0);
    }
    free(logits);
}

int equivalence_run(const struct equivalence *equivalence)
{
    static char names[5][96];
    static const char *const parts[] = {"chunks", "small steps", "together", "save and restore", "reset"};
    struct CMUnitTest tests[] = {cmocka_unit_test(test_chunks), cmocka_unit_test(test_small_steps),
                                 cmocka_unit_test(test_together), cmocka_unit_test(test_save_and_restore),
                                 cmocka_unit_test(test_reset)};
    now.e = *equivalence;
    now.worst_logit = now.worst_state = 0;
    for (int i = 0; i < 5; i++) {
        snprintf(names[i], sizeof names[i], "%s: %s", equivalence->model.label, parts[i]);
        tests[i].name = names[i];
    }
    return cmocka_run_group_tests_name(equivalence->model.label, tests, set_up, tear_down);
}
