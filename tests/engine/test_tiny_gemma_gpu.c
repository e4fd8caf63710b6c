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

static void test_reference(void **state)
{
    (void)state;
    struct path path = tiny_gemma_write(TINY_LAYERS);
    const struct model_setup setups[] = {
        {.device = "reference", .file = path.text, .step_tokens = STEP},
        {.file = path.text, .step_tokens = STEP},
        {.file = path.text, .step_tokens = STEP, .no_subgroups = true},
        {.file = path.text, .step_tokens = STEP, .no_f16 = true},
    };
    float *truth = run(&setups[0]);
    for (size_t i = 1; i < sizeof setups / sizeof *setups; i++) {
        float *found = run(&setups[i]);
        double difference = max_difference(truth, found, TOKENS * TINY_VOCABULARY);
        print_message("    largest difference %.2g\n", difference);
        assert_true(difference <= 2e-4);
        free(found);
    }
    free(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows), cmocka_unit_test(test_reference)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    struct path path = tiny_gemma_write(TINY_LAYERS);
    /* seen on lavapipe: logits 6.6e-6, state 1.5e-6 */
    const struct equivalence e = {
        {.label = "tiny gemma", .file = path.text, .context = TINY_CONTEXT, .step_tokens = 64}, 310, 2e-4, 1e-4};
    return failed + equivalence_run(&e);
}
