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

enum { MAX_RUNS = 8, MAX_STEPS = 256 };

struct run {
    json_t *golden;
    corvid_session *session;
    float *logits;
    int32_t *prompt;
    size_t n_prompt;
};

struct sums {
    double logit, logsumexp; /* largest differences */
    double logit_squares;
    size_t steps, near_ties, other_tokens, logits;
};

static json_t *top_of(const struct run *r, size_t step)
{
    return json_object_get(json_array_get(json_object_get(r->golden, "steps"), step), "top");
}

static int32_t top_token(json_t *top, size_t i) { return (int32_t)json_integer_value(json_array_get(json_array_get(top, i), 0)); }
static double top_logit(json_t *top, size_t i) { return json_number_value(json_array_get(json_array_get(top, i), 1)); }

static void start(struct run *r, corvid_model *model, json_t *golden, size_t vocabulary)
{
    corvid_error err;
    json_t *prompt = json_object_get(golden, "prompt"), *tokens = json_object_get(golden, "prompt_tokens");
    *r = (struct run){.golden = golden, .session = new_session(model), .logits = new_floats(vocabulary)};
    if (!corvid_tokenize(model, json_string_value(prompt), json_string_length(prompt),
                         CORVID_TOKENIZE_BOS | CORVID_TOKENIZE_SPECIAL, &r->prompt, &r->n_prompt, &err))
        fail_msg("%s", err.message);
    assert_true(r->n_prompt > 0);
    assert_int_equal(r->n_prompt, json_array_size(tokens));
    for (size_t i = 0; i < r->n_prompt; i++)
        assert_int_equal(r->prompt[i], json_integer_value(json_array_get(tokens, i)));
}

static double logsumexp(const float *logits, size_t n)
{
    double top = logits[best_of(logits, n)], sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp(logits[i] - top);
    return top + log(sum);
}

static void compare(const struct run *r, size_t step, size_t vocabulary, struct llama_tolerance tolerance, struct sums *s)
{
    json_t *top = top_of(r, step), *item = json_array_get(json_object_get(r->golden, "steps"), step);
    assert_true(json_array_size(top) >= 2);
    for (size_t i = 0; i < json_array_size(top); i++) {
        int32_t token = top_token(top, i);
        assert_in_range(token, 0, vocabulary - 1);
        double difference = fabs(r->logits[token] - top_logit(top, i));
        if (!(difference <= s->logit)) s->logit = difference;
        s->logit_squares += difference * difference;
        s->logits++;
    }
    double expected = json_number_value(json_object_get(item, "logsumexp"));
    double difference = fabs(logsumexp(r->logits, vocabulary) - expected);
    if (!(difference <= s->logsumexp)) s->logsumexp = difference;
    bool same = best_of(r->logits, vocabulary) == top_token(top, 0);
    bool near_tie = top_logit(top, 0) - top_logit(top, 1) < tolerance.margin;
    if (!same && !near_tie)
        fail_msg("%s: step %zu: token %d, expected %d, which leads by %g",
                 json_string_value(json_object_get(r->golden, "prompt")), step, best_of(r->logits, vocabulary),
                 top_token(top, 0), top_logit(top, 0) - top_logit(top, 1));
    s->steps++;
    s->near_ties += near_tie;
    s->other_tokens += !same;
}

/* one step of all runs: the prompts, then the golden tokens one by one */
static void advance(corvid_model *model, struct run *runs, size_t n, size_t step)
{
    corvid_input inputs[MAX_RUNS];
    int32_t tokens[MAX_RUNS];
    for (size_t i = 0; i < n; i++) {
        struct run *r = &runs[i];
        if (step) tokens[i] = top_token(top_of(r, step - 1), 0);
        inputs[i] = (corvid_input){r->session, step ? &tokens[i] : r->prompt, step ? 1 : r->n_prompt, r->logits, NULL};
    }
    corvid_error err;
    if (!corvid_step(model, inputs, n, &err)) fail_msg("%s", err.message);
}

void llama_golden_check(corvid_model *model, const char *golden, struct llama_tolerance tolerance)
{
    json_error_t why;
    json_t *all = json_load_file(in_source(golden).text, 0, &why);
    if (!json_is_array(all)) fail_msg("%s: %s", golden, why.text);
    size_t n = json_array_size(all), vocabulary = corvid_model_describe(model)->vocabulary;
    assert_in_range(n, 1, MAX_RUNS);
    size_t n_steps = json_array_size(json_object_get(json_array_get(all, 0), "steps"));
    assert_in_range(n_steps, 1, MAX_STEPS);
    struct run runs[MAX_RUNS];
    struct sums s = {0};
    for (size_t i = 0; i < n; i++) {
        start(&runs[i], model, json_array_get(all, i), vocabulary);
        assert_int_equal(json_array_size(json_object_get(runs[i].golden, "steps")), n_steps);
    }
    for (size_t step = 0; step < n_steps; step++) {
        advance(model, runs, n, step);
        for (size_t i = 0; i < n; i++) compare(&runs[i], step, vocabulary, tolerance, &s);
    }
    print_message("    %zu steps, %zu near ties, %zu other tokens; largest difference: logits %.3g (rms %.3g), "
                  "logsumexp %.3g\n", s.steps, s.near_ties, s.other_tokens, s.logit,
                  sqrt(s.logit_squares / (double)s.logits), s.logsumexp);
    if (!(s.logit <= tolerance.logit)) fail_msg("logits differ by %g, allowed %g", s.logit, tolerance.logit);
    if (!(s.logsumexp <= tolerance.logsumexp))
        fail_msg("logsumexp differs by %g, allowed %g", s.logsumexp, tolerance.logsumexp);
    for (size_t i = 0; i < n; i++) {
        corvid_session_destroy(runs[i].session);
        free(runs[i].logits);
        free(runs[i].prompt);
    }
    json_decref(all);
}
