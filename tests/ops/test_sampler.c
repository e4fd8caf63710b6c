/* test_sampler.c - against a naive sampler: sort everything, exp in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ops/sampler.h"

#include <cmocka.h>

enum { V = 60 };

static const struct sampler_params neutral = {.temperature = 1, .top_p = 1, .repeat_penalty = 1};

static struct sampler *create(struct sampler_params p, int32_t vocab)
{
    struct error err = {0};
    struct sampler *s = sampler_create(&p, vocab, &err);
    if (!s) fail_msg("%s", err.message);
    return s;
}

static const float *sort_logits;
static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    if (sort_logits[x] != sort_logits[y]) return sort_logits[x] > sort_logits[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The probability of every token. counts: how often each is in the penalties' window. */
static void naive(const struct sampler_params *p, const float *logits, const int *counts, double *chances)
{
    float l[V];
    int order[V], n = V;
    for (int i = 0; i < V; i++) {
        l[i] = logits[i];
        order[i] = i;
        chances[i] = 0;
        if (!counts[i]) continue;
        l[i] = l[i] > 0 ? l[i] / p->repeat_penalty : l[i] * p->repeat_penalty;
        l[i] -= p->presence_penalty + p->frequency_penalty * (float)counts[i];
    }
    sort_logits = l;
    qsort(order, V, sizeof *order, compare);
    if (p->temperature <= 0) {
        chances[order[0]] = 1;
        return;
    }
    if (p->top_k > 0 && p->top_k < n) n = p->top_k;
    double total = 0, sum = 0;
    for (int i = 0; i < n; i++) total += exp((double)l[order[i]] - (double)l[order[0]]);
    for (int i = 0; i < n && p->top_p < 1; i++) {
        sum += exp((double)l[order[i]] - (double)l[order[0]]);
        if (sum >= (double)p->top_p * total) n = i + 1;
    }
    while (n > 1 && exp((double)l[order[n - 1]] - (double)l[order[0]]) < (double)p->min_p) n--;
    total = 0;
    for (int i = 0; i < n; i++)
        total += chances[order[i]] = exp(((double)l[order[i]] - (double)l[order[0]]) / (double)p->temperature);
    for (int i = 0; i < V; i++) chances[i] /= total;
}

/* Draws many times: nothing impossible may come, and the counts must fit the probabilities. */
static void compare_chances(const struct sampler_params *p, struct sampler *s, const float *logits, const int *counts)
{
    enum { DRAWS = 20000 };
    double chances[V], chi2 = 0, rest_expected = 0, rest_found = 0;
    int found[V] = {0}, cells = 0;
    naive(p, logits, counts, chances);
    for (int i = 0; i < DRAWS; i++) {
        int32_t token = sampler_next(s, logits);
        assert_in_range(token, 0, V - 1);
        if (!(chances[token] > 0)) fail_msg("token %d cannot come", (int)token);
        found[token]++;
    }
    for (int i = 0; i < V; i++) {
        double expected = chances[i] * DRAWS;
        if (expected >= 8) {
            chi2 += (found[i] - expected) * (found[i] - expected) / expected;
            cells++;
        } else {
            rest_expected += expected;
            rest_found += found[i];
        }
    }
    if (rest_expected >= 8) {
        chi2 += (rest_found - rest_expected) * (rest_found - rest_expected) / rest_expected;
        cells++;
    }
    /* mean cells - 1, variance twice that; 5 deviations and a little for small numbers of cells */
    if (chi2 > cells + 5 * sqrt(2.0 * cells) + 8) fail_msg("chi2 %g with %d cells", chi2, cells);
}

static void fill(float *logits, struct rng *rng, double scale)
{
    for (int i = 0; i < V; i++) /* quarters: ties are wanted */
        logits[i] = (float)(floor((double)rng_below(rng, 4096) / 4096.0 * scale * 4) / 4 - scale / 2);
}

