/* llama_golden.h - a model against greedy runs of llama.cpp (golden/README.md): tokens, then at every step the top
 * logits and the log of the sum of exponentials.
 *
 * The golden tokens are fed whatever comes out, all prompts side by side, so that every step is compared, also behind a
 * near tie. */
#ifndef CORVID_TESTS_SUPPORT_LLAMA_GOLDEN_H
#define CORVID_TESTS_SUPPORT_LLAMA_GOLDEN_H

#include "corvid.h"

struct llama_tolerance {
    double logit, rms, logsumexp; /* differences: of a logit, of all of them, of the log of the sum */
    double margin;                /* where the two best are further apart than this, the best token must be the same */
};

/* The model needs a session for each of the file's prompts. `golden` lies below the source. `exact` may be NULL: else
 * the steps have a part "exact" too, results of another program with exact activations for the same tokens. */
void llama_golden_check(corvid_model *model, const char *golden, const struct llama_tolerance *llama,
                        const struct llama_tolerance *exact);

#endif
