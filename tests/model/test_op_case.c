/* test_op_case.c - what tests of ops and `corvid doctor` take for right and for wrong. */
#include "model/self_test.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tolerance small = {1e-6, 1e-3, 1e-3};

static struct op_case_result compare(const struct tolerance *t, const float *want, const float *got, size_t n)
{
    struct op_case_result r = {0};
    op_case_compare(t, "output", want, got, n, 2, &r);
    return r;
}

static void equal_is_right(void **unused)
{
    (void)unused;
    const struct tolerance exact = TOLERANCE_EXACT;
    const float values[] = {1, -2, 0, NAN};
    struct op_case_result r = compare(&exact, values, values, 4);
    assert_false(r.wrong);
    assert_true(r.nmse == 0);
    assert_string_equal(r.message, "");
}

static void near_is_right(void **unused)
{
    (void)unused;
    const float want[] = {1, -2, 0, 100}, got[] = {1.0005f, -2, 0.0005f, 100.05f};
    struct op_case_result r = compare(&small, want, got, 4);
    assert_false(r.wrong);
    assert_true(r.nmse > 0 && r.nmse < 1e-6);
}

static void one_value_off_is_wrong(void **unused)
{
    (void)unused;
    const float want[] = {1, -2, 0, 100}, got[] = {1, -2, 0.25f, 100};
    struct op_case_result r = compare(&small, want, got, 4);
    assert_true(r.wrong);
    assert_string_equal(r.message, "output, row 1, column 0: 0.25, expected 0");
}

/* each value is near enough, all together are not */
static void many_values_off_are_wrong(void **unused)
{
    (void)unused;
    const float want[] = {1, 1, 1, 1}, got[] = {1.0019f, 1.0019f, 1.0019f, 1.0019f};
    struct op_case_result r = compare(&small, want, got, 4);
    assert_true(r.wrong);
    assert_non_null(strstr(r.message, "NMSE"));
    assert_true(fabs(r.nmse - 3.61e-6) < 1e-8);
}

static void nan_is_wrong(void **unused)
{
    (void)unused;
    const float number[] = {1, 2}, nan[] = {1, NAN};
    assert_true(compare(&small, number, nan, 2).wrong);
    assert_true(isnan(compare(&small, number, nan, 2).nmse));
    assert_true(compare(&small, nan, number, 2).wrong);
}

static void first_mistake_and_worst_error_are_kept(void **unused)
{
    (void)unused;
    const float want[] = {1, 2}, bad[] = {1, 3}, worse[] = {9, 2};
    struct op_case_result r = {0};
    op_case_compare(&small, "a", want, want, 2, 2, &r);
    assert_false(r.wrong);
    op_case_compare(&small, "b", want, bad, 2, 2, &r);
    double nmse = r.nmse;
    op_case_compare(&small, "c", want, worse, 2, 2, &r);
    op_case_compare(&small, "d", want, want, 2, 2, &r);
    assert_true(r.wrong && r.nmse > nmse);
    assert_memory_equal(r.message, "b, ", 3);
}

/* every op and every weight type that a file may have */
static void self_test_covers_all(void **unused)
{
    (void)unused;
    bool ops[OP_COUNT] = {false}, types[64] = {false};
    struct op_case c;
    for (size_t i = 0; self_test_case(i, false, true, &c); i++) {
        struct op_bench b;
        case_begin(&b, c.name);
        c.record(&b, c.n);
        assert_true(graph_ok(&b.graph, NULL));
        for (uint32_t k = 0; k < b.graph.n_calls; k++) {
            const struct op_call *call = &b.graph.calls[k];
            ops[call->op] = true;
            if (call->op == OP_MATMUL) types[b.graph.weights[call->w[0].id].q->type] = true;
        }
        case_end(&b);
    }
    for (int op = 0; op < OP_COUNT; op++)
        if (!ops[op]) fail_msg("no case for %s", op_table[op].name);
    for (size_t i = 0; quant_at(i); i++)
        if (!types[quant_at(i)->type]) fail_msg("no case for %s", quant_at(i)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_is_right),         cmocka_unit_test(near_is_right),
        cmocka_unit_test(one_value_off_is_wrong), cmocka_unit_test(many_values_off_are_wrong),
        cmocka_unit_test(nan_is_wrong),           cmocka_unit_test(first_mistake_and_worst_error_are_kept),
        cmocka_unit_test(self_test_covers_all),
    };
    return cmocka_run_group_tests_name("op_case", tests, NULL, NULL);
}
