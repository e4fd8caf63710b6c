/* divergence.h - how far two ways to run a model are apart over a text. */
#ifndef CORVID_TESTS_SUPPORT_DIVERGENCE_H
#define CORVID_TESTS_SUPPORT_DIVERGENCE_H

#include "support/model_case.h"

/* the logits after every token of a text */
struct text_run {
    size_t n_tokens, vocabulary;
    float *logits; /* [n_tokens, vocabulary], malloc'ed */
};

/* single: each token in a step of its own. Fails the running test if anything fails. */
struct text_run text_run(corvid_model *model, const char *text, bool single);

/* KL divergence of q from p, mean over the tokens, in nats */
double divergence(const struct text_run *p, const struct text_run *q);

/* Prints it and how often another token is the first; fails the running test if it is more than `most`. */
void divergence_check(const char *what, const struct text_run *p, const struct text_run *q, double most);

#endif
