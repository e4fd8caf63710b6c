/* llama_golden.c - see llama_golden.h */
#include "support/llama_golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "support/model_case.h"

#include <cmocka.h>

/* the first tokens are fed one by one, the rest at once */
enum { MAX_RUNS = 8, MAX_STEPS = 256, SINGLE_STEPS = 16 };

struct run {
    json_t *golden;
    corvid_session *session;
    float *logits; /* [steps, vocabulary] */
    int32_t *prompt, fed[MAX_STEPS];
    size_t n_prompt;
};

struct sums {
    double logit, logsumexp; /* largest differences */
    double logit_squares;
    size_t steps, near_ties, other_tokens, logits;
};

static int32_t top_token(json_t *top, size_t i)
{
    return (int32_t)json_integer_value(json_array_get(json_array_get(top, i), 0));
}
static double top_logit(json_t *top, size_t i) { return json_number_value(json_array_get(json_array_get(top, i), 1)); }

static void start(struct run *r, corvid_model *model, json_t *golden, size_t n_steps, size_t vocabulary)
{
    corvid_error err;
    json_t *prompt = json_object_get(golden, "prompt"), *tokens = json_object_get(golden, "prompt_tokens");
    json_t *steps = json_object_get(golden, "steps");
    *r = (struct run){.golden = golden, .session = new_session(model), .logits = new_floats(n_steps * vocabulary)};
    if (!corvid_tokenize(model, json_string_value(prompt), json_string_length(prompt),
                         CORVID_TOKENIZE_BOS | CORVID_TOKENIZE_SPECIAL, &r->prompt, &r->n_prompt, &err))
        fail_msg("%s", err.message);
    assert_true(r->n_prompt > 0);
    assert_int_equal(r->n_prompt, json_array_size(tokens));
    for (size_t i = 0; i < r->n_prompt; i++)
        assert_int_equal(r->prompt[i], json_integer_value(json_array_get(tokens, i)));
    assert_int_equal(json_array_size(steps), n_steps);
    for (size_t i = 0; i < n_steps; i++) r->fed[i] = top_token(json_object_get(json_array_get(steps, i), "top"), 0);
}

static double logsumexp(const float *logits, size_t n)
{
    double top = logits[best_of(logits, n)], sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp(logits[i] - top);
    return top + log(sum);
}

/* item: {"top": [[token, logit], ...], "logsumexp": number} */
static void compare(json_t *item, const float *logits, size_t vocabulary, double margin, struct sums *s,
                    const char *prompt)
{
    json_t *top = json_object_get(item, "top");
    assert_true(json_array_size(top) >= 2);
    for (size_t i = 0; i < json_array_size(top); i++) {
        int32_t token = top_token(top, i);
        assert_in_range(token, 0, vocabulary - 1);
        double difference = fabs(logits[token] - top_logit(top, i));
        if (!(difference <= s->logit)) s->logit = difference;
        s->logit_squares += difference * difference;
        s->logits++;
    }
    double difference = fabs(logsumexp(logits, vocabulary) - json_number_value(json_object_get(item, "logsumexp")));
    if (!(difference <= s->logsumexp)) s->logsumexp = difference;
    double lead = top_logit(top, 0) - top_logit(top, 1);
    int32_t best = best_of(logits, vocabulary);
    if (best != top_token(top, 0) && lead >= margin)
        fail_msg("%s: step %zu: token %d, expected %d, which leads by %g", prompt, s->steps, best, top_token(top, 0),
                 lead);
    s->steps++;
    s->near_ties += lead < margin;
    s->other_tokens += best != top_token(top, 0);
}

/* one step of all runs: the prompts, then llama.cpp's tokens from `at` on; the logits go to the rows after `at` */
static void advance(corvid_model *model, struct run *runs, size_t n, size_t at, size_t count, size_t vocabulary)
{
    corvid_input inputs[MAX_RUNS];
    for (size_t i = 0; i < n; i++) {
        struct run *r = &runs[i];
        float *out = r->logits + (count ? at + 1 : 0) * vocabulary;
        inputs[i] = count ? (corvid_input){r->session, r->fed + at, count, NULL, out}
                          : (corvid_input){r->session, r->prompt, r->n_prompt, out, NULL};
    }
    corvid_error err;
    if (!corvid_step(model, inputs, n, &err)) fail_msg("%s", err.message);
}

/* compares every step of every run: with llama.cpp, or with its part "exact" */
static void compare_all(const struct run *runs, size_t n, size_t n_steps, size_t vocabulary, const char *part,
                        const struct llama_tolerance *tolerance)
{
    struct sums s = {0};
    for (size_t i = 0; i < n; i++) {
        json_t *steps = json_object_get(runs[i].golden, "steps");
        for (size_t k = 0; k < n_steps; k++) {
            json_t *item = json_array_get(steps, k);
            compare(part ? json_object_get(item, part) : item, runs[i].logits + k * vocabulary, vocabulary,
                    tolerance->margin, &s, json_string_value(json_object_get(runs[i].golden, "prompt")));
        }
    }
    double rms = sqrt(s.logit_squares / (double)s.logits);
    print_message("    %s: %zu steps, %zu near ties, %zu other tokens; differences: logits %.3g at most, rms %.3g, "
                  "logsumexp %.3g\n",
                  part ? part : "llama.cpp", s.steps, s.near_ties, s.other_tokens, s.logit, rms, s.logsumexp);
    if (!(s.logit <= tolerance->logit)) fail_msg("logits differ by %g, allowed %g", s.logit, tolerance->logit);
    if (!(rms <= tolerance->rms)) fail_msg("logits differ by %g (rms), allowed %g", rms, tolerance->rms);
    if (!(s.logsumexp <= tolerance->logsumexp))
        fail_msg("logsumexp differs by %g, allowed %g", s.logsumexp, tolerance->logsumexp);
}

void llama_golden_check(corvid_model *model, const char *golden, const struct llama_tolerance *llama,
                        const struct llama_tolerance *exact)
{
    json_error_t why;
    json_t *all = json_load_file(in_source(golden).text, 0, &why);
    if (!json_is_array(all)) fail_msg("%s: %s", golden, why.text);
    size_t n = json_array_size(all), vocabulary = corvid_model_describe(model)->vocabulary;
    assert_in_range(n, 1, MAX_RUNS);
    size_t n_steps = json_array_size(json_object_get(json_array_get(all, 0), "steps"));
    assert_in_range(n_steps, SINGLE_STEPS + 2, MAX_STEPS);
    struct run runs[MAX_RUNS];
    for (size_t i = 0; i < n; i++) start(&runs[i], model, json_array_get(all, i), n_steps, vocabulary);
    advance(model, runs, n, 0, 0, vocabulary);
    for (size_t at = 0; at < SINGLE_STEPS; at++) advance(model, runs, n, at, 1, vocabulary);
    advance(model, runs, n, SINGLE_STEPS, n_steps - 1 - SINGLE_STEPS, vocabulary);
    compare_all(runs, n, n_steps, vocabulary, NULL, llama);
    if (exact) compare_all(runs, n, n_steps, vocabulary, "exact", exact);
    for (size_t i = 0; i < n; i++) {
        corvid_session_destroy(runs[i].session);
        free(runs[i].logits);
        free(runs[i].prompt);
    }
    json_decref(all);
}
