/* golden.h - a model against golden/rwkv7/NAME.safetensors: logits after every token, after longer prompts, the whole
 * state, greedy text. golden/README.md says what each tensor is. */
#ifndef CORVID_TESTS_SUPPORT_GOLDEN_H
#define CORVID_TESTS_SUPPORT_GOLDEN_H

#include "support/model_case.h"

struct golden {
    const char *name;         /* "tiny-rwkv7" */
    struct model_setup model; /* without the file */
    double logit_tolerance;   /* absolute */
    double state_tolerance;   /* relative to the state's largest element */
};

/* Runs a group of tests; returns how many failed. */
int golden_run(const struct golden *golden);

#endif
