/* test_trace.c - the recorder: zones from several threads, texts, limits, and the file as a JSON reader sees it. */
#define _POSIX_C_SOURCE 200809L

#include "base/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/thread.h"

#include <cmocka.h>

enum { THREADS = 4, ZONES = 500 };

static json_t *written(void)
{
    char *text = NULL;
    size_t length = 0;
    json_error_t why;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    assert_true(trace_write(file));
    fclose(file);
    json_t *trace = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (!trace) fail_msg("no JSON: %s in %.200s", why.text, text);
    free(text);
    return trace;
}

/* the complete event of this name; the test fails without one */
static json_t *event(json_t *trace, const char *name)
{
    json_t *e;
    size_t i;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
    {
        if (!strcmp(json_string_value(json_object_get(e, "name")), name)) return e;
    }
    fail_msg("no event %s", name);
    return NULL;
}

static double number(json_t *e, const char *key) { return json_number_value(json_object_get(e, key)); }

static void off_it_records_nothing(void **unused)
{
    (void)unused;
    trace_clear();
    assert_false(trace_is_on());
    struct trace_zone zone = trace_begin("nothing");
    assert_true(viewer_is_built == (zone.began_ns != 0));
    trace_end(zone, NULL);
    json_t *trace = written();
    assert_int_equal(json_array_size(json_object_get(trace, "traceEvents")), 2); /* the processes' names */
    json_decref(trace);
}

static void zones_are_events(void **unused)
{
    (void)unused;
    trace_clear();
    trace_start();
    struct trace_zone outer = trace_begin("outer");
    char detail[] = "a \"name\",\\ and\ta tab, \xc3\xa4";
    trace_end(trace_begin("inner"), detail);
    memset(detail, 'x', 4); /* it was copied */
    trace_end(outer, NULL);
    trace_tell("gpu", "first");
    trace_tell("gpu", "second");
    json_t *trace = written(), *i = event(trace, "inner"), *o = event(trace, "outer");
    assert_string_equal(json_string_value(json_object_get(json_object_get(i, "args"), "detail")),
                        "a \"name\",\\ and\ta tab, \xc3\xa4");
    assert_string_equal(json_string_value(json_object_get(o, "ph")), "X");
    assert_true(number(o, "ts") == 0 && number(i, "ts") >= 0);
    assert_true(number(o, "dur") >= number(i, "ts") + number(i, "dur"));
    assert_true(number(i, "tid") == number(o, "tid") && number(i, "pid") == 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(trace, "otherData"), "gpu")), "first");
    json_decref(trace);
}

static void add_zones(void *unused)
{
    (void)unused;
    for (int i = 0; i < ZONES; i++) trace_end(trace_begin("zone"), i & 1 ? "odd" : "even");
}

static void threads_record_at_once(void **unused)
{
    (void)unused;
    trace_clear();
    trace_start();
    thread_run(THREADS, add_zones, NULL);
    trace_stop();
    json_t *trace = written(), *e;
    size_t i, n = 0;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, e)
    {
        if (strcmp(json_string_value(json_object_get(e, "name")), "zone") != 0) continue;
        const char *detail = json_string_value(json_object_get(json_object_get(e, "args"), "detail"));
        assert_true(!strcmp(detail, "odd") || !strcmp(detail, "even"));
        n++;
    }
    assert_int_equal(n, THREADS * ZONES);
    json_decref(trace);
}

static void dispatches_are_events(void **unused)
{
    (void)unused;
    trace_clear();
    trace_start();
    const char *kernel = trace_keep("matmul f16");
    assert_ptr_equal(kernel, trace_keep("matmul f16"));
    const struct trace_dispatch d[] = {
        {kernel, "MATMUL", 3, {1, 2, 3}, 1ull << 40, 2ull << 40, 1000500, 1002000},
        {trace_keep("other"), NULL, -1, {4, 1, 1}, 0, 0, 1002000, 1003000},
    };
    trace_add_submission("step", d, 2);
    json_t *trace = written(), *step = event(trace, "step"), *m = event(trace, "matmul f16");
    json_t *args = json_object_get(m, "args"), *other = json_object_get(event(trace, "other"), "args");
    assert_true(number(step, "ts") == 0 && number(step, "dur") == 2.5 && number(step, "pid") == 2);
    assert_true(number(m, "ts") == 0 && number(m, "dur") == 1.5 && number(event(trace, "other"), "ts") == 1.5);
    assert_string_equal(json_string_value(json_object_get(args, "op")), "MATMUL");
    assert_int_equal(json_integer_value(json_object_get(args, "layer")), 3);
    assert_int_equal(json_integer_value(json_object_get(args, "bytes")), 1ll << 40);
    assert_int_equal(json_integer_value(json_object_get(args, "flops")), 2ll << 40);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(args, "groups"), 2)), 3);
    assert_true(!json_object_get(other, "op") && !json_object_get(other, "layer"));
    json_decref(trace);
}

/* Memory is bounded: what comes after TRACE_MAX is counted. */
static void too_many_are_counted(void **unused)
{
    (void)unused;
    trace_clear();
    trace_start();
    for (int i = 0; i < TRACE_MAX + 5; i++) trace_end((struct trace_zone){"zone", 1}, NULL);
    assert_int_equal(trace_dropped(), 5);
    trace_clear();
    assert_int_equal(trace_dropped(), 0);
}

static void a_full_disk_is_told(void **unused)
{
    (void)unused;
    FILE *full = fopen("/dev/full", "wb");
    if (!full) skip();
    setvbuf(full, NULL, _IONBF, 0);
    assert_false(trace_write(full));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_it_records_nothing), cmocka_unit_test(zones_are_events),
        cmocka_unit_test(threads_record_at_once), cmocka_unit_test(dispatches_are_events),
        cmocka_unit_test(too_many_are_counted),   cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
