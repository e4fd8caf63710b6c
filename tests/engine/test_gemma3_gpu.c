/* test_gemma3_gpu.c - Gemma 3 270M, the file of scripts/get-gemma3, whose path is in CORVID_GEMMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/llama_golden.h"
#include "support/model_case.h"

static const char golden[] = "tests/golden/gemma3-270m-q4_k_m.json";

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
    llama_golden_check(c.model, golden, (struct llama_tolerance){9, 9, 9});
    model_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_llama)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
