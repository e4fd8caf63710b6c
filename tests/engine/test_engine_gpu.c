/* test_engine_gpu.c - what only a GPU has: progress of loading, and cancelling it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/model_case.h"

static corvid_device *device;

static int set_up(void **state)
{
    (void)state;
    device = open_device(&(struct model_setup){.device = NULL});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    corvid_device_close(device);
    return 0;
}

struct progress {
    uint64_t done, total, calls, cancel_at; /* the call that cancels; 0: none */
    bool is_wrong;
};

static bool follow(void *user, uint64_t done, uint64_t total)
{
    struct progress *p = user;
    if (done < p->done || done > total || (p->calls && total != p->total)) p->is_wrong = true;
    p->done = done;
    p->total = total;
    return ++p->calls != p->cancel_at;
}

static void test_progress(void **state)
{
    (void)state;
    struct progress p = {0};
    corvid_error err;
    corvid_model_options o = {.progress = follow, .progress_user = &p};
    corvid_model *model = corvid_model_open(device, in_source(built_in_model).text, &o, &err);
    if (!model) fail_msg("%s", err.message);
    assert_true(p.calls > 1);
    assert_int_equal(p.done, p.total);
    assert_false(p.is_wrong);
    corvid_model_close(model);
}

static void test_cancel(void **state)
{
    (void)state;
    static const uint64_t calls[] = {1, 2, 7};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct progress p = {.cancel_at = calls[i]};
        corvid_error err = {0};
        corvid_model_options o = {.progress = follow, .progress_user = &p};
        assert_null(corvid_model_open(device, in_source(built_in_model).text, &o, &err));
        assert_int_equal(p.calls, calls[i]); /* it is not called again */
        assert_true(err.code != CORVID_OK && *err.message);
    }
    /* the device is as good as before */
    corvid_model *model = open_model(device, in_source(built_in_model).text, 1, 0, 0);
    corvid_session *session = new_session(model);
    float logits[2560];
    feed(session, (const int32_t[]){1172, 59}, 2, logits, NULL);
    assert_true(max_difference(logits, logits, 2560) <= 0); /* numbers */
    corvid_session_destroy(session);
    corvid_model_close(model);
}

static void test_memory_limit(void **state)
{
    (void)state;
    struct path path = in_source(built_in_model);
    corvid_model_options o = {.max_sessions = 3};
    corvid_error err = {0};
    corvid_model *model = corvid_model_open(device, path.text, &o, &err);
    if (!model) fail_msg("%s", err.message);
    const corvid_model_info *i = corvid_model_describe(model);
    assert_int_equal(i->copies_bytes, 3 * i->state_bytes); /* no state of it has positions */
    uint64_t copies = 3 * i->copies_bytes, needed = i->weight_bytes + 3 * i->state_bytes + i->work_bytes + copies;
    corvid_memory memory;
    if (corvid_device_memory(device, &memory)) assert_true(memory.used_bytes >= needed - copies);
    corvid_model_close(model);
    struct progress p = {0};
    o.progress = follow;
    o.progress_user = &p;
    o.max_memory = needed - 1;
    assert_null(corvid_model_open(device, path.text, &o, &err));
    assert_int_equal(err.code, CORVID_ERROR_LIMIT);
    assert_non_null(strstr(err.message, "states of 3 sessions"));
    assert_int_equal(p.calls, 0); /* nothing was loaded */
    o.max_memory = needed;
    model = corvid_model_open(device, path.text, &o, &err);
    if (!model) fail_msg("%s", err.message);
    corvid_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_progress), cmocka_unit_test(test_cancel),
                                       cmocka_unit_test(test_memory_limit)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
