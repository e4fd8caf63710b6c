/* test_int8_gpu.c - the built-in model with int8 activations: what the rounding costs against exact activations, and that
 * the GPU, the scalar reference, prompts and single tokens agree on it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/model_case.h"

static const char text[] =
    "User: What is 17 plus 25?\n\nAssistant: 7+5=12, 1+2+1=4. The answer is 42.\n\nUser: What is a fox?\n\n"
    "Assistant: A fox is a mammal. It lives in a den and eats mice and berries. You may know that it has a thick red "
    "tail.\n\nOnce upon a time, there was a gentle girl called Mia. Mia lived at the edge of a quiet town. She liked to "
    "draw pictures. One afternoon, Mia saw the tailor in the street. The tailor had to carry a heavy box.";

/* nats a token. Seen: 2.1e-5; 6.2e-6, for a value halfway between two integers may go to either */
static const double cost_allowed = 1e-4, noise_allowed = 5e-5;

static struct run {
    size_t n_tokens, vocabulary;
    float *logits; /* [n_tokens, vocabulary] */
} exact, int8, int8_reference, int8_single;

/* the logits after every token; `single`: each token in a step of its own */
static struct run run(corvid_device *device, bool is_exact, bool single)
{
    const char *path = in_source(built_in_model).text;
    corvid_model *model = is_exact ? open_model(device, path, 1, 0, 0) : open_model_int8(device, path, 1);
    corvid_error err;
    int32_t *tokens;
    struct run r = {.vocabulary = corvid_model_describe(model)->vocabulary};
    if (!corvid_tokenize(model, text, strlen(text), 0, &tokens, &r.n_tokens, &err)) fail_msg("%s", err.message);
    r.logits = new_floats(r.n_tokens * r.vocabulary);
    corvid_session *session = new_session(model);
    if (!single) feed(session, tokens, r.n_tokens, NULL, r.logits);
    for (size_t i = 0; single && i < r.n_tokens; i++)
        feed(session, tokens + i, 1, r.logits + i * r.vocabulary, NULL);
    corvid_session_destroy(session);
    corvid_model_close(model);
    free(tokens);
    return r;
}

static int set_up(void **state)
{
    (void)state;
    corvid_device *device = open_device(&(struct model_setup){.device = NULL});
    exact = run(device, true, false);
    int8 = run(device, false, false);
    int8_single = run(device, false, true);
    corvid_device_close(device);
    device = open_device(&(struct model_setup){.device = "reference"});
    int8_reference = run(device, false, false);
    corvid_device_close(device);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct run *runs[] = {&exact, &int8, &int8_single, &int8_reference};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) free(runs[i]->logits);
    return 0;
}

/* log of the sum of exponentials */
static double log_sum(const float *logits, size_t n)
{
    double top = logits[best_of(logits, n)], sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp(logits[i] - top);
    return top + log(sum);
}

/* KL divergence of q from p, mean over the tokens, in nats */
static double divergence(const struct run *p, const struct run *q)
{
    double sum = 0;
    for (size_t t = 0; t < p->n_tokens; t++) {
        const float *a = p->logits + t * p->vocabulary, *b = q->logits + t * p->vocabulary;
        double a_sum = log_sum(a, p->vocabulary), b_sum = log_sum(b, p->vocabulary);
        for (size_t i = 0; i < p->vocabulary; i++) {
            double log_p = a[i] - a_sum;
            sum += exp(log_p) * (log_p - (b[i] - b_sum));
        }
    }
    return sum / (double)p->n_tokens;
}

static void check(const char *what, const struct run *p, const struct run *q, double most)
{
    size_t other = 0;
    for (size_t t = 0; t < p->n_tokens; t++)
        other += best_of(p->logits + t * p->vocabulary, p->vocabulary) !=
                 best_of(q->logits + t * p->vocabulary, p->vocabulary);
    double found = divergence(p, q);
    print_message("    %s: KL divergence %.2g, %.2g allowed; another first token %zu times of %zu\n", what, found, most,
                  other, p->n_tokens);
    assert_true(found <= most); /* false for NaN */
}

static void test_cost(void **state)
{
    (void)state;
    check("exact against int8", &exact, &int8, cost_allowed);
    assert_true(divergence(&exact, &int8) > 0); /* the two are not the same path */
}

static void test_reference(void **state)
{
    (void)state;
    check("scalar reference against GPU", &int8_reference, &int8, noise_allowed);
}

static void test_single(void **state)
{
    (void)state;
    check("prompt against single tokens", &int8, &int8_single, noise_allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cost), cmocka_unit_test(test_reference),
                                       cmocka_unit_test(test_single)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
