/* test_tiny_gemma_gpu.c - windows and rings of a small Gemma on the GPU, which must agree with the scalar reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/equivalence.h"
#include "support/tiny_gemma.h"

enum { TOKENS = 130, STEP = 32 };

static void test_windows(void **state)
{
    (void)state;
    corvid_device *device = open_device(&(struct model_setup){.device = NULL});
    tiny_gemma_check_windows(device);
    corvid_device_close(device);
}

/* logits after every token, fed in chunks that do not divide the ring */
static float *run(const struct model_setup *setup)
{
    static const size_t chunks[] = {1, 1, 13, 2, 31, 1, 64, 17};
    struct model_case c = model_case_open(setup);
    corvid_session *session = new_session(c.model);
    float *all = new_floats(TOKENS * TINY_VOCABULARY);
    int32_t tokens[TOKENS];
    for (int i = 0; i < TOKENS; i++) tokens[i] = i * i % TINY_VOCABULARY;
    for (size_t i = 0, at = 0; at < TOKENS; at += chunks[i++])
        feed(session, tokens + at, chunks[i], NULL, all + at * TINY_VOCABULARY);
    corvid_session_destroy(session);
    model_case_close(&c);
    return all;
}

/* the GPU against the scalar reference */
static void check_reference(corvid_cache_type cache, double allowed)
{
    struct path path = tiny_gemma_write(TINY_LAYERS);
    const struct model_setup setups[] = {
        {.device = "reference", .file = path.text, .step_tokens = STEP, .cache = cache},
        {.file = path.text, .step_tokens = STEP, .cache = cache},
        {.file = path.text, .step_tokens = STEP, .cache = cache, .no_subgroups = true},
        {.file = path.text, .step_tokens = STEP, .cache = cache, .no_f16 = true},
    };
    float *truth = run(&setups[0]);
    for (size_t i = 1; i < sizeof setups / sizeof *setups; i++) {
        float *found = run(&setups[i]);
        double difference = max_difference(truth, found, TOKENS * TINY_VOCABULARY);
        print_message("    largest difference %.2g\n", difference);
        assert_true(difference <= allowed);
        free(found);
    }
    free(truth);
}

static void test_reference(void **state)
{
    (void)state;
    check_reference(CORVID_CACHE_F32, 2e-4);
}

/* A key or value that lies halfway between two that the type holds may go to either. */
static void test_reference_f16(void **state)
{
    (void)state;
    check_reference(CORVID_CACHE_F16, 2e-3);
}

static void test_reference_q8(void **state)
{
    (void)state;
    check_reference(CORVID_CACHE_Q8_0, 2e-2);
}

/* What a type takes: the memory, and how far its logits are from those of floats. */
static void test_cache_types(void **state)
{
    static const struct {
        corvid_cache_type type;
        double memory;      /* of what floats take; rows of 64 values are padded */
        double least, most; /* difference; seen: 0.0046, 0.19 */
    } types[] = {{CORVID_CACHE_F16, 0.51, 1e-5, 0.01}, {CORVID_CACHE_Q8_0, 0.33, 1e-3, 0.4}};
    (void)state;
    struct path path = tiny_gemma_write(TINY_LAYERS);
    struct model_setup setup = {.file = path.text, .step_tokens = STEP};
    float *truth = run(&setup);
    struct model_case c = model_case_open(&setup);
    const uint64_t floats = corvid_model_describe(c.model)->state_bytes;
    model_case_close(&c);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        setup.cache = types[i].type;
        float *found = run(&setup);
        double difference = max_difference(truth, found, TOKENS * TINY_VOCABULARY);
        c = model_case_open(&setup);
        double memory = (double)corvid_model_describe(c.model)->state_bytes / (double)floats;
        print_message("    %.3f of the memory, largest difference %.2g\n", memory, difference);
        assert_true(memory <= types[i].memory);
        assert_true(difference >= types[i].least && difference <= types[i].most);
        model_case_close(&c);
        free(found);
    }
    free(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows), cmocka_unit_test(test_reference),
                                       cmocka_unit_test(test_reference_f16), cmocka_unit_test(test_reference_q8),
                                       cmocka_unit_test(test_cache_types)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    struct path path = tiny_gemma_write(TINY_LAYERS);
    /* seen on lavapipe: logits 6.6e-6, state 1.5e-6 */
    const struct equivalence all[] = {
        {{.label = "tiny gemma", .file = path.text, .context = TINY_CONTEXT, .step_tokens = 64}, 310, 2e-4, 1e-4},
        {{.label = "tiny gemma, f16 cache",
          .file = path.text,
          .context = TINY_CONTEXT,
          .step_tokens = 64,
          .cache = CORVID_CACHE_F16},
         310,
         2e-3,
         2e-3},
        {{.label = "tiny gemma, q8_0 cache",
          .file = path.text,
          .context = TINY_CONTEXT,
          .step_tokens = 64,
          .cache = CORVID_CACHE_Q8_0},
         310,
         2e-2,
         2e-2},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += equivalence_run(&all[i]);
    return failed;
}
