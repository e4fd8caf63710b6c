/* test_doctor.c - what corvid_doctor says about wrong results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "engine/engine.h"

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

/* wrong[v] < 0: the variant was not examined */
static void expect(const int *wrong, const char *text)
{
    bool ran[DOCTOR_VARIANTS];
    uint32_t counts[DOCTOR_VARIANTS];
    char advice[200];
    for (int v = 0; v < DOCTOR_VARIANTS; v++) {
        ran[v] = wrong[v] >= 0;
        counts[v] = ran[v] ? (uint32_t)wrong[v] : 0;
    }
    doctor_advise(ran, counts, advice, sizeof advice);
    if (!*text) assert_string_equal(advice, "");
    assert_memory_equal(advice, text, strlen(text));
}

static void advice_names_what_to_avoid(void **unused)
{
    (void)unused;
    expect((int[]){0, 0, 0, 0, -1}, "");
    expect((int[]){0, -1, -1, -1, -1}, "");
    expect((int[]){2, -1, 0, 2, -1}, "run with --no-subgroups,");
    expect((int[]){1, -1, 1, 0, -1}, "run with --no-f16,");
    expect((int[]){1, 0, 0, 0, -1}, "run with --no-matrix,");
    expect((int[]){1, 1, 0, 0, -1}, "run with --no-subgroups,");
    expect((int[]){3, 1, 1, 2, 0}, "run with --no-subgroups --no-f16,");
    expect((int[]){3, 1, 1, 2, 1}, "no variant gives right results");
    expect((int[]){1, -1, -1, -1, -1}, "no variant gives right results");
    expect((int[]){0, -1, 1, 0, -1}, "do not run with --no-subgroups:");
    expect((int[]){0, 1, 1, 2, -1}, "do not run with --no-matrix or --no-subgroups or --no-f16:");
}

static void reference_cannot_be_examined(void **unused)
{
    (void)unused;
    corvid_doctor_result result;
    corvid_error err = {.code = CORVID_OK};
    corvid_device_options options = {.device = "reference"};
    assert_false(corvid_doctor(&options, NULL, NULL, &result, &err));
    assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advice_names_what_to_avoid),
        cmocka_unit_test(reference_cannot_be_examined),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
