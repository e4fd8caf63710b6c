/* divergence.c - see divergence.h */
#include "support/divergence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct text_run text_run(corvid_model *model, const char *text, bool single)
{
    corvid_error err;
    int32_t *tokens;
    struct text_run r = {.vocabulary = corvid_model_describe(model)->vocabulary};
    if (!corvid_tokenize(model, text, strlen(text), CORVID_TOKENIZE_BOS, &tokens, &r.n_tokens, &err))
        fail_msg("%s", err.message);
    r.logits = new_floats(r.n_tokens * r.vocabulary);
    corvid_session *session = new_session(model);
    if (!single) feed(session, tokens, r.n_tokens, NULL, r.logits);
    for (size_t i = 0; single && i < r.n_tokens; i++) feed(session, tokens + i, 1, r.logits + i * r.vocabulary, NULL);
    corvid_session_destroy(session);
    free(tokens);
    return r;
}

/* log of the sum of exponentials */
static double log_sum(const float *logits, size_t n)
{
    double top = logits[best_of(logits, n)], sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp(logits[i] - top);
    return top + log(sum);
}

double divergence(const struct text_run *p, const struct text_run *q)
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

void divergence_check(const char *what, const struct text_run *p, const struct text_run *q, double most)
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
