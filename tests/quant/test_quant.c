/* test_quant.c - the type table, decoding and encoding against ggml's Python package, half precision. */
/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "golden.h"

#include <cmocka.h>

/* equal bit by bit, but any NaN equals any NaN */
static void assert_same_float(float got, float want, const char *name, size_t at)
{
    if (memcmp(&got, &want, sizeof got) == 0 || (isnan(got) && isnan(want))) return;
    fail_msg("%s weight %zu: %a, expected %a", name, at, (double)got, (double)want);
}

static void table_finds_every_type(void **state)
{
    (void)state;
    const struct quant_info *q;
    size_t n = 0;
    for (; (q = quant_at(n)); n++) {
        assert_ptr_equal(quant_find(q->type), q);
        assert_ptr_equal(quant_find_name(q->name), q);
        assert_ptr_equal(quant_find_name(q->codec), q); /* the name in lower case */
    }
    assert_int_equal(n, 11);
    assert_null(quant_find(10)); /* Q2_K */
    assert_null(quant_find(UINT32_MAX));
    assert_null(quant_find_name("Q4"));
    assert_null(quant_find_name("Q4_K_M"));
    assert_null(quant_find_name(""));
}

static void row_bytes_checks_blocks_and_overflow(void **state)
{
    (void)state;
    uint64_t bytes = 7;
    assert_true(quant_row_bytes(quant_find(QUANT_Q4_K), 2048, &bytes));
    assert_int_equal(bytes, 8 * 144);
    assert_true(quant_row_bytes(quant_find(QUANT_F16), 33, &bytes));
    assert_int_equal(bytes, 66);
    assert_false(quant_row_bytes(quant_find(QUANT_Q4_K), 2048 + 32, &bytes));
    assert_false(quant_row_bytes(quant_find(QUANT_Q8_0), 16, &bytes));
    assert_false(quant_row_bytes(quant_find(QUANT_F32), UINT64_MAX / 4 + 1, &bytes));
    assert_false(quant_row_bytes(quant_find(QUANT_Q8_0), UINT64_MAX - 31, &bytes));
    assert_int_equal(bytes, 66);
}

/* every product and sum of these formats but the last operation is exact in f32, so the order does not matter */
static void decode_equals_golden(void **state)
{
    (void)state;
    FILE *file = golden_open();
    assert_non_null(file);
    struct golden g;
    int n_records = 0;
    while (golden_next(file, &g)) {
        const struct quant_info *q = quant_find(g.type);
        assert_non_null(q);
        assert_int_equal(q->items, g.items);
        assert_int_equal(q->block_bytes, g.block_bytes);
        if (g.kind == GOLDEN_DECODE) {
            size_t n = (size_t)g.n_blocks * g.items, bytes = (size_t)g.n_blocks * g.block_bytes;
            float *got = malloc(n * sizeof *got);
            uint8_t *odd = malloc(bytes + 1); /* blocks may lie anywhere */
            assert_true(got && odd);
            memcpy(odd + 1, g.blocks, bytes);
            q->decode(odd + 1, got, n);
            for (size_t i = 0; i < n; i++) assert_same_float(got[i], g.floats[i], q->name, i);
            free(odd);
            free(got);
            n_records++;
        }
        golden_free(&g);
    }
    fclose(file);
    assert_int_equal(n_records, 11); /* one a type */
}

static void encode_equals_golden(void **state)
{
    (void)state;
    FILE *file = golden_open();
    assert_non_null(file);
    struct golden g;
    int n_records = 0;
    while (golden_next(file, &g)) {
        if (g.kind == GOLDEN_ENCODE) {
            const struct quant_info *q = quant_find(g.type);
            assert_non_null(q);
            assert_non_null(q->encode);
            uint8_t *got = malloc((size_t)g.n_blocks * g.block_bytes);
            assert_non_null(got);
            q->encode(g.floats, got, (size_t)g.n_blocks * g.items);
            assert_memory_equal(got, g.blocks, (size_t)g.n_blocks * g.block_bytes);
            free(got);
            n_records++;
        }
        golden_free(&g);
    }
    fclose(file);
    assert_int_equal(n_records, 2); /* Q8_0 and F16 */
}

