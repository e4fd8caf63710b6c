/* golden.c - see golden.h */
#include "support/golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "support/safetensors.h"

#include <cmocka.h>

enum { MAX_TOKENS = 512 };

static struct {
    struct golden golden;
    struct safetensors *data;
    struct model_case c;
    corvid_session *session;
    size_t vocabulary;
} now;

static int set_up(void **unused)
{
    (void)unused;
    char name[128];
    snprintf(name, sizeof name, "tests/golden/rwkv7/%s.safetensors", now.golden.name);
    now.data = safetensors_open(in_source(name).text);
    snprintf(name, sizeof name, "tests/golden/rwkv7/%s.gguf", now.golden.name);
    struct model_setup setup = now.golden.model;
    setup.file = name;
    now.c = model_case_open(&setup);
    now.session = new_session(now.c.model);
    now.vocabulary = corvid_model_describe(now.c.model)->vocabulary;
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    corvid_session_destroy(now.session);
    model_case_close(&now.c);
    safetensors_close(now.data);
    return 0;
}

static size_t read_tokens(const char *name, int32_t *tokens)
{
    size_t n;
    const uint8_t *bytes = safetensors_u8(now.data, name, &n);
    assert_in_range(n, 1, MAX_TOKENS);
    for (size_t i = 0; i < n; i++) tokens[i] = bytes[i];
    return n;
}

static const float *read_logits(const char *name, size_t rows)
{
    size_t n;
    const float *logits = safetensors_f32(now.data, name, &n);
    assert_int_equal(n, rows * now.vocabulary);
    return logits;
}

static void expect_logits(const char *name, const float *found, size_t rows)
{
    double difference = max_difference(found, read_logits(name, rows), rows * now.vocabulary);
    print_message("    %s: largest difference %.2g\n", name, difference);
    if (!(difference <= now.golden.logit_tolerance))
        fail_msg("%s: largest difference %g, allowed %g", name, difference, now.golden.logit_tolerance);
}

static void test_every_token(void **unused)
{
    (void)unused;
    int32_t tokens[MAX_TOKENS];
    size_t n = read_tokens("p1.prompt", tokens);
    float *all = new_floats(n * now.vocabulary);
    reset(now.session);
    feed(now.session, tokens, n, NULL, all);
    expect_logits("p1.logits", all, n);
    reset(now.session);
    for (size_t i = 0; i < n; i++) feed(now.session, tokens + i, 1, all + i * now.vocabulary, NULL);
    expect_logits("p1.logits", all, n);
    free(all);
}

static void test_prompts(void **unused)
{
    static const char *const names[][2] = {{"p2.prompt", "p2.logits"}, {"p3.prompt", "p3.logits"}};
    (void)unused;
    float *logits = new_floats(now.vocabulary);
    for (size_t i = 0; i < 2; i++) {
        int32_t tokens[MAX_TOKENS];
        size_t n = read_tokens(names[i][0], tokens);
        reset(now.session);
        feed(now.session, tokens, n, logits, NULL);
        expect_logits(names[i][1], logits, 1);
    }
    free(logits);
}

static state find_state(const char *name)
{
    const struct graph *g = &now.c.model->graph;
    for (uint32_t i = 1; i < g->n_states; i++)
        if (!strcmp(g->states[i].name, name)) return (state){i};
    fail_msg("the model has no state %s", name);
    return (state){0};
}

/* one tensor of the state, for all layers; relative to its largest element in all of them */
static double compare_state(const char *name, const char *part)
{
    size_t n, layers = corvid_model_describe(now.c.model)->layers;
    const float *expected = safetensors_f32(now.data, name, &n);
    double difference = 0, largest = 0;
    float *found = new_floats(n / layers);
    for (size_t layer = 0; layer < layers; layer++) {
        char full[64];
        struct error err;
        snprintf(full, sizeof full, "blk.%zu.%s", layer, part);
        state s = find_state(full);
        const struct graph_state *g = &now.c.model->graph.states[s.id];
        /* of a token shift's two rows the one that the last position wrote */
        size_t rows = strstr(part, "_x") ? 2 : 1, at = rows == 2 ? (now.session->length - 1) % 2 * (n / layers) : 0;
        assert_int_equal((size_t)g->rows * g->cols, rows * (n / layers));
        if (!exec_state_read(now.c.model->exec, s, now.session->slot, at, n / layers, found, &err))
            fail_msg("%s", err.message);
        difference = fmax(difference, max_difference(found, expected + layer * (n / layers), n / layers));
    }
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)expected[i]));
    free(found);
    return difference / largest;
}

static void test_state(void **unused)
{
    static const char *const names[][2] = {
        {"p2.state.att_x", "time_mix_x"}, {"p2.state.ffn_x", "channel_mix_x"}, {"p2.state.wkv", "time_mix_s"}};
    (void)unused;
    int32_t tokens[MAX_TOKENS];
    size_t n = read_tokens("p2.prompt", tokens);
    reset(now.session);
    feed(now.session, tokens, n, NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double difference = compare_state(names[i][0], names[i][1]);
        print_message("    %s: largest relative difference %.2g\n", names[i][0], difference);
        if (!(difference <= now.golden.state_tolerance))
            fail_msg("%s: largest relative difference %g, allowed %g", names[i][0], difference,
                     now.golden.state_tolerance);
    }
}

/* The golden continuation is fed whatever comes out, so that every step is looked at, also behind a near tie. */
static void test_greedy(void **unused)
{
    (void)unused;
    float *logits = new_floats(now.vocabulary);
    for (int k = 1; k <= 3; k++) {
        char name[32];
        int32_t prompt[MAX_TOKENS], greedy[MAX_TOKENS];
        size_t n_margins, clear = 0;
        snprintf(name, sizeof name, "p%d.prompt", k);
        size_t n_prompt = read_tokens(name, prompt);
        snprintf(name, sizeof name, "p%d.greedy", k);
        size_t n = read_tokens(name, greedy);
        snprintf(name, sizeof name, "p%d.greedy_margin", k);
        const float *margins = safetensors_f32(now.data, name, &n_margins);
        assert_int_equal(n_margins, n);
        reset(now.session);
        feed(now.session, prompt, n_prompt, logits, NULL);
        for (size_t i = 0; i < n; i++) {
            if (margins[i] >= 4 * now.golden.logit_tolerance) {
                if (best_of(logits, now.vocabulary) != greedy[i])
                    fail_msg("p%d: token %zu is %d, expected %d", k, i, best_of(logits, now.vocabulary), greedy[i]);
                clear++;
            }
            feed(now.session, greedy + i, 1, logits, NULL);
        }
        assert_in_range(clear, n * 9 / 10, n); /* the tolerance is not so wide that nothing is compared */
        snprintf(name, sizeof name, "p%d.greedy_logits", k);
        expect_logits(name, logits, 1);
    }
    free(logits);
}

int golden_run(const struct golden *golden)
{
    static char names[4][64];
    static const char *const parts[] = {"logits after every token", "logits after prompts", "state", "greedy text"};
    struct CMUnitTest tests[] = {cmocka_unit_test(test_every_token), cmocka_unit_test(test_prompts),
                                 cmocka_unit_test(test_state), cmocka_unit_test(test_greedy)};
    now.golden = *golden;
    for (int i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "%s, %s: %s", golden->name, golden->model.label, parts[i]);
        tests[i].name = names[i];
    }
    return cmocka_run_group_tests_name(golden->name, tests, set_up, tear_down);
}
