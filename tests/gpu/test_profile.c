/* test_profile.c - dispatches are timed while a trace records, with timestamps inside of passes and without them. */
#include "gpu/native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"

#include <cmocka.h>

static const char add_wgsl[] = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n"
                               "@compute @workgroup_size(1) fn main() { y[0] += 1u; }\n";

struct bench {
    struct gpu *gpu;
    struct gpu_buffer *y;
    struct gpu_kernel *kernels[2];
    struct gpu_bindings *bindings;
    uint64_t began;
};

/* in_passes: as the device can; else as one that writes timestamps only where passes begin and end */
static void start(struct bench *b, bool traced, bool in_passes)
{
    struct error err = {0};
    trace_clear();
    if (traced) trace_start();
    b->began = clock_ns();
    b->gpu = gpu_open(&(struct gpu_options){.device = getenv("CORVID_DEVICE"), .validate = true}, &err);
    if (!b->gpu) fail_msg("%s", err.message);
    if (!in_passes) b->gpu->w.ComputePassEncoderWriteTimestamp = NULL;
    b->y = gpu_buffer_create(b->gpu, "y", 16, &err);
    b->kernels[0] = gpu_kernel_create(b->gpu, "first", add_wgsl, "w", &err);
    b->kernels[1] = gpu_kernel_create(b->gpu, "second", add_wgsl, "w", &err);
    struct gpu_range range = {b->y, 0, 16};
    b->bindings = gpu_bindings_create(b->gpu, b->kernels[0], &range, 1, &err);
    if (err.code) fail_msg("%s", err.message);
}

static void stop(struct bench *b)
{
    gpu_bindings_destroy(b->bindings);
    gpu_kernel_destroy(b->kernels[0]);
    gpu_kernel_destroy(b->kernels[1]);
    gpu_buffer_destroy(b->y);
    gpu_close(b->gpu);
    trace_stop();
}

static void dispatch(struct bench *b, int kernel, uint32_t groups)
{
    gpu_dispatch(b->gpu, b->kernels[kernel], b->bindings, (uint32_t[]){groups, 1, 1});
}

/* the counter, in a submission of its own without dispatches */
static uint32_t count(struct bench *b)
{
    unsigned ticket;
    const void *data;
    uint32_t n = 0;
    gpu_begin(b->gpu, "count");
    assert_true(gpu_read(b->gpu, (struct gpu_range){b->y, 0, 4}, &ticket, NULL));
    assert_true(gpu_submit(b->gpu, NULL) && gpu_wait(b->gpu, ticket, &data, NULL));
    memcpy(&n, data, sizeof n);
    gpu_release(b->gpu, ticket);
    return n;
}

static bool has_timestamps(struct bench *b) { return gpu_describe(b->gpu)->timestamps; }

static void times_in_order(const struct bench *b)
{
    const uint64_t slack = 100000000; /* two clocks; a busy machine */
    size_t n;
    const struct trace_dispatch *d = trace_dispatches(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(d[i].begin_ns <= d[i].end_ns);
        assert_true(!i || d[i - 1].end_ns <= d[i].begin_ns);
        assert_true(d[i].begin_ns + slack > b->began && d[i].end_ns < clock_ns() + slack);
    }
}

static void dispatches_are_timed(bool in_passes)
{
    struct bench b;
    start(&b, true, in_passes);
    bool timed = has_timestamps(&b);
    gpu_begin(b.gpu, "work");
    assert_int_equal(gpu_is_traced(b.gpu), timed);
    if (timed) gpu_describe_next(b.gpu, &(struct gpu_work){"ADD", 7, 100, 200});
    dispatch(&b, 0, 1);
    dispatch(&b, 1, 3);
    gpu_clear(b.gpu, (struct gpu_range){b.y, 8, 4}); /* ends the pass */
    dispatch(&b, 1, 1);
    assert_true(gpu_submit(b.gpu, NULL));
    assert_true(count(&b) >= 3); /* groups of one dispatch race */
    stop(&b);
    size_t n, n_submissions;
    const struct trace_dispatch *d = trace_dispatches(&n);
    const struct trace_submission *s = trace_submissions(&n_submissions);
    assert_int_equal(n, timed ? 3 : 0);
    if (!timed) return;
    assert_int_equal(n_submissions, 1);
    assert_string_equal(s->label, "work");
    assert_true(s->first == 0 && s->count == 3 && s->begin_ns == d[0].begin_ns && s->end_ns == d[2].end_ns);
    assert_string_equal(d[0].kernel, "first");
    assert_string_equal(d[0].op, "ADD");
    assert_true(d[0].layer == 7 && d[0].bytes == 100 && d[0].flops == 200);
    assert_string_equal(d[1].kernel, "second");
    assert_true(!d[1].op && d[1].layer == -1 && !d[1].bytes && !d[1].flops && d[1].groups[0] == 3);
    times_in_order(&b);
}

