/* test_tiny_gemma.c - windows and rings of a small Gemma on the scalar reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/equivalence.h"
#include "support/tiny_gemma.h"

static void test_windows(void **state)
{
    (void)state;
    corvid_device *device = open_device(&(struct model_setup){.device = "reference"});
    tiny_gemma_check_windows(device);
    corvid_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    struct path path = tiny_gemma_write(TINY_LAYERS);
    const struct equivalence e = {
        {.label = "tiny gemma", .device = "reference", .file = path.text, .context = TINY_CONTEXT, .step_tokens = 64},
        310,
        0,
        0};
    return failed + equivalence_run(&e);
}
