/* test_ahead.c - the thread that works ahead of its caller, on a generation that is made up: order, bounds, rest, errors
 * and ends. Made to be run under ThreadSanitizer as well. */
#define _POSIX_C_SOURCE 200809L

#include "engine/ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

enum { AHEAD = 4, KEPT = 8 };

/* token k is k; the linker takes these functions instead of decode_gpu.c's */
struct decode {
    int32_t made[KEPT];
    uint64_t submitted;
    atomic_uint_fast64_t arrived, returned, asked;
    uint64_t max_steps, fails_at; /* 0: never */
    long work_us;
    atomic_int inside; /* threads in decode_work */
};

static void pause_us(long us)
{
    if (us) nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static bool can_submit(const struct decode *d)
{
    return d->submitted < d->asked ||
           (d->submitted - d->returned < AHEAD && (!d->max_steps || d->submitted < d->max_steps));
}

void decode_ask(struct decode *d) { d->asked = d->returned + 1; }
bool decode_can_work(const struct decode *d) { return can_submit(d) || d->arrived < d->submitted; }
bool decode_has(const struct decode *d) { return d->arrived > d->returned; }

bool decode_work(struct decode *d, struct error *err)
{
    assert_int_equal(atomic_fetch_add(&d->inside, 1), 0);
    pause_us(d->work_us);
    bool ok = true;
    if (can_submit(d)) {
        d->submitted++;
        assert_true(d->submitted - d->returned <= AHEAD + 1);
    } else {
        const uint64_t step = d->arrived + 1;
        ok = step != d->fails_at;
        if (!ok && err) *err = (struct error){ERR_DEVICE, "step failed"};
        d->made[step % KEPT] = (int32_t)step;
        d->arrived = step;
    }
    atomic_fetch_sub(&d->inside, 1);
    return ok;
}

void decode_take(struct decode *d, int32_t *tokens)
{
    assert_true(d->returned < d->arrived);
    *tokens = d->made[(d->returned + 1) % KEPT];
    d->returned++;
}

bool decode_next(struct decode *d, int32_t *tokens, struct error *err)
{
    decode_ask(d);
    while (can_submit(d) || !decode_has(d))
        if (!decode_work(d, err)) return false;
    decode_take(d, tokens);
    return true;
}

static void expect_next(struct ahead *a, struct ahead_work *w, int32_t wanted)
{
    struct error err;
    int32_t token = -1;
    assert_true(ahead_next(a, w, &token, &err));
    assert_int_equal(token, wanted);
}

/* Every token once and in order, whoever is slower. */
static void tokens_come_in_order(void **unused)
{
    static const struct {
        long work_us, consumer_us;
    } speeds[] = {{0, 0}, {200, 0}, {0, 200}, {100, 100}};
    (void)unused;
    for (int i = 0; i < 4; i++) {
        struct ahead a = {0};
        struct decode d = {.work_us = speeds[i].work_us, .max_steps = i % 2 ? 100 : 0};
        struct ahead_work w = {.decode = &d};
        for (int32_t k = 1; k <= 100; k++) {
            expect_next(&a, &w, k);
            pause_us(speeds[i].consumer_us);
        }
        ahead_end(&a);
        assert_true(d.arrived <= 100 + AHEAD);
        if (d.max_steps) assert_int_equal(d.submitted, 100);
    }
}

/* The thread gets ahead, not too far, and no step is made that nobody may want; unless it is asked for. */
static void it_goes_as_far_as_it_may(void **unused)
{
    (void)unused;
    for (uint64_t max = 0; max <= 3; max += 3) {
        struct ahead a = {0};
        struct decode d = {.max_steps = max};
        struct ahead_work w = {.decode = &d};
        const uint64_t most = max ? max : 1 + AHEAD;
        expect_next(&a, &w, 1);
        for (int i = 0; i < 2000 && d.arrived < most; i++) pause_us(1000);
        pause_us(5000);
        ahead_rest(&a);
        assert_int_equal(d.arrived, most);
        assert_int_equal(d.submitted, most);
        for (int32_t k = 2; k <= 5; k++) expect_next(&a, &w, k);
        ahead_end(&a);
    }
}

/* Nothing happens while it rests, and it goes on where it was. */
static void it_rests(void **unused)
{
    struct ahead a = {0};
    struct decode d = {.work_us = 300}, other = {.work_us = 100};
    struct ahead_work w = {.decode = &d}, v = {.decode = &other};
    (void)unused;
    ahead_rest(&a); /* there is no thread yet */
    for (int32_t k = 1; k <= 30; k++) {
        expect_next(&a, &w, k);
        if (k % 3 == 0) {
            ahead_rest(&a);
            const uint64_t submitted = d.submitted, arrived = d.arrived;
            assert_int_equal(d.inside, 0);
            pause_us(2000);
            assert_true(d.submitted == submitted && d.arrived == arrived);
        }
        if (k % 5 == 0) expect_next(&a, &v, k / 5); /* takes the thread from the first */
    }
    ahead_end(&a);
}

/* The caller hears of it at its next call and at each one after; other work goes on. */
static void errors_reach_the_caller(void **unused)
{
    struct ahead a = {0};
    struct decode d = {.fails_at = 2}, other = {.work_us = 0};
    struct ahead_work w = {.decode = &d}, v = {.decode = &other};
    struct error err = {.code = ERR_NONE};
    int32_t token;
    int n = 0;
    (void)unused;
    while (ahead_next(&a, &w, &token, &err)) assert_int_equal(token, ++n);
    assert_true(n < 2);
    assert_int_equal(err.code, ERR_DEVICE);
    assert_string_equal(err.message, "step failed");
    pause_us(2000);
    assert_int_equal(d.arrived, 2); /* though more are in flight */
    expect_next(&a, &v, 1);
    assert_false(ahead_next(&a, &w, &token, NULL));
    assert_int_equal(d.arrived, 2);
    expect_next(&a, &v, 2);
    ahead_end(&a);
}

static void it_ends_at_any_time(void **unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        struct ahead a = {0};
        struct decode d = {.work_us = i % 4 * 50};
        struct ahead_work w = {.decode = &d};
        for (int32_t k = 1; k <= i % 5; k++) expect_next(&a, &w, k);
        if (i % 2) ahead_rest(&a);
        ahead_end(&a);
        ahead_end(&a);
        assert_int_equal(d.inside, 0);
        expect_next(&a, &w, i % 5 + 1); /* a new thread */
        ahead_end(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_in_order),
        cmocka_unit_test(it_goes_as_far_as_it_may),
        cmocka_unit_test(it_rests),
        cmocka_unit_test(errors_reach_the_caller),
        cmocka_unit_test(it_ends_at_any_time),
    };
    return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
