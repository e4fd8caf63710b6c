/* test_gemma3_gpu.c - Gemma 3 270M, the file of scripts/get-gemma3, whose path is in CORVID_GEMMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/divergence.h"
#include "support/llama_golden.h"
#include "support/model_case.h"

static const char golden[] = "tests/golden/gemma3-270m-q4_k_m.json";

/* llama.cpp rounds activations to 8 bits, in blocks of 32 (Q5_0, Q8_0) or 256 (Q4_K, Q6_K). Gemma is sensitive: that
 * rounding put into the program that made the exact results moves its logits by 0.27 (rms) and 1.6 (at most) from the
 * exact ones. Seen here: 0.85, 0.21, 0.56, and a token that leads by 0.27 in llama.cpp and is second in both exact
 * computations. */
static const struct llama_tolerance llama = {1.3, 0.3, 0.9, 0.3};
/* seen: 0.0072, 0.0018, 0.0056: weights rounded to f16 in prefill */
static const struct llama_tolerance exact = {0.02, 0.005, 0.015, 0.02};

static const char *gemma_path(void)
{
    const char *path = getenv("CORVID_GEMMA");
    if (path && *path) return path;
    print_message("skipped: set CORVID_GEMMA to the model's path, or type `make test-gemma`\n");
    skip();
    return NULL;
}

static void test_llama(void **state)
{
    (void)state;
    const char *path = gemma_path();
    const struct model_setup setup = {.label = "gemma3"};
    struct model_case c = {.device = open_device(&setup)};
    c.model = open_model(c.device, path, 4, 512, 0);
    llama_golden_check(c.model, golden, &llama, &exact);
    model_case_close(&c);
}

/* Past the window of 512: the GPU against the scalar reference. */
static void test_long_prompt(void **state)
{
    enum { PROMPT = 530, MORE = 3 };
    (void)state;
    const char *path = gemma_path();
    static const struct model_setup setups[] = {{.device = "reference"}, {.no_f16 = true}};
    int32_t tokens[PROMPT + MORE];
    float *logits[2];
    size_t vocabulary = 0;
    for (uint32_t i = 0; i < PROMPT + MORE; i++) tokens[i] = (int32_t)(2 + i * 7919u % 200000);
    for (int k = 0; k < 2; k++) {
        struct model_case c = {.device = open_device(&setups[k])};
        c.model = open_model(c.device, path, 1, 600, 64);
        corvid_session *session = new_session(c.model);
        vocabulary = corvid_model_describe(c.model)->vocabulary;
        logits[k] = new_floats((MORE + 1) * vocabulary);
        feed(session, tokens, PROMPT, logits[k], NULL);
        for (int i = 0; i < MORE; i++) feed(session, tokens + PROMPT + i, 1, logits[k] + (i + 1) * vocabulary, NULL);
        corvid_session_destroy(session);
        model_case_close(&c);
    }
    double difference = max_difference(logits[0], logits[1], (MORE + 1) * vocabulary);
    print_message("    largest difference %.2g\n", difference);
    assert_true(difference <= 2e-3);
    free(logits[0]);
    free(logits[1]);
}

static const char text[] = "The capital of France is Paris. It lies on the river Seine and has about two million "
                           "people. In 1889 the Eiffel Tower was built there for a world's fair.";

/* What int8 activations cost: llama.cpp rounds in the same way, see above. */
static void test_int8(void **state)
{
    (void)state;
    const char *path = gemma_path();
    corvid_device *device = open_device(&(struct model_setup){.device = NULL});
    corvid_model *models[] = {open_model(device, path, 1, 512, 0), open_model_int8(device, path, 1)};
    struct text_run runs[2];
    for (int i = 0; i < 2; i++) {
        runs[i] = text_run(models[i], text, false);
        corvid_model_close(models[i]);
    }
    corvid_device_close(device);
    divergence_check("exact against int8", &runs[0], &runs[1], 0.005); /* seen: 0.0016 */
    for (int i = 0; i < 2; i++) free(runs[i].logits);
}

/* What a smaller cache costs, activations exact. */
static void test_cache(void **state)
{
    static const struct {
        const char *label;
        double allowed;
    } types[] = {{"f32", 0}, {"f32 against f16 cache", 2e-6}, {"f32 against q8_0 cache", 2e-3}};
    (void)state;
    const char *path = gemma_path();
    corvid_device *device = open_device(&(struct model_setup){.device = NULL});
    struct text_run runs[3];
    for (int i = 0; i < 3; i++) {
        corvid_model *model = open_model_cache(device, path, (corvid_cache_type)i, 1, 512, 0);
        runs[i] = text_run(model, text, false);
        corvid_model_close(model);
    }
    corvid_device_close(device);
    for (int i = 1; i < 3; i++) divergence_check(types[i].label, &runs[0], &runs[i], types[i].allowed);
    for (int i = 0; i < 3; i++) free(runs[i].logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_llama), cmocka_unit_test(test_long_prompt),
                                       cmocka_unit_test(test_int8), cmocka_unit_test(test_cache)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