static void test_chances(void **state)
{
    (void)state;
    const struct sampler_params cases[] = {
        neutral,
        {.temperature = 0.5f, .top_p = 1, .repeat_penalty = 1},
        {.temperature = 3, .top_p = 1, .repeat_penalty = 1, .top_k = 7},
        {.temperature = 1, .top_p = 1, .repeat_penalty = 1, .top_k = 1},
        {.temperature = 1, .top_p = 1, .repeat_penalty = 1, .top_k = 1000},
        {.temperature = 2, .top_p = 0.5f, .repeat_penalty = 1},
        {.temperature = 1, .top_p = 0.9f, .repeat_penalty = 1},
        {.temperature = 5, .top_p = 0, .repeat_penalty = 1},
        {.temperature = 2, .top_p = 1, .min_p = 0.1f, .repeat_penalty = 1},
        {.temperature = 0.8f,
         .top_p = 0.95f,
         .min_p = 0.02f,
         .top_k = 20,
         .repeat_penalty = 1.3f,
         .presence_penalty = 0.4f,
         .frequency_penalty = 0.3f,
         .penalty_window = 10},
        {.temperature = 1, .top_p = 0.7f, .repeat_penalty = 0.8f, .presence_penalty = -0.5f, .penalty_window = -1},
    };
    struct rng rng;
    rng_seed(&rng, 11);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        for (int round = 0; round < 4; round++) {
            float logits[V];
            int counts[V] = {0}, accepted[30];
            fill(logits, &rng, round == 3 ? 40 : 8);
            struct sampler *s = create(cases[k], V);
            for (int i = 0; i < 30; i++) sampler_accept(s, accepted[i] = (int)rng_below(&rng, V));
            for (int i = cases[k].penalty_window < 0 ? 0 : 30 - cases[k].penalty_window; i < 30; i++)
                counts[accepted[i]]++;
            compare_chances(&cases[k], s, logits, counts);
            sampler_destroy(s);
        }
    }
}

static void test_greedy(void **state)
{
    (void)state;
    struct sampler_params p = neutral;
    p.temperature = 0;
    struct sampler *s = create(p, 5);
    assert_int_equal(sampler_next(s, (const float[]){1, 3, 3, 2, -1}), 1);
    assert_int_equal(sampler_next(s, (const float[]){NAN, -5, NAN, -2, -INFINITY}), 3);
    assert_int_equal(sampler_next(s, (const float[]){NAN, NAN, NAN, -INFINITY, NAN}), -1);
    assert_int_equal(sampler_next(s, (const float[]){1, INFINITY, 0, INFINITY, 0}), 1);
    sampler_destroy(s);
}

static void test_strange_logits(void **state)
{
    (void)state;
    struct sampler_params p = {
        .temperature = 1, .top_p = 0.9f, .min_p = 0.01f, .repeat_penalty = 0.001f, .penalty_window = 4};
    struct sampler *s = create(p, 4);
    sampler_accept(s, 1);
    sampler_accept(s, -1); /* ignored */
    sampler_accept(s, 4);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(sampler_next(s, (const float[]){NAN, NAN, 2, -INFINITY}), 2);
        assert_int_equal(sampler_next(s, (const float[]){NAN, NAN, NAN, -INFINITY}), -1);
        assert_int_equal(sampler_next(s, (const float[]){-3e38f, 3e38f, 0, -INFINITY}), 1);
        int32_t token = sampler_next(s, (const float[]){INFINITY, INFINITY, 0, 0});
        assert_true(token == 0 || token == 1);
    }
    sampler_destroy(s);
    p = neutral;
    p.temperature = 1e-30f;
    s = create(p, 3);
    for (int i = 0; i < 50; i++) assert_int_equal(sampler_next(s, (const float[]){1, 1.0001f, 1}), 1);
    sampler_destroy(s);
}

