/* generations.h - what a generation must be: the same tokens as step by step, and sessions that hold just what the
 * caller took, wherever and whenever it ends. */
#ifndef CORVID_TESTS_SUPPORT_GENERATIONS_H
#define CORVID_TESTS_SUPPORT_GENERATIONS_H

#include "support/model_case.h"

struct generations {
    struct model_setup model; /* its number of sessions is filled in */
    /* where a step had other rows beside: of a recurrent state, relative to its largest element, else of logits */
    double tolerance;
    uint64_t max_binding_bytes; /* pretend that the device allows no more; 0: what it does allow */
};

/* Runs a group of tests; returns how many failed. */
int generations_run(const struct generations *g);

#endif
