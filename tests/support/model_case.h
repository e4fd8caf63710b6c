/* model_case.h - what tests of whole models share: where files lie, opening a device and a model, feeding tokens,
 * comparing logits and states. Functions that can fail fail the running test. */
#ifndef CORVID_TESTS_SUPPORT_MODEL_CASE_H
#define CORVID_TESTS_SUPPORT_MODEL_CASE_H

#include "corvid.h"

struct path {
    char text[1024];
};

struct path in_source(const char *name); /* below CORVID_SOURCE_DIR, unless it is absolute */
struct path in_shared(const char *name); /* below CORVID_SHARED, else ../shared of the source */
bool is_there(const char *path);

struct model_setup {
    const char *label;  /* in the names of tests */
    const char *device; /* NULL: the best GPU */
    bool no_f16, no_subgroups;
    const char *file; /* as for in_source */
    uint32_t sessions, context, step_tokens;
    corvid_cache_type cache;
};

struct model_case {
    corvid_device *device;
    corvid_model *model;
};

/* The built-in model, below the source. */
extern const char built_in_model[];

/* Models are opened exact: what they compute is compared closely. test_int8_gpu.c is about the other way. */
corvid_device *open_device(const struct model_setup *setup);
corvid_model *open_model(corvid_device *device, const char *path, uint32_t sessions, uint32_t context,
                         uint32_t step_tokens);
corvid_model *open_model_cache(corvid_device *device, const char *path, corvid_cache_type cache, uint32_t sessions,
                               uint32_t context, uint32_t step_tokens);
/* with int8 activations, as users open it */
corvid_model *open_model_int8(corvid_device *device, const char *path, uint32_t sessions);
struct model_case model_case_open(const struct model_setup *setup);
void model_case_close(struct model_case *c);

corvid_session *new_session(corvid_model *model);
void reset(corvid_session *session);
/* logits and all_logits as in corvid_input */
void feed(corvid_session *session, const int32_t *tokens, size_t count, float *logits, float *all_logits);

float *new_floats(size_t n);
/* Infinity if one is no number. */
double max_difference(const float *a, const float *b, size_t n);
int32_t best_of(const float *logits, size_t n);

/* Of all states that two sessions (perhaps of two openings of one model) both hold, the largest difference relative to
 * the largest element of the state. */
double state_difference(const corvid_session *a, const corvid_session *b);

#endif
