/* test_kept_kernels_gpu.c - kernels that were compiled are kept for the next start where the runtime hands them out. */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/model_case.h"
#include "support/temporary.h"

#include <cmocka.h>

static corvid_device *device_with(const char *runtime, const char *cache)
{
    corvid_error err = {0};
    corvid_device_options options = {.runtime = runtime, .device = getenv("CORVID_DEVICE"), .cache = cache};
    corvid_device *device = corvid_device_open(&options, &err);
    if (!device && runtime) {
        print_message("%s\n", err.message);
        skip(); /* it is an option at build time */
    }
    if (!device) fail_msg("%s", err.message);
    return device;
}

/* The one file in the folder; "" if there is none. */
static struct path only_file(const char *folder)
{
    struct path found = {""};
    DIR *dir = opendir(folder);
    if (!dir) return found;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        assert_string_equal(found.text, "");
        snprintf(found.text, sizeof found.text, "%.500s/%s", folder, e->d_name);
    }
    closedir(dir);
    return found;
}

/* Opens the built-in model and says what it answers to a token, so that kept kernels are seen to compute. */
static void start(const char *runtime, const char *cache, const char *state_before, bool warned, float *logits)
{
    corvid_device *device = device_with(runtime, cache);
    assert_int_equal(*corvid_device_warning(device) != 0, warned);
    if (!strstr(corvid_device_cache(device), state_before))
        fail_msg("'%s', expected '%s'", corvid_device_cache(device), state_before);
    corvid_model *model = open_model(device, in_source(built_in_model).text, 1, 0, 0);
    corvid_session *session = new_session(model);
    feed(session, (int32_t[]){123, 456}, 2, logits, NULL);
    corvid_session_destroy(session);
    corvid_model_close(model);
    corvid_device_close(device);
}

static void kernels_are_kept(void **unused)
{
    (void)unused;
    struct path folder = temporary("kept");
    enum { VOCABULARY = 1 << 16 };
    float *first = new_floats(VOCABULARY), *later = new_floats(VOCABULARY);
    corvid_device *device = device_with("wgpu30", "off");
    bool has = corvid_device_describe(device)->pipeline_cache;
    assert_string_equal(corvid_device_cache(device), "");
    corvid_device_close(device);
    if (!has) skip();

    start("wgpu30", folder.text, "nothing is kept yet", false, first);
    struct path file = only_file(folder.text);
    if (!*file.text) skip(); /* this driver has nothing to keep */
    start("wgpu30", folder.text, "were read", false, later);
    assert_memory_equal(first, later, 1000 * sizeof *first);

    FILE *damaged = fopen(file.text, "r+b");
    assert_non_null(damaged);
    assert_int_equal(fseek(damaged, -1, SEEK_END), 0);
    int last = fgetc(damaged);
    assert_int_equal(fseek(damaged, -1, SEEK_END), 0);
    fputc(last ^ 1, damaged);
    fclose(damaged);
    start("wgpu30", folder.text, "nothing is kept yet", true, later);
    assert_memory_equal(first, later, 1000 * sizeof *first);
    start("wgpu30", folder.text, "were read", false, later); /* it was written anew */
    free(first);
    free(later);
}

static void nothing_is_kept_unless_asked(void **unused)
{
    (void)unused;
    struct path folder = temporary("unasked");
    float *logits = new_floats(1 << 16);
    setenv("CORVID_CACHE", folder.text, 1);
    start("wgpu30", "off", "", false, logits);
    assert_string_equal(only_file(folder.text).text, "");
    setenv("CORVID_CACHE", "off", 1);
    start("wgpu30", NULL, "", false, logits);
    free(logits);
}

static void drivers_keep_for_wgpu_native(void **unused)
{
    (void)unused;
    struct path folder = temporary("native");
    float *logits = new_floats(1 << 16);
    start("wgpu-native", folder.text, "", false, logits);
    assert_string_equal(only_file(folder.text).text, "");
    free(logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_kept),
        cmocka_unit_test(nothing_is_kept_unless_asked),
        cmocka_unit_test(drivers_keep_for_wgpu_native),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