/* Greedy with penalties against the naive sampler while the window moves. */
static void test_window(void **state)
{
    (void)state;
    struct sampler_params p = {.temperature = 0,
                               .top_p = 1,
                               .repeat_penalty = 1.5f,
                               .presence_penalty = 0.5f,
                               .frequency_penalty = 0.25f,
                               .penalty_window = 7};
    struct rng rng;
    rng_seed(&rng, 12);
    struct sampler *s = create(p, V);
    int history[400];
    for (int n = 0; n < 400; n++) {
        float logits[V];
        double chances[V];
        int counts[V] = {0};
        fill(logits, &rng, 6);
        for (int i = n < 7 ? 0 : n - 7; i < n; i++) counts[history[i]]++;
        naive(&p, logits, counts, chances);
        int32_t token = sampler_next(s, logits);
        assert_true(chances[token] > 0);
        history[n] = n % 3 ? token : (int)rng_below(&rng, 5);
        sampler_accept(s, history[n]);
    }
    sampler_destroy(s);
}

static void test_seeds(void **state)
{
    (void)state;
    struct sampler_params p = {
        .temperature = 1, .top_p = 0.95f, .top_k = 40, .repeat_penalty = 1.1f, .penalty_window = 16, .seed = 99};
    float logits[V];
    struct rng rng;
    rng_seed(&rng, 13);
    fill(logits, &rng, 6);
    struct sampler *a = create(p, V), *b = create(p, V);
    p.seed = 100;
    struct sampler *other = create(p, V);
    int32_t tokens[100];
    int different = 0;
    for (int i = 0; i < 100; i++) {
        tokens[i] = sampler_next(a, logits);
        assert_int_equal(tokens[i], sampler_next(b, logits));
        different += tokens[i] != sampler_next(other, logits);
        sampler_accept(a, tokens[i]);
        sampler_accept(b, tokens[i]);
        sampler_accept(other, tokens[i]);
    }
    assert_true(different > 30);
    sampler_reset(a);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(tokens[i], sampler_next(a, logits));
        sampler_accept(a, tokens[i]);
    }
    sampler_destroy(a);
    sampler_destroy(b);
    sampler_destroy(other);
}

/* A vocabulary of Gemma's size: the smallest set that reaches top-p, computed in double, holds every draw. */
static void test_large(void **state)
{
    (void)state;
    enum { N = 262144 };
    float *logits = malloc(N * sizeof *logits);
    struct rng rng;
    rng_seed(&rng, 14);
    for (int i = 0; i < N; i++) { /* sum of uniforms: a bell with a tail */
        double x = 0;
        for (int k = 0; k < 6; k++) x += (double)rng_below(&rng, 1 << 20) / (1 << 20);
        logits[i] = (float)(x * 3);
    }
    struct sampler_params p = {.temperature = 1, .top_p = 0.3f, .repeat_penalty = 1};
    int *order = malloc(N * sizeof *order), *rank = malloc(N * sizeof *rank);
    for (int i = 0; i < N; i++) order[i] = i;
    sort_logits = logits;
    qsort(order, N, sizeof *order, compare);
    double total = 0, sum = 0;
    for (int i = 0; i < N; i++) {
        total += exp((double)logits[i]);
        rank[order[i]] = i;
    }
    int nucleus = 0;
    while (sum < 0.3 * total) sum += exp((double)logits[order[nucleus++]]);
    struct sampler *s = create(p, N);
    int deepest = 0;
    for (int i = 0; i < 200; i++) {
        int r = rank[sampler_next(s, logits)];
        if (r > deepest) deepest = r;
    }
    assert_true(nucleus > 1000);
    assert_true(deepest < nucleus + 5); /* sums differ in the last digits */
    assert_true(deepest > nucleus / 2);
    sampler_destroy(s);
    p = neutral;
    p.temperature = 1000;
    p.top_k = 50;
    s = create(p, N);
    bool seen[50] = {false};
    for (int i = 0; i < 2000; i++) {
        int r = rank[sampler_next(s, logits)];
        assert_in_range(r, 0, 49);
        seen[r] = true;
    }
    for (int i = 0; i < 50; i++) assert_true(seen[i]);
    sampler_destroy(s);
    free(rank);
    free(order);
    free(logits);
}

