/* generations.c - see generations.h */
#include "support/generations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

enum { SESSIONS = 4, MOST = 40 };

static struct {
    struct generations g;
    struct model_case c;
    size_t vocabulary;
    float *logits;
} now;

static const int32_t prompt[] = {3, 1, 4, 1, 5, 9, 2, 6};
enum { PROMPT = sizeof prompt / sizeof *prompt };

/* of the model's custom, and what the device cannot do */
static const corvid_sampling samplings[] = {
    {.top_p = 1, .repeat_penalty = 1},
    {.temperature = 1.2f,
     .top_k = 50,
     .top_p = 0.9f,
     .repeat_penalty = 1.2f,
     .presence_penalty = 0.3f,
     .frequency_penalty = 0.2f,
     .penalty_window = 6,
     .seed = 77},
    {.temperature = 1, .top_p = 0.8f, .repeat_penalty = 1, .frequency_penalty = 0.5f, .penalty_window = -1, .seed = 5},
};
enum { SAMPLINGS = sizeof samplings / sizeof *samplings };

static int set_up(void **unused)
{
    (void)unused;
    now.g.model.sessions = SESSIONS;
    now.c.device = open_device(&now.g.model);
    if (now.c.device->gpu && now.g.max_binding_bytes)
        ((struct gpu_info *)gpu_describe(now.c.device->gpu))->max_binding_bytes = now.g.max_binding_bytes;
    now.c.model = open_model(now.c.device, in_source(now.g.model.file).text, SESSIONS, now.g.model.context,
                             now.g.model.step_tokens);
    now.vocabulary = corvid_model_describe(now.c.model)->vocabulary;
    now.logits = new_floats(now.vocabulary);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    model_case_close(&now.c);
    free(now.logits);
    return 0;
}

static corvid_sampler *new_sampler(const corvid_sampling *sampling)
{
    corvid_error err;
    corvid_sampler *s = corvid_sampler_create(now.c.model, sampling, &err);
    if (!s) fail_msg("%s", err.message);
    return s;
}

/* a session with the prompt but for its last token, which is fed next */
static corvid_sequence begin(const corvid_sampling *sampling, size_t length)
{
    corvid_sequence s = {new_session(now.c.model), new_sampler(sampling), prompt[length - 1]};
    feed(s.session, prompt, length - 1, NULL, NULL);
    return s;
}

static void end(corvid_sequence *s)
{
    corvid_session_destroy(s->session);
    corvid_sampler_destroy(s->sampler);
    *s = (corvid_sequence){0};
}

static corvid_generation *open_generation(const corvid_sequence *sequences, size_t n, uint64_t steps, uint32_t ahead)
{
    corvid_error err;
    corvid_generation_options o = {steps, ahead};
    corvid_generation *g = corvid_generation_open(now.c.model, sequences, n, &o, &err);
    if (!g) fail_msg("%s", err.message);
    return g;
}

static void next(corvid_generation *g, int32_t *tokens)
{
    corvid_error err;
    if (!corvid_generation_next(g, tokens, &err)) fail_msg("%s", err.message);
}

static void close_generation(corvid_generation *g)
{
    corvid_error err;
    if (!corvid_generation_close(g, &err)) fail_msg("%s", err.message);
}

static int32_t step(corvid_sequence *s)
{
    feed(s->session, &s->token, 1, now.logits, NULL);
    s->token = corvid_sampler_next(s->sampler, now.logits);
    corvid_sampler_accept(s->sampler, s->token);
    return s->token;
}

/* How much a state differs; where it is a ring of positions, the oldest of which a generation may have overwritten, how
 * much the logits after some more tokens do. */
static double difference_of(corvid_session *found, corvid_session *wanted)
{
    assert_int_equal(corvid_session_length(found), corvid_session_length(wanted));
    if (corvid_model_describe(now.c.model)->recurrent) return state_difference(wanted, found);
    float *all[2] = {new_floats(PROMPT * now.vocabulary), new_floats(PROMPT * now.vocabulary)};
    feed(found, prompt, PROMPT, NULL, all[0]);
    feed(wanted, prompt, PROMPT, NULL, all[1]);
    double difference = max_difference(all[0], all[1], PROMPT * now.vocabulary);
    free(all[0]);
    free(all[1]);
    return difference;
}

/* What the sessions hold is the same, and what they say next. */
static void expect_same(corvid_sequence *found, corvid_sequence *wanted)
{
    double difference = difference_of(found->session, wanted->session);
    if (difference > 0) fail_msg("a difference of %g after %u tokens", difference, (unsigned)found->session->length);
    found->token = wanted->token;
    for (int i = 0; i < 3; i++) {
        int32_t token = step(wanted);
        assert_int_equal(step(found), token); /* the sampler too stands where it should */
    }
}

