/* test_tuning_gpu.c - corvid_tune from a model file to a file that later starts use; a model computes the same with it. */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "support/model_case.h"
#include "support/temporary.h"
#include "support/tiny_gemma.h"

/* last: its macro fail() hides error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static corvid_device *device_with(const char *cache, bool no_tuning)
{
    corvid_error err = {.code = CORVID_OK};
    corvid_device_options options = {.device = getenv("CORVID_DEVICE"), .cache = cache, .no_tuning = no_tuning};
    corvid_device *device = corvid_device_open(&options, &err);
    if (!device) fail_msg("%s", err.message);
    return device;
}

/* The file of the tuning in the folder; "" if there is none. */
static struct path tuning_file(const char *folder)
{
    struct path found = {""};
    DIR *dir = opendir(folder);
    if (!dir) return found;
    for (struct dirent *e; (e = readdir(dir));) {
        if (strncmp(e->d_name, "tuning-", 7) != 0) continue;
        assert_string_equal(found.text, "");
        snprintf(found.text, sizeof found.text, "%.500s/%.400s", folder, e->d_name);
    }
    closedir(dir);
    return found;
}

struct seen {
    uint32_t rows, changed;
    uint32_t stop_at, steps;
};

static bool on_progress(void *user, const char *key, uint32_t done, uint32_t total, double left_s)
{
    struct seen *s = user;
    (void)left_s;
    assert_true(*key && done <= total);
    return ++s->steps != s->stop_at;
}

static bool on_row(void *user, const corvid_tuned *r)
{
    struct seen *s = user;
    s->rows++;
    s->changed += strcmp(r->usual, r->best) != 0;
    assert_int_equal(r->wrong, 0); /* a wrong kernel is a mistake */
    assert_int_equal(r->refused, 0);
    return true;
}

static void tuning_ends_with_a_file(void **unused)
{
    (void)unused;
    struct path folder = temporary("tuned"), model = tiny_gemma_write(1);
    struct seen seen = {0};
    corvid_tune_options options = {.progress = on_progress, .report = on_row, .user = &seen};
    corvid_tune_result result;
    corvid_error err = {.code = CORVID_OK};
    corvid_device *device = device_with(folder.text, false);
    assert_non_null(strstr(corvid_device_tuning(device), "nothing is kept yet"));
    seen.stop_at = 3;
    assert_false(corvid_tune(device, model.text, &options, &result, &err));
    assert_string_equal(tuning_file(folder.text).text, "");
    assert_int_equal(device->tuning.n, 0);
    seen = (struct seen){0};
    if (!corvid_tune(device, model.text, &options, &result, &err)) fail_msg("%s", err.message);
    assert_int_equal(result.choices, seen.rows);
    assert_int_equal(result.changed, seen.changed);
    assert_int_equal(device->tuning.n, seen.changed);
    assert_true(seen.rows >= 10 && result.seconds > 0);
    struct path file = tuning_file(folder.text);
    assert_string_not_equal(file.text, "");
    assert_non_null(strstr(corvid_device_tuning(device), "were written"));
    corvid_device_close(device);

    device = device_with(folder.text, false);
    assert_int_equal(device->tuning.n, seen.changed);
    assert_string_equal(corvid_device_warning(device), "");
    corvid_device_close(device);

    FILE *damaged = fopen(file.text, "r+b");
    assert_non_null(damaged);
    assert_int_equal(fseek(damaged, -1, SEEK_END), 0);
    fputc('x', damaged);
    fclose(damaged);
    device = device_with(folder.text, false);
    assert_int_equal(device->tuning.n, 0);
    assert_non_null(strstr(corvid_device_warning(device), file.text));
    corvid_device_close(device);
}

/* Puts text into the file that the device reads, under its key. */
static void keep_text(const char *folder, const char *text)
{
    static const char version[] = "corvid " CORVID_VERSION ", ";
    corvid_device *device = device_with(folder, false);
    struct kept_file file;
    size_t bytes;
    kept_file_init(&file, "tuning", "the tuning", folder);
    free(kept_file_load(&file, device->tunings.key + sizeof version - 1, &bytes));
    assert_string_equal(file.path, device->tunings.path);
    kept_file_save(&file, text, strlen(text));
    corvid_device_close(device);
}

