/* test_map.c - the string map: growth, lookups, keys with any bytes, keys that are there already */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"

#include <cmocka.h>

enum { N_KEYS = 5000 };

static void test_empty(void **state)
{
    (void)state;
    struct map m = {0};
    int64_t value = 7;
    assert_false(map_get(&m, "a", 1, &value));
    assert_int_equal(value, 7);
    map_free(&m);
    map_free(&m);
}

static void test_many(void **state)
{
    (void)state;
    static char keys[N_KEYS][24];
    struct map m = {0};
    for (int i = 0; i < N_KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "key %d", i);
        assert_int_equal(map_add(&m, keys[i], strlen(keys[i]), -i), MAP_ADDED);
    }
    assert_int_equal(m.count, N_KEYS);
    for (int i = 0; i < N_KEYS; i++) {
        /* another pointer with the same bytes */
        char key[24];
        snprintf(key, sizeof key, "key %d", i);
        int64_t value = 1;
        assert_true(map_get(&m, key, strlen(key), &value));
        assert_int_equal(value, -i);
        assert_int_equal(map_add(&m, key, strlen(key), 99), MAP_PRESENT);
        assert_true(map_get(&m, key, strlen(key), &value));
        assert_int_equal(value, -i);
    }
    int64_t value;
    assert_false(map_get(&m, "key 5000", 8, &value));
    assert_int_equal(m.count, N_KEYS);
    map_free(&m);
}

static void test_any_bytes(void **state)
{
    (void)state;
    struct map m = {0};
    int64_t value;
    assert_int_equal(map_add(&m, "", 0, 1), MAP_ADDED);
    assert_int_equal(map_add(&m, "\0", 1, 2), MAP_ADDED);
    assert_int_equal(map_add(&m, "\0\0", 2, 3), MAP_ADDED);
    assert_int_equal(map_add(&m, "a\0b", 3, 4), MAP_ADDED);
    assert_int_equal(map_add(&m, "a\0c", 3, 5), MAP_ADDED);
    assert_int_equal(map_add(&m, "a\0b", 3, 6), MAP_PRESENT);
    assert_true(map_get(&m, "", 0, &value) && value == 1);
    assert_true(map_get(&m, "\0", 1, &value) && value == 2);
    assert_true(map_get(&m, "\0\0", 2, &value) && value == 3);
    assert_true(map_get(&m, "a\0c", 3, &value) && value == 5);
    assert_false(map_get(&m, "a", 1, &value));
    map_free(&m);
}

static void test_reserve(void **state)
{
    (void)state;
    struct map m = {0};
    assert_true(map_reserve(&m, 1000));
    const struct map_slot *slots = m.slots;
    static char keys[1000][16];
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        assert_int_equal(map_add(&m, keys[i], strlen(keys[i]), i), MAP_ADDED);
    }
    assert_ptr_equal(m.slots, slots);
    assert_false(map_reserve(&m, SIZE_MAX));
    assert_int_equal(m.count, 1000);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
