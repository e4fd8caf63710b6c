/* test_tune_check_gpu.c - what tuning found is tried in whole steps: what makes them slower is dropped. How long steps
 * take is made up here, as time must not decide a test.
 *
 * The linker sends calls of rivals_measure and gpu_kernel_create to those below. */
#include "model/rivals.h"
#include "model/tune_check.h"

#include <stdatomic.h>
#include <string.h>

#include "support/kernel_hooks.h"
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

bool __wrap_rivals_measure(struct rivals *r, int series, double to_beat, struct rival_times *times, struct error *err);

static const struct step_limits limits = {8, 8, 8};
static struct rival_times made_up;
static atomic_uint n_measured, n_candidates; /* candidates: kernels that only what was found asks for */

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    n_candidates += strstr(name, " ROWS=2 ") != NULL;
    return __real_gpu_kernel_create(gpu, name, wgsl, bindings, err);
}

bool __wrap_rivals_measure(struct rivals *r, int series, double to_beat, struct rival_times *times, struct error *err)
{
    (void)series, (void)to_beat, (void)err;
    assert_true(r->usual && r->other && r->usual != r->other);
    n_measured++;
    *times = made_up;
    return true;
}

static uint32_t take_choice(void *user, const struct choice *c)
{
    struct tune_found *found = user;
    if (c->tokens == 1 && !strncmp(c->key, "matvec", 6)) found->choice = *c;
    return 0;
}

/* a product of one token; its choice, with 2 rows a thread as the best, in *found */
static void begin(struct op_bench *b, struct tune_found *found)
{
    struct chooser chooser = {take_choice, found};
    struct error err = {0};
    *found = (struct tune_found){.best = 0};
    case_begin(b, "tune");
    record_matmul(b, (const uint32_t[]){QUANT_Q8_0, 96, 64, ACT_NONE, COMBINE_NONE, MATMUL_INT8});
    b->graph.chooser = &chooser;
    struct exec *e = exec_gpu_create(case_gpu(VARIANT_FEATURES), &b->graph, limits, 1, NULL, NULL, &err);
    if (!e) fail_msg("%s", err.message);
    exec_destroy(e);
    b->graph.chooser = NULL;
    const struct choice *c = &found->choice;
    for (uint32_t i = 1; i < c->n; i++)
        if (c->numbers[i][0] == c->numbers[0][0] && c->numbers[i][1] == c->numbers[0][1] && c->numbers[i][2] == 2)
            found->best = i;
    assert_int_not_equal(found->best, 0);
    assert_int_not_equal(c->numbers[0][2], 2);
}

struct asked {
    uint32_t times, stop_at;
};

static bool goes_on(void *user, struct error *err)
{
    struct asked *a = user;
    if (++a->times == a->stop_at) err->code = ERR_IO;
    return a->times != a->stop_at;
}

static bool check(struct op_bench *b, struct tune_found *found, struct asked *asked, struct error *err)
{
    struct kernel_cache kernels;
    struct gpu *gpu = case_gpu(VARIANT_FEATURES);
    n_measured = n_candidates = 0;
    kernel_cache_init(&kernels, gpu, limits);
    bool ok = tune_check(gpu, &b->graph, limits, &kernels, found, 1, goes_on, asked, err);
    kernel_cache_free(&kernels);
    return ok;
}

static void slower_steps_drop_it(void **unused)
{
    (void)unused;
    static struct op_bench b;
    struct tune_found found;
    struct asked asked = {0};
    struct error err = {0};
    begin(&b, &found);
    made_up = (struct rival_times){.usual_s = 1e-3, .ratio = 1.01, .surely = 1.02};
    assert_true(check(&b, &found, &asked, &err));
    assert_int_equal(found.best, 0);
    assert_int_equal(asked.times, 1);
    assert_int_equal(n_measured, 1);
    assert_true(n_candidates > 0);
    case_end(&b);
}

/* faster, or too slow to tell */
static void faster_steps_keep_it(void **unused)
{
    (void)unused;
    static const struct rival_times times[] = {{.usual_s = 1e-3, .ratio = 0.97, .surely = 0.98}, {.too_long = true}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        static struct op_bench b;
        struct tune_found found;
        struct asked asked = {0};
        struct error err = {0};
        begin(&b, &found);
        const uint32_t best = found.best;
        made_up = times[i];
        assert_true(check(&b, &found, &asked, &err));
        assert_int_equal(found.best, best);
        assert_false(found.on);
        assert_int_equal(n_measured, 1);
        assert_true(n_candidates > 0);
        case_end(&b);
    }
}

/* nothing was found; it was stopped; the device has no room for what the graph keeps */
static void what_cannot_be_tried_stays(void **unused)
{
    (void)unused;
    static struct op_bench b;
    struct tune_found found;
    struct asked asked = {0};
    struct error err = {0};
    begin(&b, &found);
    const uint32_t best = found.best;
    struct tune_found none = found;
    none.best = 0;
    assert_true(check(&b, &none, &asked, &err));
    assert_int_equal(asked.times, 0);
    asked.stop_at = 1;
    assert_false(check(&b, &found, &asked, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(found.best, best);
    case_end(&b);
    case_begin(&b, "tune");
    record_wkv7(&b, (const uint32_t[]){64, 2, 0, 0, 0});
    struct gpu_info *info = (struct gpu_info *)gpu_describe(case_gpu(VARIANT_FEATURES));
    const struct gpu_info real = *info;
    info->max_binding_bytes = 256;
    asked = (struct asked){0};
    const bool ok = check(&b, &found, &asked, &err);
    *info = real;
    assert_true(ok);
    assert_int_equal(asked.times, 0);
    assert_int_equal(found.best, best);
    case_end(&b);
}

static int tear_down(void **unused)
{
    (void)unused;
    case_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slower_steps_drop_it),
        cmocka_unit_test(faster_steps_keep_it),
        cmocka_unit_test(what_cannot_be_tried_stays),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