/* Steps of one sequence are the same kernels on the same numbers, ahead or not. */
static void test_same(void **unused)
{
    static const uint32_t ahead[] = {0, 1, 3, 8};
    static const size_t lengths[] = {1, 4, 7, 12, 18};
    (void)unused;
    for (size_t i = 0; i < SAMPLINGS; i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            corvid_sequence by_hand = begin(&samplings[i], PROMPT), made = begin(&samplings[i], PROMPT);
            uint64_t steps = k % 2 ? lengths[k] + 2 : 0;
            corvid_generation *g = open_generation(&made, 1, steps, ahead[(i + k) % 4]);
            for (size_t n = 0; n < lengths[k]; n++) {
                int32_t token;
                next(g, &token);
                assert_int_equal(corvid_session_length(made.session), PROMPT + n);
                assert_int_equal(token, step(&by_hand));
            }
            close_generation(g);
            expect_same(&made, &by_hand);
            end(&made);
            end(&by_hand);
        }
}

/* Four sequences that end at different times, two of them at once. */
static void test_together(void **unused)
{
    static const size_t lengths[SESSIONS] = {9, 3, 17, 3};
    (void)unused;
    for (size_t i = 0; i < SAMPLINGS; i++) {
        int32_t wanted[SESSIONS][MOST], found[SESSIONS];
        corvid_sequence s[SESSIONS];
        corvid_error err;
        for (size_t k = 0; k < SESSIONS; k++) {
            s[k] = begin(&samplings[i], 2 + k);
            for (size_t n = 0; n < lengths[k]; n++) wanted[k][n] = step(&s[k]);
            end(&s[k]);
        }
        for (size_t k = 0; k < SESSIONS; k++) s[k] = begin(&samplings[i], 2 + k);
        corvid_generation *g = open_generation(s, SESSIONS, 0, 8);
        for (size_t n = 0; n < 17; n++) {
            next(g, found);
            for (size_t k = 0; k < SESSIONS; k++) assert_int_equal(found[k], n < lengths[k] ? wanted[k][n] : -1);
            for (size_t k = 0; k < SESSIONS; k++)
                if (n + 1 == lengths[k] && !corvid_generation_drop(g, k, &err)) fail_msg("%s", err.message);
        }
        assert_false(corvid_generation_next(g, found, &err));
        assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
        close_generation(g);
        for (size_t k = 0; k < SESSIONS; k++) {
            corvid_sampler_destroy(s[k].sampler);
            if (k == SESSIONS - 1) continue; /* its slot is the truth's now */
            corvid_session_destroy(s[SESSIONS - 1].session);
            s[SESSIONS - 1].session = NULL;
            corvid_session *truth = new_session(now.c.model);
            feed(truth, prompt, 2 + k, NULL, NULL);
            feed(truth, wanted[k], lengths[k] - 1, NULL, NULL);
            double difference = difference_of(s[k].session, truth);
            if (!(difference <= now.g.tolerance)) fail_msg("a difference of %g", difference);
            corvid_session_destroy(truth);
        }
        for (size_t k = 0; k + 1 < SESSIONS; k++) corvid_session_destroy(s[k].session);
    }
}

/* A session goes back and goes on while the generation that it was dropped from does; another is begun anew instead. */
static void test_dropped(void **unused)
{
    enum { BOTH = 6, AFTER = 5 };
    (void)unused;
    int32_t wanted[3][MOST], found[3];
    corvid_sequence s[3];
    corvid_error err;
    for (size_t k = 0; k < 3; k++) {
        s[k] = begin(&samplings[k % 2], 4 + k);
        for (size_t n = 0; n < BOTH + AFTER; n++) wanted[k][n] = step(&s[k]);
        end(&s[k]);
    }
    for (size_t k = 0; k < 3; k++) s[k] = begin(&samplings[k % 2], 4 + k);
    corvid_generation *g = open_generation(s, 3, 0, 8);
    for (size_t n = 0; n < BOTH; n++) {
        next(g, found);
        for (size_t k = 0; k < 3; k++) assert_int_equal(found[k], wanted[k][n]);
    }
    for (size_t k = 1; k < 3; k++)
        if (!corvid_generation_drop(g, k, &err)) fail_msg("%s", err.message);
    if (!corvid_session_reset(s[2].session, &err)) fail_msg("%s", err.message);
    s[1].token = found[1];
    corvid_sampler_destroy(s[2].sampler);
    s[2].sampler = new_sampler(&samplings[0]);
    feed(s[2].session, prompt, 5, NULL, NULL);
    s[2].token = prompt[5];
    for (size_t n = BOTH; n < BOTH + AFTER; n++) {
        next(g, found);
        assert_int_equal(found[0], wanted[0][n]);
        assert_int_equal(step(&s[1]), wanted[1][n]);
        assert_int_equal(step(&s[2]), wanted[2][n - BOTH]);
    }
    close_generation(g);
    for (size_t k = 0; k < 3; k++) end(&s[k]);
}