static void inside_of_passes(void **unused)
{
    (void)unused;
    dispatches_are_timed(true);
}

static void around_passes(void **unused)
{
    (void)unused;
    dispatches_are_timed(false);
}

/* More dispatches than a set has queries: all run, those that fit are timed. */
static void many_dispatches(bool in_passes, size_t fit)
{
    enum { N = 4200 };
    struct bench b;
    start(&b, true, in_passes);
    bool timed = has_timestamps(&b);
    gpu_begin(b.gpu, "many");
    for (int i = 0; i < N; i++) dispatch(&b, 0, 1);
    assert_true(gpu_submit(b.gpu, NULL));
    assert_int_equal(count(&b), N);
    stop(&b);
    size_t n;
    trace_dispatches(&n);
    assert_int_equal(n, timed ? fit : 0);
    times_in_order(&b);
}

static void more_than_fit_inside(void **unused)
{
    (void)unused;
    many_dispatches(true, 4095);
}

static void more_than_fit_around(void **unused)
{
    (void)unused;
    many_dispatches(false, 2048);
}

/* Many submissions are under way before any is waited for, more than there are slots for. */
static void submissions_ahead(void **unused)
{
    enum { N = 3 * GPU_TICKETS + 1 };
    (void)unused;
    struct bench b;
    start(&b, true, true);
    bool timed = has_timestamps(&b);
    for (int i = 0; i < N; i++) {
        gpu_begin(b.gpu, "ahead");
        dispatch(&b, i & 1, 1);
        assert_true(gpu_submit(b.gpu, NULL));
    }
    assert_int_equal(count(&b), N);
    stop(&b);
    size_t n;
    const struct trace_dispatch *d = trace_dispatches(&n);
    assert_int_equal(n, timed ? N : 0);
    for (size_t i = 0; i < n; i++) assert_string_equal(d[i].kernel, i & 1 ? "second" : "first");
    times_in_order(&b);
}

static void nothing_is_recorded_when_off(void **unused)
{
    (void)unused;
    struct bench b;
    size_t n;
    start(&b, true, true);
    trace_stop();
    gpu_begin(b.gpu, "off");
    assert_false(gpu_is_traced(b.gpu));
    dispatch(&b, 0, 1);
    assert_true(gpu_submit(b.gpu, NULL) && gpu_finish(b.gpu, NULL));
    stop(&b);
    trace_dispatches(&n);
    assert_int_equal(n, 0);
}

/* Opened before the trace was on, a device has no timestamps; it works all the same. */
static void a_device_opened_before(void **unused)
{
    (void)unused;
    struct bench b;
    size_t n;
    start(&b, false, true);
    assert_null(b.gpu->profile);
    trace_start();
    gpu_begin(b.gpu, "late");
    assert_false(gpu_is_traced(b.gpu));
    dispatch(&b, 0, 1);
    assert_true(gpu_submit(b.gpu, NULL));
    assert_int_equal(count(&b), 1);
    stop(&b);
    trace_dispatches(&n);
    assert_int_equal(n, 0);
}

static void reading_has_a_speed(void **unused)
{
    (void)unused;
    struct bench b;
    struct error err = {0};
    double speed = 0;
    start(&b, false, true);
    if (!gpu_read_speed(b.gpu, &speed, &err)) fail_msg("%s", err.message);
    assert_true(speed > 1e7 && speed < 1e14);
    stop(&b);
}

static int forget(void **unused)
{
    (void)unused;
    trace_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inside_of_passes),       cmocka_unit_test(around_passes),
        cmocka_unit_test(more_than_fit_inside),   cmocka_unit_test(more_than_fit_around),
        cmocka_unit_test(submissions_ahead),      cmocka_unit_test(nothing_is_recorded_when_off),
        cmocka_unit_test(a_device_opened_before), cmocka_unit_test(reading_has_a_speed),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, forget);
}
