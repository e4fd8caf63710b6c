/* test_trace_gpu.c - `--trace` and `corvid bench --profile` as a user sees them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/run_cli.h"

static double number(json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

static const char *text(json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

static json_t *load_trace(const char *name)
{
    char path[512];
    json_error_t why;
    snprintf(path, sizeof path, "%s/%s", getenv("T"), name);
    json_t *trace = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!trace) fail_msg("%s: %s", path, why.text);
    return trace;
}

static size_t count(json_t *trace, int process, const char *name)
{
    json_t *e;
    size_t i, n = 0;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
    {
        n += number(e, "pid") == process && !strcmp(text(e, "ph"), "X") && (!name || !strcmp(text(e, "name"), name));
    }
    return n;
}

/* slices of submissions: they have no arguments, dispatches do */
static size_t count_submissions(json_t *trace)
{
    json_t *e;
    size_t i, n = 0;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
    {
        n += number(e, "pid") == 2 && !strcmp(text(e, "ph"), "X") && !json_object_get(e, "args");
    }
    return n;
}

static void test_trace(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$C run --trace $T/t.json --temp 0 -n 4 -p 'User: Hi'");
    cli_expect(&r, 0, "", NULL);
    cli_free(&r);
    json_t *trace = load_trace("t.json"), *e;
    static const char *const once[] = {"open device", "open model", "load weights", "plan", "tokenize"};
    static const char *const often[] = {"compile", "encode", "submit"};
    for (int k = 0; k < 5; k++) assert_int_equal(count(trace, 1, once[k]), 1);
    for (int k = 0; k < 3; k++) assert_true(count(trace, 1, often[k]) >= 4);
    assert_true(count(trace, 1, "wait") >= 1 && count_submissions(trace) >= 4);
    size_t i, dispatches = 0;
    uint32_t layers = 0;
    double bytes = 0, flops = 0;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
    {
        json_t *args = json_object_get(e, "args"), *layer = json_object_get(args, "layer");
        if (number(e, "pid") != 2 || !json_object_get(args, "groups")) continue;
        dispatches++;
        assert_true(json_string_length(json_object_get(e, "name")) && number(e, "dur") >= 0 && number(e, "ts") >= 0);
        assert_true(!layer || json_string_length(json_object_get(args, "op")));
        assert_int_equal(json_array_size(json_object_get(args, "groups")), 3);
        if (layer) layers |= 1u << json_integer_value(layer);
        bytes += number(args, "bytes");
        flops += number(args, "flops");
    }
    assert_true(dispatches >= 4 * 6 && layers == 0x3f && bytes > 0 && flops > 0);
    json_decref(trace);
}

static void test_trace_of_others(void **state)
{
    (void)state;
    struct cli_result r = cli_run("printf 'Hi\\n' | $C chat --trace $T/chat.json --temp 0 -n 3");
    cli_expect(&r, 0, "", NULL);
    cli_free(&r);
    json_t *trace = load_trace("chat.json");
    assert_true(count_submissions(trace) >= 3);
    json_decref(trace);
    r = cli_run("$C bench --trace $T/bench.json -p 8 -n 2 -r 1 -m $S/models/rwkv7-tiny-q8_0.gguf "
                "-m $S/models/rwkv7-tiny-q8_0.gguf");
    cli_expect(&r, 0, "", NULL);
    cli_free(&r);
    trace = load_trace("bench.json");
    assert_int_equal(count(trace, 1, "open model"), 2); /* both models in one file */
    assert_true(count(trace, 2, NULL) > 0);
    json_decref(trace);
}

/* The scalar reference has no GPU: the file says what there is. */
static void test_trace_without_timestamps(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$C run --trace $T/r.json --device reference --temp 0 -n 2 -p x");
    cli_expect(&r, 0, "", "holds CPU zones only: this device gives no timestamps");
    cli_free(&r);
    json_t *trace = load_trace("r.json");
    assert_int_equal(count(trace, 2, NULL), 0);
    assert_true(count(trace, 1, "sample") >= 1);
    json_decref(trace);
}

static void test_trace_cannot_be_written(void **state)
{
    (void)state;
    cli_expect_error("$C run --trace /nonexistent/t.json -p x", 1, "--trace: cannot create /nonexistent/t.json");
    cli_expect_error("$C bench --trace $T", 1, "--trace: cannot create");
    struct cli_result r = cli_run("$C run --trace /dev/full --temp 0 -n 1 -p x");
    cli_expect(&r, 1, "", "--trace: cannot write /dev/full: No space");
    cli_free(&r);
}