/* Steps of another session and another generation in between change nothing. */
static void test_between(void **unused)
{
    (void)unused;
    corvid_sequence by_hand[2] = {begin(&samplings[1], 8), begin(&samplings[0], 5)};
    int32_t wanted[2][MOST], token;
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 0; n < 12; n++) wanted[k][n] = step(&by_hand[k]);
    end(&by_hand[1]);
    corvid_sequence made[2] = {begin(&samplings[1], 8), begin(&samplings[0], 5)};
    corvid_sequence other = begin(&samplings[1], 3);
    corvid_generation *g[2] = {open_generation(&made[0], 1, 0, 8), open_generation(&made[1], 1, 12, 2)};
    for (size_t n = 0; n < 12; n++) {
        next(g[0], &token);
        assert_int_equal(token, wanted[0][n]);
        if (n % 3 == 0) step(&other);
        next(g[1], &token);
        assert_int_equal(token, wanted[1][n]);
    }
    close_generation(g[1]);
    next(g[0], &token);
    assert_int_equal(token, step(&by_hand[0]));
    close_generation(g[0]);
    expect_same(&made[0], &by_hand[0]);
    end(&made[0]);
    end(&made[1]);
    end(&other);
    end(&by_hand[0]);
}

/* A generation goes as far as the context, and its session can be used when it is dropped. */
static void test_context(void **unused)
{
    uint32_t context = corvid_model_describe(now.c.model)->context;
    corvid_error err;
    int32_t token;
    (void)unused;
    if (!context || context > MOST) skip();
    for (size_t i = 0; i < SAMPLINGS; i++) {
        corvid_sequence s = begin(&samplings[i], PROMPT), by_hand = begin(&samplings[i], PROMPT);
        corvid_generation *g = open_generation(&s, 1, 0, 0);
        for (size_t n = PROMPT; n <= context; n++) {
            next(g, &token);
            assert_int_equal(token, step(&by_hand));
        }
        assert_false(corvid_generation_next(g, &token, &err));
        assert_int_equal(err.code, CORVID_ERROR_LIMIT);
        assert_int_equal(corvid_session_length(s.session), context);
        close_generation(g);
        assert_null(corvid_generation_open(now.c.model, &s, 1, NULL, &err));
        assert_int_equal(err.code, CORVID_ERROR_LIMIT);
        end(&s);
        end(&by_hand);
    }
}

static void refuse(const corvid_sequence *sequences, size_t n)
{
    corvid_error err = {0};
    assert_null(corvid_generation_open(now.c.model, sequences, n, NULL, &err));
    assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
    assert_true(*err.message);
    assert_null(corvid_generation_open(now.c.model, sequences, n, NULL, NULL));
}

static void test_refused(void **unused)
{
    (void)unused;
    corvid_error err = {0};
    corvid_sequence s[2] = {begin(&samplings[0], 4), begin(&samplings[0], 4)}, wrong[2] = {s[0], s[1]};
    refuse(s, 0);
    refuse((corvid_sequence[SESSIONS + 1]){{0}}, SESSIONS + 1);
    refuse(&(corvid_sequence){NULL, s[0].sampler, 1}, 1);
    refuse(&(corvid_sequence){s[0].session, NULL, 1}, 1);
    refuse(&(corvid_sequence){s[0].session, s[0].sampler, -1}, 1);
    refuse(&(corvid_sequence){s[0].session, s[0].sampler, (int32_t)now.vocabulary}, 1);
    wrong[1].session = s[0].session;
    refuse(wrong, 2);
    wrong[1] = s[1];
    wrong[1].sampler = s[0].sampler;
    refuse(wrong, 2);

    corvid_generation *g = open_generation(s, 1, 0, 0);
    void *blob = NULL;
    size_t size;
    refuse(s, 2);
    assert_false(corvid_step(now.c.model, &(corvid_input){s[0].session, prompt, 1, NULL, NULL}, 1, &err));
    assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
    assert_false(corvid_session_reset(s[0].session, NULL));
    assert_false(corvid_session_save(s[0].session, &blob, &size, NULL));
    assert_true(corvid_session_save(s[1].session, &blob, &size, NULL));
    assert_false(corvid_session_restore(s[0].session, blob, size, NULL));
    assert_false(corvid_generation_drop(g, 1, NULL));
    close_generation(g);
    assert_true(corvid_session_restore(s[0].session, blob, size, NULL));
    assert_true(corvid_generation_close(NULL, NULL));
    free(blob);
    end(&s[0]);
    end(&s[1]);
}

int generations_run(const struct generations *g)
{
    static char names[6][96];
    static const char *const parts[] = {"same", "together", "dropped", "between", "context", "refused"};
    struct CMUnitTest tests[] = {cmocka_unit_test(test_same),    cmocka_unit_test(test_together),
                                 cmocka_unit_test(test_dropped), cmocka_unit_test(test_between),
                                 cmocka_unit_test(test_context), cmocka_unit_test(test_refused)};
    now.g = *g;
    for (int i = 0; i < 6; i++) {
        snprintf(names[i], sizeof names[i], "%s: %s", g->model.label, parts[i]);
        tests[i].name = names[i];
    }
    return cmocka_run_group_tests_name(g->model.label, tests, set_up, tear_down);
}
