/* test_kept_file.c - files that are kept, of compiled kernels or a tuning: what was saved comes back; anything else is ignored and told. */
#define _POSIX_C_SOURCE 200809L

#include "engine/kept_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary.h"

#include <cmocka.h>

#define KEY "some adapter, some driver"

static const char data_a[] = "what a driver compiled, in many bytes", data_b[] = "something else";

static void *load(struct kept_file *s, const char *folder, const char *key, size_t *bytes)
{
    kept_file_init(s, "kernels", "compiled kernels", folder);
    return kept_file_load(s, key, bytes);
}

static struct kept_file saved(const char *folder, const void *data, size_t bytes)
{
    struct kept_file s;
    size_t had;
    free(load(&s, folder, KEY, &had));
    kept_file_save(&s, data, bytes);
    return s;
}

static void expect(const char *folder, const void *data, size_t bytes)
{
    struct kept_file s;
    size_t got;
    void *loaded = load(&s, folder, KEY, &got);
    assert_non_null(loaded);
    assert_int_equal(got, bytes);
    assert_memory_equal(loaded, data, bytes);
    assert_string_equal(s.warning, "");
    assert_non_null(strstr(s.state, "were read"));
    free(loaded);
}

static void expect_ignored(const char *folder, const char *key, bool warned)
{
    struct kept_file s;
    size_t got = 99;
    assert_null(load(&s, folder, key, &got));
    assert_int_equal(got, 0);
    assert_int_equal(*s.warning != 0, warned);
    if (warned) assert_non_null(strstr(s.warning, s.path));
}

static size_t read_whole(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, capacity, file);
    fclose(file);
    return n;
}

