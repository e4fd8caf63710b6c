/* test_rwkv7_tiny_gpu.c - the model that the built-in one was quantised from, and the built-in one, against llama.cpp's
 * run of the former. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/llama_golden.h"
#include "support/model_case.h"

static const char golden[] = "tests/golden/rwkv7-tiny-f16.json";

static void check(const char *path, struct llama_tolerance tolerance)
{
    const struct model_setup setup = {.label = "rwkv7-tiny"};
    struct model_case c = {.device = open_device(&setup)};
    c.model = open_model(c.device, path, 4, 0, 0);
    llama_golden_check(c.model, golden, &tolerance, NULL);
    model_case_close(&c);
}

static void test_f16(void **state)
{
    (void)state;
    struct path path = in_shared("models/rwkv7-tiny-f16.gguf");
    if (!is_there(path.text)) {
        print_message("skipped: %s is not there\n", path.text);
        skip();
    }
    /* seen: 0.015, 0.0021, 0.0092; llama.cpp rounds activations to f16 */
    check(path.text, (struct llama_tolerance){0.04, 0.006, 0.025, 0.1});
}

static void test_built_in(void **state)
{
    (void)state;
    /* seen: 0.36, 0.054, 0.21; what Q8_0 costs */
    check(in_source(built_in_model).text, (struct llama_tolerance){0.7, 0.1, 0.4, 0.5});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f16), cmocka_unit_test(test_built_in)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
