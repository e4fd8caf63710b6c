/* test_tune_check_gpu.c - what tuning found is tried in whole steps: what makes them slower is dropped. No small
 * difference decides here: the kernels that are to be slow compute in vain a hundred thousand times.
 *
 * The linker sends calls of gpu_kernel_create to the one below, which slows some kernels down. */
#include "model/tune_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct gpu_kernel *__real_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err);
struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err);

static const struct step_limits limits = {8, 8, 8};
static char slow[32]; /* in the names of kernels that are to be slow; empty: none */

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    static const char sum[] = "epilogue(segment.act, sum[r]", slower[] = "epilogue(segment.act, in_vain(sum[r])",
                      waste[] = "\nfn in_vain(x: f32) -> f32 {\n    var y = x;\n"
                                "    for (var i = 0u; i < 100000u; i++) { y = 0.9 * y + 1.0; }\n    return y;\n}\n";
    const char *at = *slow && strstr(name, slow) ? strstr(wgsl, sum) : NULL;
    if (!at) return __real_gpu_kernel_create(gpu, name, wgsl, bindings, err);
    char *text = calloc(1, strlen(wgsl) + sizeof slower + sizeof waste);
    assert_non_null(text);
    memcpy(text, wgsl, (size_t)(at - wgsl));
    strcat(text, slower);
    strcat(text, at + sizeof sum - 1);
    strcat(text, waste);
    struct gpu_kernel *kernel = __real_gpu_kernel_create(gpu, name, text, bindings, err);
    free(text);
    return kernel;
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
    kernel_cache_init(&kernels, gpu, limits);
    bool ok = tune_check(gpu, &b->graph, limits, &kernels, found, 1, goes_on, asked, err);
    kernel_cache_free(&kernels);
    *slow = 0;
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
    strcpy(slow, " ROWS=2 ");
    assert_true(check(&b, &found, &asked, &err));
    assert_int_equal(found.best, 0);
    assert_int_equal(asked.times, 1);
    case_end(&b);
}

static void faster_steps_keep_it(void **unused)
{
    (void)unused;
    static struct op_bench b;
    struct tune_found found;
    struct asked asked = {0};
    struct error err = {0};
    begin(&b, &found);
    const uint32_t best = found.best;
    snprintf(slow, sizeof slow, " ROWS=%u ", found.choice.numbers[0][2]);
    assert_true(check(&b, &found, &asked, &err));
    assert_int_equal(found.best, best);
    assert_false(found.on);
    case_end(&b);
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