static void test_forbidden(void **state)
{
    (void)state;
    struct error err = {0};
    struct sampler *s = create(neutral, 4);
    assert_true(sampler_forbid(s, 2, &err) && sampler_forbid(s, 0, &err) && sampler_forbid(s, 2, &err));
    for (int i = 0; i < 100; i++) {
        int32_t token = sampler_next(s, (const float[]){5, 1, 5, 0});
        assert_true(token == 1 || token == 3);
    }
    assert_true(sampler_forbid(s, 1, &err) && sampler_forbid(s, 3, &err));
    assert_int_equal(sampler_next(s, (const float[]){5, 1, 5, 0}), -1);
    assert_false(sampler_forbid(s, 4, &err));
    assert_false(sampler_forbid(s, -1, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    sampler_destroy(s);
}

/* The n-th draw depends on the seed and on nothing before it. */
static void test_draws_by_index(void **state)
{
    (void)state;
    float logits[2][V];
    struct rng rng;
    rng_seed(&rng, 15);
    for (int i = 0; i < 2; i++) fill(logits[i], &rng, 6);
    struct sampler *a = create(neutral, V), *b = create(neutral, V);
    for (int i = 0; i < 50; i++) {
        sampler_next(a, logits[i % 2]);
        sampler_follow(b, 3); /* drawn elsewhere */
        assert_int_equal(sampler_next(a, logits[0]), sampler_next(b, logits[0]));
    }
    sampler_destroy(a);
    sampler_destroy(b);
}

/* what the kernel can do */
static void test_fits(void **state)
{
    (void)state;
    struct error err = {0};
    struct sampler_params p = neutral;
    p.penalty_window = -1; /* of penalties that do nothing */
    struct sampler *s = create(p, SAMPLE_MAX_VOCAB);
    assert_true(sampler_fits(s));
    for (int32_t i = 0; i < SAMPLE_FORBIDDEN; i++) assert_true(sampler_forbid(s, i, &err));
    assert_true(sampler_fits(s));
    assert_true(sampler_forbid(s, 99, &err));
    assert_false(sampler_fits(s));
    sampler_destroy(s);
    s = create(p, SAMPLE_MAX_VOCAB + 1);
    assert_false(sampler_fits(s));
    sampler_destroy(s);
    p.presence_penalty = 1;
    static const int32_t windows[] = {-1, 0, SAMPLE_HISTORY, SAMPLE_HISTORY + 1};
    for (int i = 0; i < 4; i++) {
        p.penalty_window = windows[i];
        s = create(p, V);
        assert_int_equal(sampler_fits(s), i == 1 || i == 2);
        sampler_destroy(s);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
    } fields[] = {
        {"temperature", offsetof(struct sampler_params, temperature)},
        {"top_p", offsetof(struct sampler_params, top_p)},
        {"min_p", offsetof(struct sampler_params, min_p)},
        {"repeat_penalty", offsetof(struct sampler_params, repeat_penalty)},
        {"presence_penalty", offsetof(struct sampler_params, presence_penalty)},
        {"frequency_penalty", offsetof(struct sampler_params, frequency_penalty)},
    };
    struct error err = {0};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        static const float bad[] = {NAN, INFINITY, -INFINITY};
        for (size_t k = 0; k < 3; k++) {
            struct sampler_params p = neutral;
            memcpy((char *)&p + fields[i].at, &bad[k], sizeof(float));
            assert_null(sampler_create(&p, V, &err));
            assert_int_equal(err.code, ERR_ARGUMENT);
            assert_non_null(strstr(err.message, fields[i].name));
        }
    }
    struct sampler_params p = neutral;
    p.top_k = -1;
    assert_null(sampler_create(&p, V, &err));
    p = neutral;
    p.penalty_window = -2;
    assert_null(sampler_create(&p, V, &err));
    p = neutral;
    p.top_p = 1.01f;
    assert_null(sampler_create(&p, V, &err));
    p = neutral;
    p.repeat_penalty = 0;
    assert_null(sampler_create(&p, V, &err));
    assert_null(sampler_create(&neutral, 0, &err));
    sampler_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chances),   cmocka_unit_test(test_greedy),         cmocka_unit_test(test_strange_logits),
        cmocka_unit_test(test_window),    cmocka_unit_test(test_seeds),          cmocka_unit_test(test_large),
        cmocka_unit_test(test_forbidden), cmocka_unit_test(test_draws_by_index), cmocka_unit_test(test_fits),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
