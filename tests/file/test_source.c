/* test_source.c - mapped files: what cannot be opened, and pages that are forgotten */
#define _DEFAULT_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "file/source.h"

/* after ours: it makes fail() a macro */
#include <cmocka.h>

static char folder[] = "/tmp/test_source.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void test_source_fails(void **state)
{
    (void)state;
    struct source s;
    struct error err = {0};
    assert_false(source_open(&s, path_of("missing"), &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(source_open(&s, folder, &err));
    assert_non_null(strstr(err.message, "is a folder"));
    fclose(file_create(path_of("empty"), NULL));
    assert_false(source_open(&s, path_of("empty"), &err));
    assert_non_null(strstr(err.message, "is empty"));
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_false(source_open(&s, path_of("pipe"), &err));
    assert_non_null(strstr(err.message, "not a regular file"));
    source_close(&s);
}

/* forgotten pages come back from the file; ranges of any kind are harmless */
static void test_source_forget(void **state)
{
    (void)state;
    enum { BYTES = 100000 };
    FILE *file = file_create(path_of("pages"), NULL);
    for (int i = 0; i < BYTES; i++) fputc(i * 31 & 0xff, file);
    assert_true(file_sync(file, NULL));
    fclose(file);
    struct source s;
    assert_true(source_open(&s, path_of("pages"), NULL));
    assert_int_equal(s.size, BYTES);
    source_forget(&s, 0, BYTES);
    source_forget(&s, 5000, UINT64_MAX);
    source_forget(&s, UINT64_MAX, UINT64_MAX);
    source_forget(&s, 100, 50);
    for (int i = 0; i < BYTES; i++) assert_int_equal(s.data[i], i * 31 & 0xff);
    source_close(&s);
    /* a caller's memory must not be forgotten */
    static uint8_t memory[BYTES];
    memset(memory, 7, sizeof memory);
    s = source_memory(memory, BYTES);
    source_forget(&s, 0, BYTES);
    for (int i = 0; i < BYTES; i++) assert_int_equal(memory[i], 7);
    source_close(&s);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    const char *const names[] = {"empty", "pipe", "pages"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) file_remove(path_of(names[i]), NULL);
    return rmdir(folder); /* fails if a test has left something else */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_fails),
        cmocka_unit_test(test_source_forget),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