/* sqrt(sum of squared errors) / n after encoding and decoding: the error that ggml's test-quantize-fns limits */
static double round_trip_error(const struct quant_info *q, const float *in, size_t n)
{
    uint64_t bytes;
    assert_true(quant_row_bytes(q, n, &bytes));
    void *blocks = malloc(bytes);
    float *out = malloc(n * sizeof *out);
    assert_true(blocks && out);
    q->encode(in, blocks, n);
    q->decode(blocks, out, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += pow((double)out[i] - (double)in[i], 2);
    free(out);
    free(blocks);
    return sqrt(sum) / (double)n;
}

/* on the data of test-quantize-fns, whose limit for Q4_K and Q8_0 is 0.002; ggml's own Q4_K encoder gives 0.000982 */
static void encode_is_as_good_as_ggml(void **state)
{
    (void)state;
    enum { N = 32 * 128 };
    static float in[N];
    for (int i = 0; i < N; i++) in[i] = 0.1f + 2 * cosf((float)i);
    assert_true(round_trip_error(quant_find(QUANT_Q8_0), in, N) < 0.0001);
    double error = round_trip_error(quant_find(QUANT_Q4_K), in, N);
    assert_true(error < 0.002);
    assert_true(error < 0.000982 * 1.05);
}

/* weights for which Q4_K has an exact or a nearly exact answer, and ones that it must survive */
static void encode_q4_k_edge_cases(void **state)
{
    (void)state;
    const struct quant_info *q = quant_find(QUANT_Q4_K);
    float in[256], out[256];
    uint8_t block[144];
    memset(in, 0, sizeof in);
    q->encode(in, block, 256);
    q->decode(block, out, 256);
    for (int i = 0; i < 256; i++) assert_true(out[i] == 0);

    /* negative constant: minimum only; positive constant: q = 15 and no minimum. f16 scales: 11 bits. */
    for (int i = 0; i < 256; i++) in[i] = i < 128 ? -0.7f : 0.3f;
    q->encode(in, block, 256);
    q->decode(block, out, 256);
    for (int i = 0; i < 256; i++) assert_true(fabsf(out[i] - in[i]) <= fabsf(in[i]) * 0x1p-11f);

    /* 16 evenly spaced values */
    for (int i = 0; i < 256; i++) in[i] = 0.25f * (float)(i * 7 % 16) - 1.5f;
    q->encode(in, block, 256);
    q->decode(block, out, 256);
    for (int i = 0; i < 256; i++) assert_true(fabsf(out[i] - in[i]) <= 4 * 0x1p-11f);

    /* what f16 scales cannot carry must not be undefined behaviour (this is for the sanitizers) */
    const float hostile[] = {1e-40f, -1e-40f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN};
    for (size_t h = 0; h < sizeof hostile / sizeof *hostile; h++) {
        for (int i = 0; i < 256; i++) in[i] = i % 3 ? hostile[h] : 1.0f;
        q->encode(in, block, 256);
        quant_find(QUANT_Q8_0)->encode(in, (uint8_t[34]){0}, 32);
    }
}

static float half_value(unsigned h)
{
    unsigned exponent = h >> 10 & 31, fraction = h & 1023;
    double size = exponent == 0   ? ldexp(fraction, -24)
                  : exponent < 31 ? ldexp(1024 + fraction, (int)exponent - 25)
                  : fraction == 0 ? (double)INFINITY
                                  : (double)NAN;
    return (float)(h & 0x8000 ? -size : size);
}

static void half_converts_every_value(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        float f = f16_to_f32((uint16_t)h);
        assert_same_float(f, half_value(h), "f16", h);
        uint16_t back = f32_to_f16(f);
        if (isnan(f)) assert_true((back & 0x7c00) == 0x7c00 && (back & 0x3ff));
        else assert_int_equal(back, h);
    }
}

static void half_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7c00; h++) {
        float low = half_value(h), high = h == 0x7bff ? 65536.0f : half_value(h + 1);
        float middle = low + (high - low) / 2; /* exact */
        unsigned even = h & 1 ? h + 1 : h;
        assert_int_equal(f32_to_f16(middle), even);
        assert_int_equal(f32_to_f16(nextafterf(middle, 0)), h);
        assert_int_equal(f32_to_f16(nextafterf(middle, INFINITY)), h + 1);
        assert_int_equal(f32_to_f16(-middle), even | 0x8000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_finds_every_type),    cmocka_unit_test(row_bytes_checks_blocks_and_overflow),
        cmocka_unit_test(decode_equals_golden),      cmocka_unit_test(encode_equals_golden),
        cmocka_unit_test(encode_is_as_good_as_ggml), cmocka_unit_test(encode_q4_k_edge_cases),
        cmocka_unit_test(half_converts_every_value), cmocka_unit_test(half_rounds_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
