/* equivalence.h - what must not matter: how a sequence is cut into steps, which sequences share a step, saving and
 * restoring in the middle, what a session held before. Compares logits and whole states. */
#ifndef CORVID_TESTS_SUPPORT_EQUIVALENCE_H
#define CORVID_TESTS_SUPPORT_EQUIVALENCE_H

#include "support/model_case.h"

enum { EQUIVALENCE_SESSIONS = 6 };

struct equivalence {
    struct model_setup model; /* its number of sessions is filled in */
    size_t n_tokens;          /* of the longest sequence, at least 50 */
    /* Kernels for few and for many tokens sum in different orders, so that results differ in the last digits. */
    double logit_tolerance; /* absolute */
    double state_tolerance; /* relative to the state's largest element */
};

/* Runs a group of tests; returns how many failed. */
int equivalence_run(const struct equivalence *equivalence);

#endif