static void write_whole(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void what_was_saved_comes_back(void **unused)
{
    (void)unused;
    struct path folder = temporary("fresh/deeper");
    umask(0);                                /* makes no file that others may write */
    expect_ignored(folder.text, KEY, false); /* nothing there, nor the folders */
    struct kept_file s = saved(folder.text, data_a, sizeof data_a);
    assert_non_null(strstr(s.state, "were written"));
    expect(folder.text, data_a, sizeof data_a);
    saved(folder.text, data_b, sizeof data_b);
    expect(folder.text, data_b, sizeof data_b);
}

static void the_same_is_not_written_again(void **unused)
{
    (void)unused;
    struct path folder = temporary("same");
    struct stat before, after;
    struct kept_file s = saved(folder.text, data_a, sizeof data_a);
    assert_int_equal(stat(s.path, &before), 0);
    s = saved(folder.text, data_a, sizeof data_a);
    assert_int_equal(stat(s.path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    s = saved(folder.text, data_b, sizeof data_b);
    kept_file_save(&s, data_b, sizeof data_b);
    expect(folder.text, data_b, sizeof data_b);
}

static void nothing_is_not_written(void **unused)
{
    (void)unused;
    struct path folder = temporary("nothing");
    struct kept_file s = saved(folder.text, "", 0);
    assert_int_not_equal(access(s.path, F_OK), 0);
}

static void damage_is_told_and_mended(void **unused)
{
    (void)unused;
    struct path folder = temporary("damaged");
    struct kept_file s = saved(folder.text, data_a, sizeof data_a);
    uint8_t bytes[1024], changed[1025];
    size_t n = read_whole(s.path, bytes, sizeof bytes);
    assert_in_range(n, sizeof data_a + 32, sizeof bytes - 1);
    for (size_t i = 0; i < n; i++) { /* each byte */
        memcpy(changed, bytes, n);
        changed[i] ^= (uint8_t)(1 << i % 8);
        write_whole(s.path, changed, n);
        expect_ignored(folder.text, KEY, true);
    }
    for (size_t i = 0; i < n; i++) { /* each length */
        write_whole(s.path, bytes, i);
        expect_ignored(folder.text, KEY, true);
    }
    memcpy(changed, bytes, n);
    changed[n] = 0;
    write_whole(s.path, changed, n + 1);
    expect_ignored(folder.text, KEY, true);
    saved(folder.text, data_a, sizeof data_a); /* the same data as before the damage */
    expect(folder.text, data_a, sizeof data_a);
}

/* sizes that no file has, under a header whose hash would be right */
static void sizes_are_not_believed(void **unused)
{
    (void)unused;
    struct path folder = temporary("sizes");
    struct kept_file s = saved(folder.text, data_a, sizeof data_a);
    uint8_t bytes[1024];
    size_t n = read_whole(s.path, bytes, sizeof bytes);
    for (int bit = 0; bit < 64; bit += 3) {
        for (int i = 0; i < 8; i++) bytes[16 + i] = (uint8_t)((UINT64_C(1) << bit) >> 8 * i);
        write_whole(s.path, bytes, n);
        expect_ignored(folder.text, KEY, true);
    }
}

static void another_key_has_another_file(void **unused)
{
    (void)unused;
    struct path folder = temporary("keys");
    struct kept_file a = saved(folder.text, data_a, sizeof data_a), b;
    size_t got;
    expect_ignored(folder.text, KEY " 2", false);
    assert_null(load(&b, folder.text, KEY " 2", &got));
    assert_string_not_equal(a.path, b.path);
    assert_int_equal(rename(a.path, b.path), 0); /* under the other's name it is not believed */
    expect_ignored(folder.text, KEY " 2", true);
}

static void only_own_files_are_opened(void **unused)
{
    (void)unused;
    struct path folder = temporary("own");
    struct kept_file s = saved(folder.text, data_a, sizeof data_a);
    assert_int_equal(chmod(s.path, 0666), 0);
    expect_ignored(folder.text, KEY, false);
    saved(folder.text, data_a, sizeof data_a); /* replaced by one of our own */
    expect(folder.text, data_a, sizeof data_a);
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkfifo(s.path, 0600), 0); /* would wait for a writer */
    expect_ignored(folder.text, KEY, false);
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkdir(s.path, 0700), 0);
    expect_ignored(folder.text, KEY, false);
    s = saved(folder.text, data_a, sizeof data_a);
    assert_null(strstr(s.state, "were written"));
}

static void a_folder_that_cannot_be_written_is_no_failure(void **unused)
{
    (void)unused;
    struct path file = temporary("file"), below = temporary("file/below");
    write_whole(file.text, "x", 1);
    struct kept_file s = saved(below.text, data_a, sizeof data_a);
    assert_string_equal(s.warning, "");
    assert_non_null(strstr(s.state, "the folder cannot be made"));
    struct path sealed = temporary("sealed"), inside = temporary("sealed/inside");
    assert_int_equal(mkdir(sealed.text, 0500), 0);
    s = saved(inside.text, data_a, sizeof data_a);
    assert_string_equal(s.warning, "");
    if (geteuid() != 0) assert_null(strstr(s.state, "were written")); /* root may write everywhere */
    assert_int_equal(chmod(sealed.text, 0700), 0);
}

static void it_can_be_turned_off(void **unused)
{
    (void)unused;
    struct kept_file s;
    size_t got;
    kept_file_init(&s, "kernels", "compiled kernels", "");
    assert_string_equal(s.folder, "");
    assert_null(kept_file_load(&s, KEY, &got));
    kept_file_save(&s, data_a, sizeof data_a);
    assert_string_equal(s.path, "");
    setenv("CORVID_CACHE", "off", 1);
    kept_file_init(&s, "kernels", "compiled kernels", NULL);
    assert_string_equal(s.folder, "");
    setenv("CORVID_CACHE", "/some/where", 1);
    kept_file_init(&s, "kernels", "compiled kernels", NULL);
    assert_string_equal(s.folder, "/some/where/");
    kept_file_init(&s, "kernels", "compiled kernels", "/else/where"); /* goes before the environment */
    assert_string_equal(s.folder, "/else/where/");
}

static void it_finds_the_users_folder(void **unused)
{
    (void)unused;
    struct kept_file s;
    unsetenv("CORVID_CACHE");
    setenv("XDG_CACHE_HOME", "/a", 1);
    setenv("HOME", "/b", 1);
    kept_file_init(&s, "kernels", "compiled kernels", NULL);
    assert_string_equal(s.folder, "/a/corvid/");
    setenv("XDG_CACHE_HOME", "relative", 1);
    kept_file_init(&s, "kernels", "compiled kernels", NULL);
    assert_string_equal(s.folder, "/b/.cache/corvid/");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    kept_file_init(&s, "kernels", "compiled kernels", NULL);
    assert_string_equal(s.folder, "");
    char *long_path = malloc(STORE_PATH_MAX + 1);
    assert_non_null(long_path);
    memset(long_path, 'x', STORE_PATH_MAX);
    long_path[STORE_PATH_MAX] = 0;
    kept_file_init(&s, "kernels", "compiled kernels", long_path);
    assert_string_equal(s.folder, "");
    free(long_path);
}

/* several processes write different data again and again: whoever looks sees one of them, whole */
static void writers_do_not_disturb_each_other(void **unused)
{
    (void)unused;
    enum { WRITERS = 3, ROUNDS = 60, BYTES = 20000 };
    struct path folder = temporary("writers");
    static uint8_t data[BYTES];
    saved(folder.text, data, sizeof data);
    pid_t writers[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        writers[w] = fork();
        assert_true(writers[w] >= 0);
        if (writers[w]) continue;
        for (int i = 0; i < ROUNDS; i++) {
            memset(data, w * ROUNDS + i, sizeof data);
            saved(folder.text, data, sizeof data);
        }
        _exit(0);
    }
    for (int running = WRITERS; running > 0;) {
        struct kept_file s;
        size_t got;
        uint8_t *loaded = load(&s, folder.text, KEY, &got);
        assert_non_null(loaded);
        assert_int_equal(got, BYTES);
        for (size_t i = 1; i < got; i++)
            if (loaded[i] != loaded[0]) fail_msg("byte %zu is of another writer", i);
        free(loaded);
        int status;
        if (waitpid(-1, &status, WNOHANG) <= 0) continue;
        assert_int_equal(status, 0);
        running--;
    }
}

static void kinds_have_files_of_their_own(void **unused)
{
    (void)unused;
    struct path folder = temporary("kinds");
    struct kept_file kernels = saved(folder.text, data_a, sizeof data_a), tuning;
    size_t got;
    kept_file_init(&tuning, "tuning", "the tuning", folder.text);
    assert_null(kept_file_load(&tuning, KEY, &got));
    assert_string_not_equal(kernels.path, tuning.path);
    kept_file_save(&tuning, data_b, sizeof data_b);
    expect(folder.text, data_a, sizeof data_a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_comes_back),
        cmocka_unit_test(the_same_is_not_written_again),
        cmocka_unit_test(nothing_is_not_written),
        cmocka_unit_test(damage_is_told_and_mended),
        cmocka_unit_test(sizes_are_not_believed),
        cmocka_unit_test(another_key_has_another_file),
        cmocka_unit_test(kinds_have_files_of_their_own),
        cmocka_unit_test(only_own_files_are_opened),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_no_failure),
        cmocka_unit_test(it_can_be_turned_off),
        cmocka_unit_test(it_finds_the_users_folder),
        cmocka_unit_test(writers_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
