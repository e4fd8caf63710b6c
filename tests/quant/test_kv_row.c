/* test_kv_row.c - rows of a key-value cache: what each type keeps of a value, and that what was read back is written to the
 * same again, which sessions that are saved and restored rely on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "quant/kv_row.h"

enum { N = 256, BLOCK = 32, ROUNDS = 200 };

/* values of very different size, block by block */
static void fill(struct rng *rng, float *x)
{
    for (int i = 0; i < N; i++) {
        double uniform = (double)(rng_next(rng) >> 11) / (double)(1ll << 52) - 1;
        x[i] = (float)ldexp(uniform, (int)rng_below(rng, 4) - 12 + 5 * (i / BLOCK) / 2);
    }
}

static float block_top(const float *x, int i)
{
    float top = 0;
    for (int k = i / BLOCK * BLOCK; k < (i / BLOCK + 1) * BLOCK; k++) top = fmaxf(top, fabsf(x[k]));
    return top;
}

static double allowed(enum kv_type type, const float *x, int i)
{
    if (type == KV_F32) return 0;
    if (type == KV_F16) return fabs((double)x[i]) * 0x1p-11 + 0x1p-25;
    return (double)block_top(x, i) / 127 * 0.501;
}

static void test_precision(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int round = 0; round < ROUNDS; round++)
        for (int type = 0; type < KV_TYPES; type++) {
            float x[N], y[N];
            uint32_t row[N];
            fill(&rng, x);
            kv_row_encode((enum kv_type)type, x, N, row);
            kv_row_decode((enum kv_type)type, row, N, y);
            for (int i = 0; i < N; i++)
                if (!(fabs((double)y[i] - x[i]) <= allowed((enum kv_type)type, x, i)))
                    fail_msg("%s: %g became %g", kv_type_name((enum kv_type)type), (double)x[i], (double)y[i]);
        }
}

static void test_again(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 2);
    for (int round = 0; round < ROUNDS; round++)
        for (int type = 0; type < KV_TYPES; type++) {
            float x[N], y[N], rounded[N];
            uint32_t row[N], again[N];
            fill(&rng, x);
            kv_row_encode((enum kv_type)type, x, N, row);
            kv_row_decode((enum kv_type)type, row, N, y);
            kv_row_encode((enum kv_type)type, y, N, again);
            assert_memory_equal(row, again, kv_row_words((enum kv_type)type, N) * sizeof *row);
            kv_round((enum kv_type)type, x, N, rounded);
            assert_memory_equal(y, rounded, sizeof y);
        }
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(kv_row_words(KV_F32, 516), 516);
    assert_int_equal(kv_row_words(KV_F16, 516), 260); /* 258, to a multiple of 4 */
    assert_int_equal(kv_row_words(KV_Q8, 512), 144);
    assert_int_equal(kv_row_words(KV_Q8, 64), 20); /* 18 */
}

static void test_extremes(void **state)
{
    (void)state;
    float x[BLOCK] = {0}, y[BLOCK];
    uint32_t row[BLOCK];
    for (int type = 0; type < KV_TYPES; type++) {
        kv_row_encode((enum kv_type)type, x, BLOCK, row);
        kv_row_decode((enum kv_type)type, row, BLOCK, y);
        for (int i = 0; i < BLOCK; i++) assert_true(y[i] == 0);
    }
    x[0] = 1e6f, x[1] = -1e6f, x[2] = 3;
    kv_row_encode(KV_F16, x, BLOCK, row);
    kv_row_decode(KV_F16, row, BLOCK, y);
    assert_true(y[0] == 65504 && y[1] == -65504 && y[2] == 3);
    x[0] = NAN;
    for (int type = 0; type < KV_TYPES; type++) {
        kv_row_encode((enum kv_type)type, x, BLOCK, row);
        kv_row_decode((enum kv_type)type, row, BLOCK, y);
        assert_true(isnan(y[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_precision), cmocka_unit_test(test_again),
                                       cmocka_unit_test(test_sizes), cmocka_unit_test(test_extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
