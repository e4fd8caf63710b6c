/* test_rng.c - published outputs of splitmix64, xoshiro256** and Philox, and the range of rng_below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#include <cmocka.h>

static void test_seed(void **state)
{
    (void)state;
    struct rng r; /* splitmix64 of 1234567 */
    rng_seed(&r, 1234567);
    assert_true(r.s[0] == 6457827717110365317u && r.s[1] == 3203168211198807973u);
    assert_true(r.s[2] == 9817491932198370423u && r.s[3] == 4593380528125082431u);
}

static void test_next(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    struct rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) assert_true(rng_next(&r) == expected[i]);
}

static void test_below(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 0);
    unsigned counts[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t x = rng_below(&r, 6);
        assert_true(x < 6);
        counts[x]++;
    }
    for (int i = 0; i < 6; i++) assert_in_range(counts[i], 9500, 10500); /* 10000 within 5 deviations */
    for (int i = 0; i < 100; i++) assert_true(rng_below(&r, 1) == 0);
    uint64_t largest = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x = rng_below(&r, UINT64_MAX);
        if (x > largest) largest = x;
    }
    assert_true(largest > UINT64_MAX / 2);
}

/* the authors' vector for zeros; and words of neighbours have nothing in common */
static void test_at(void **state)
{
    (void)state;
    assert_int_equal(rng_at(0, 0), 0x6627e8d5);
    unsigned ones = 0;
    for (uint32_t i = 0; i < 1000; i++)
        for (uint32_t x = rng_at(5, i) ^ rng_at(5, i + 1) ^ rng_at(6, i); x; x &= x - 1) ones++;
    assert_in_range(ones, 15550, 16450); /* 16000 within 5 deviations */
    assert_int_not_equal(rng_at(1, 0), rng_at((uint64_t)1 << 32, 0));
    assert_int_not_equal(rng_at(0, 1), rng_at(0, (uint64_t)1 << 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
