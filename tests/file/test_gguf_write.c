/* test_gguf_write.c - what the GGUF writer refuses, and what it leaves behind when writing fails */
#define _DEFAULT_SOURCE

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "file/gguf_write.h"
#include "file/source.h"

/* after ours: it makes fail() a macro */
#include <cmocka.h>

static char folder[] = "/tmp/test_gguf_write.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static const uint64_t dims_2d[] = {32, 3}, dims_1d[] = {5};

/* a tensor of 102 bytes and a key */
static struct gguf_writer *small_writer(void)
{
    struct gguf_writer *w = gguf_writer_create(NULL);
    assert_non_null(w);
    assert_true(gguf_writer_u32(w, "u32", 1, NULL));
    assert_true(gguf_writer_tensor(w, "matrix", 8, 2, dims_2d, 3 * 34, NULL));
    return w;
}

static void test_writer_refuses(void **state)
{
    (void)state;
    struct error err = {0};
    const uint64_t zero[] = {0}, odd[] = {31};
    struct gguf_writer *w = small_writer();
    assert_false(gguf_writer_u32(w, "", 1, &err));
    assert_false(gguf_writer_u32(w, "line\n", 1, &err));
    assert_false(gguf_writer_array(w, "nested", VALUE_ARRAY, NULL, 0, &err));
    assert_false(gguf_writer_tensor(w, "matrix", 0, 1, dims_1d, 20, &err));
    assert_non_null(strstr(err.message, "added twice"));
    assert_false(gguf_writer_tensor(w, "size", 0, 1, dims_1d, 21, &err));
    assert_non_null(strstr(err.message, "21 bytes, expected 20"));
    assert_false(gguf_writer_tensor(w, "zero", 0, 1, zero, 0, &err));
    assert_false(gguf_writer_tensor(w, "odd", 8, 1, odd, 34, &err));
    assert_false(gguf_writer_data(w, "x", 1, &err));
    assert_false(gguf_writer_finish(w, &err));
    assert_true(gguf_writer_u32(w, "general.alignment", 48, NULL));
    assert_false(gguf_writer_begin(w, path_of("refused.gguf"), &err));
    assert_non_null(strstr(err.message, "power of two"));
    assert_int_equal(err.code, ERR_ARGUMENT);
    gguf_writer_destroy(w);
    assert_false(exists(path_of("refused.gguf.part")));
}

/* what was there before stays when writing fails, and nothing half written remains */
static void test_writer_is_atomic(void **state)
{
    (void)state;
    char data[102] = {0};
    struct error err = {0};
    FILE *old = file_create(path_of("atomic.gguf"), NULL);
    fputs("old", old);
    fclose(old);
    struct gguf_writer *w = small_writer();
    assert_true(gguf_writer_begin(w, path_of("atomic.gguf"), &err));
    assert_false(gguf_writer_u32(w, "late", 1, &err));
    assert_false(gguf_writer_data(w, data, 103, &err));
    assert_true(gguf_writer_data(w, data, 100, &err));
    assert_false(gguf_writer_finish(w, &err));
    assert_string_equal(err.message, "tensor matrix: 2 bytes of data are missing");
    gguf_writer_destroy(w);
    assert_false(exists(path_of("atomic.gguf.part")));
    struct source s;
    assert_true(source_open(&s, path_of("atomic.gguf"), NULL));
    assert_int_equal(s.size, 3);
    source_close(&s);
}

static void test_writer_no_folder(void **state)
{
    (void)state;
    struct error err = {0};
    struct gguf_writer *w = small_writer();
    assert_false(gguf_writer_begin(w, path_of("none/small.gguf"), &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "No such file"));
    gguf_writer_destroy(w);
}

/* a limit on file sizes stands in for a full disk: a write is cut short */
static void test_writer_disk_full(void **state)
{
    (void)state;
    enum { TENSOR_BYTES = 4 << 20, LIMIT_BYTES = 1 << 20 };
    const uint64_t dims[] = {TENSOR_BYTES / 4};
    struct error err = {0};
    struct rlimit before;
    void *data = calloc(1, TENSOR_BYTES);
    struct gguf_writer *w = gguf_writer_create(NULL);
    assert_true(gguf_writer_tensor(w, "t", 0, 1, dims, TENSOR_BYTES, NULL));
    assert_true(gguf_writer_begin(w, path_of("full.gguf"), NULL));
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit limit = {LIMIT_BYTES, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    bool ok = gguf_writer_data(w, data, TENSOR_BYTES, &err) && gguf_writer_finish(w, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    gguf_writer_destroy(w);
    free(data);
    assert_false(ok);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "full.gguf.part"));
    assert_false(exists(path_of("full.gguf")));
    assert_false(exists(path_of("full.gguf.part")));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    file_remove(path_of("atomic.gguf"), NULL);
    return rmdir(folder); /* fails if a test has left something else */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer_refuses),
        cmocka_unit_test(test_writer_is_atomic),
        cmocka_unit_test(test_writer_no_folder),
        cmocka_unit_test(test_writer_disk_full),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