/* sum of a number over a table's rows */
static double sum(json_t *profile, const char *table, const char *key)
{
    json_t *row;
    size_t i;
    double total = 0;
    json_array_foreach(json_object_get(profile, table), i, row) total += number(row, key);
    return total;
}

static void expect_sums(json_t *result, size_t steps)
{
    static const char *const tables[] = {"kernels", "ops", "layers"}, *const keys[] = {"calls", "bytes", "flops"};
    json_t *profile = json_object_get(result, "profile"), *row;
    for (int i = 0; i < 3; i++) {
        assert_true(sum(profile, tables[i], "ns") == number(profile, "dispatches_ns"));
        assert_true(fabs(sum(profile, tables[i], "share") - 1) < 1e-6);
        for (int k = 0; k < 3; k++) assert_true(sum(profile, tables[i], keys[k]) == sum(profile, tables[0], keys[k]));
    }
    assert_true(number(profile, "read_gb_per_s") > 0.01 && number(profile, "wall_ns") > 0);
    assert_true(number(profile, "plain_ns") == number(result, "avg_ns"));
    assert_int_equal(json_array_size(json_object_get(profile, "layers")), 7); /* outside, and six layers */
    size_t i;
    json_array_foreach(json_object_get(profile, "kernels"), i, row)
    {
        assert_true(json_string_length(json_object_get(row, "kernel")) > 0);
        assert_true(number(row, "calls") >= 1 && (size_t)number(row, "calls") % steps == 0);
        assert_true(number(row, "mean_us") * number(row, "calls") * 1e3 <= number(row, "ns") * 1.001);
    }
}

static void test_profile(void **state)
{
    (void)state;
    json_t *results = cli_json("$C bench --profile -p 64 -n 3 -r 1 -o json");
    json_t *file = cli_json("$C inspect --json $S/models/rwkv7-tiny-q8_0.gguf"), *tensor;
    double file_bytes = 0, embedding_bytes = 0;
    size_t i;
    json_array_foreach(json_object_get(file, "tensors"), i, tensor)
    {
        file_bytes += number(tensor, "bytes");
        if (!strcmp(text(tensor, "name"), "token_embd.weight")) embedding_bytes = number(tensor, "bytes");
    }
    assert_true(embedding_bytes > 0);
    assert_int_equal(json_array_size(results), 2);
    const size_t steps[] = {1, 3};
    double bytes[2];
    for (i = 0; i < 2; i++) {
        json_t *result = json_array_get(results, i);
        expect_sums(result, steps[i]);
        bytes[i] = sum(json_object_get(result, "profile"), "kernels", "bytes") / (double)steps[i];
    }
    /* a step reads every weight once, in prefill by other kernels, and some states; thin matrices became floats */
    assert_true(bytes[1] > 0.97 * (file_bytes - embedding_bytes) && bytes[1] < 1.3 * (file_bytes - embedding_bytes));
    assert_true(bytes[0] > 0.97 * bytes[1] && bytes[0] < 1.03 * bytes[1]);
    json_decref(file);
    json_decref(results);
    struct cli_result r = cli_run("$C bench --profile -p 0 -n 2 -r 1 -b 2");
    cli_expect(&r, 0, "tg2, batch 2: ", NULL);
    cli_expect(&r, 0, "| MATMUL ", NULL);
    cli_expect(&r, 0, "| 5            |", NULL);
    cli_expect(&r, 0, " codec/q8_0 ", NULL);
    cli_free(&r);
}

static void test_profile_cannot_be_made(void **state)
{
    (void)state;
    cli_expect_error("$C bench --profile -o csv", 2, "--profile");
    cli_expect_error("$C bench --profile --trace $T/x", 2, "--profile");
    cli_expect_error("$C bench --profile --device reference", 1, "timestamps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_trace_of_others),
        cmocka_unit_test(test_trace_without_timestamps),
        cmocka_unit_test(test_trace_cannot_be_written),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_profile_cannot_be_made),
    };
    return cmocka_run_group_tests_name("trace_gpu", tests, cli_setup, cli_teardown);
}