static void other_content_is_ignored(void **unused)
{
    (void)unused;
    struct path folder = temporary("content");
    keep_text(folder.text, "a right hash, but no tuning");
    corvid_device *device = device_with(folder.text, false);
    assert_int_equal(device->tuning.n, 0);
    assert_non_null(strstr(corvid_device_warning(device), "holds something else"));
    corvid_device_close(device);
    keep_text(folder.text, "corvid tuning\n1 2 3 some key\n4 5 6 other\n");
    device = device_with(folder.text, false);
    assert_int_equal(device->tuning.n, 2);
    assert_non_null(strstr(corvid_device_tuning(device), "2 shapes"));
    assert_ptr_equal(device->chooser.choose, tuning_choose);
    corvid_device_close(device);
    device = device_with(folder.text, true);
    assert_non_null(strstr(corvid_device_tuning(device), "not used"));
    assert_null(device->chooser.choose);
    corvid_device_close(device);
}

static void it_needs_a_device_and_a_folder(void **unused)
{
    (void)unused;
    struct path model = tiny_gemma_write(1);
    corvid_tune_result result;
    corvid_error err = {.code = CORVID_OK};
    corvid_device *device = device_with("off", false);
    assert_string_equal(corvid_device_tuning(device), "");
    assert_false(corvid_tune(device, model.text, NULL, &result, &err));
    assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
    corvid_device_close(device);
    device = corvid_device_open(&(corvid_device_options){.device = "reference"}, &err);
    assert_string_equal(corvid_device_tuning(device), "");
    assert_false(corvid_tune(device, model.text, NULL, &result, &err));
    assert_int_equal(err.code, CORVID_ERROR_ARGUMENT);
    corvid_device_close(device);
    struct path folder = temporary("missing");
    device = device_with(folder.text, false);
    assert_false(corvid_tune(device, "/no/such/file", NULL, &result, &err));
    assert_int_equal(err.code, CORVID_ERROR_IO);
    corvid_device_close(device);
}

static uint32_t choose_index(void *user, const struct choice *c) { return *(const uint32_t *)user % c->n; }

/* logits after a prompt of 70 tokens, 12 and 1 */
static void feed_all(corvid_model *model, float *logits, size_t vocabulary)
{
    static const size_t counts[] = {70, 12, 1};
    int32_t tokens[70];
    corvid_session *session = new_session(model);
    for (int i = 0; i < 70; i++) tokens[i] = 5 + i * 37 % 50;
    for (int i = 0; i < 3; i++) feed(session, tokens, counts[i], logits + i * vocabulary, NULL);
    corvid_session_destroy(session);
}

/* Whatever is chosen: as if every candidate of each place in the lists had been kept. Matrix units have no candidates, and
 * round x to f16: the least of differences before them makes some values round to another neighbour. */
static void expect_equal_results(const char *path, const uint32_t *indices, size_t n)
{
    corvid_device *device = device_with("off", false);
    ((struct gpu_info *)gpu_describe(device->gpu))->matrix_units = false;
    corvid_model *model = open_model(device, path, 1, 0, 0);
    const size_t vocabulary = corvid_model_describe(model)->vocabulary;
    float *want = new_floats(3 * vocabulary), *got = new_floats(3 * vocabulary);
    feed_all(model, want, vocabulary);
    corvid_model_close(model);
    for (size_t i = 0; i < n; i++) {
        uint32_t index = indices[i];
        device->chooser = (struct chooser){choose_index, &index};
        model = open_model(device, path, 1, 0, 0);
        feed_all(model, got, vocabulary);
        for (int k = 0; k < 3; k++)
            assert_int_equal(best_of(want + k * vocabulary, vocabulary), best_of(got + k * vocabulary, vocabulary));
        double difference = max_difference(want, got, 3 * vocabulary);
        if (!(difference < 2e-3)) fail_msg("candidate %u: %g", index, difference);
        corvid_model_close(model);
    }
    free(want);
    free(got);
    corvid_device_close(device);
}

static void results_do_not_depend_on_it(void **unused)
{
    (void)unused;
    expect_equal_results(in_source(built_in_model).text, (const uint32_t[]){1, 10}, 2);
    expect_equal_results(tiny_gemma_write(1).text, (const uint32_t[]){1, 2, 5, 7}, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tuning_ends_with_a_file),
        cmocka_unit_test(other_content_is_ignored),
        cmocka_unit_test(it_needs_a_device_and_a_folder),
        cmocka_unit_test(results_do_not_depend_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
