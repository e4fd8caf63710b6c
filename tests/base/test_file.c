/* test_file.c - files are replaced and removed, and the program's folder is found */
#define _DEFAULT_SOURCE

#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* after ours: it makes fail() a macro */
#include <cmocka.h>

static const char *program;

static void write_text(const char *path, const char *text)
{
    FILE *file = file_create(path, NULL);
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_true(file_sync(file, NULL));
    assert_int_equal(fclose(file), 0);
}

static void test_replace(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_file.XXXXXX", old[64], new[64], text[16] = "";
    struct error err = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(old, sizeof old, "%s/old", folder);
    snprintf(new, sizeof new, "%s/new", folder);
    write_text(old, "old");
    write_text(new, "newer");
    assert_true(file_replace(new, old, &err));
    assert_int_equal(access(new, F_OK), -1);
    FILE *file = fopen(old, "rb");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "newer");
    fclose(file);

    assert_false(file_replace(new, old, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_null(file_create(folder, &err));
    assert_false(file_remove(folder, &err));
    assert_true(file_remove(old, &err));
    assert_true(file_remove(old, &err));
    assert_int_equal(rmdir(folder), 0);
}

static void test_exe_dir(void **state)
{
    (void)state;
    char path[PATH_MAX], dir[PATH_MAX], small[4];
    assert_non_null(realpath(program, path));
    assert_true(file_exe_dir(dir, sizeof dir));
    assert_string_equal(dir, dirname(path));
    assert_false(file_exe_dir(small, sizeof small));
}

int main(int argc, char **argv)
{
    program = argc ? argv[0] : "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_exe_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
