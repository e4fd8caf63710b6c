/* test_tune_gpu.c - measuring the choices of a graph: calls that are alike are found; candidates with wrong results or
 * that the device refuses are never taken.
 *
 * The linker sends calls of gpu_kernel_create to the one below, which spoils some candidates' kernels. */
#include "model/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/call_group.h"
#include "support/kernel_hooks.h"
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

/* no device's usual shape has two rows a thread, nor as many threads as the second says */
static const char spoilt[] = " ROWS=2 ";
static char refused[32];
static bool spoils;

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    static const char right[] = "epilogue(segment.act, sum[r]", wrong[] = "epilogue(segment.act, sum[0]";
    const char *at = spoils && strstr(name, spoilt) ? strstr(wgsl, right) : NULL;
    if (spoils && strstr(name, refused)) return __real_gpu_kernel_create(gpu, name, "no shader", bindings, err);
    if (!at) return __real_gpu_kernel_create(gpu, name, wgsl, bindings, err);
    char *text = malloc(strlen(wgsl) + 1);
    assert_non_null(text);
    strcpy(text, wgsl);
    memcpy(text + (at - wgsl), wrong, sizeof wrong - 1);
    struct gpu_kernel *kernel = __real_gpu_kernel_create(gpu, name, text, bindings, err);
    free(text);
    return kernel;
}

static const uint32_t q8_product[] = {QUANT_Q8_0, 96, 64, ACT_NONE, COMBINE_NONE, MATMUL_INT8};

struct seen {
    uint32_t rows, matvecs, shifted, changed, wrong, refused, steps, stop_at;
};

static bool on_progress(void *user, const char *key, uint32_t done, uint32_t total, double left_s)
{
    struct seen *s = user;
    assert_true(*key && done <= total && total && left_s >= 0);
    return ++s->steps != s->stop_at;
}

static bool on_row(void *user, const struct tune_row *r)
{
    struct seen *s = user;
    const struct choice *c = r->choice;
    assert_in_range(r->best, 0, c->n - 1);
    assert_true(r->usual_us > 0 && r->best_us > 0 && r->best_us <= r->usual_us);
    assert_true(!r->best == (r->best_us >= r->usual_us));
    assert_int_equal(r->calls, 1);
    assert_in_range(r->n_wrong + r->n_refused, 0, c->n - 1);
    s->rows++;
    s->matvecs += !strncmp(c->key, "matvec", 6);
    s->shifted += !strncmp(c->key, "shifted", 7);
    s->changed += r->best > 0;
    s->wrong += r->n_wrong;
    s->refused += r->n_refused;
    if (!spoils || strncmp(c->key, "matvec", 6) != 0) return true;
    assert_int_not_equal(c->numbers[r->best][2], 2);
    char threads[32];
    snprintf(threads, sizeof threads, " WORKGROUP=%u ", c->numbers[r->best][0]);
    assert_string_not_equal(threads, refused);
    return true;
}

static void bad_candidates_are_not_taken(void **unused)
{
    (void)unused;
    struct gpu *gpu = case_gpu(VARIANT_FEATURES);
    const bool software = !strcmp(gpu_describe(gpu)->kind, "software");
    snprintf(refused, sizeof refused, " WORKGROUP=%d ", software ? 128 : 256);
    spoils = true;
    static struct op_bench b;
    case_begin(&b, "tune");
    record_matmul(&b, q8_product);
    struct seen seen = {0};
    struct tuning tuning = {0};
    struct error err = {0};
    const uint32_t kept[] = {7, 7, 7};
    assert_true(tuning_set(&tuning, "another model's", kept, NULL));
    if (!tune_graph(gpu, &b.graph, &(struct tune_listener){on_progress, on_row, &seen}, &tuning, &err))
        fail_msg("%s", err.message);
    spoils = false;
    /* 1, 4 and 8 tokens; up to 48 where there are no matrix units; on software more */
    const uint32_t matvecs = software ? 5 : gpu_describe(gpu)->matrix_units ? 3 : 4;
    assert_int_equal(seen.matvecs, matvecs);
    assert_true(seen.wrong >= matvecs - 1 && seen.refused >= matvecs - 1);
    assert_int_equal(tuning.n, 1 + seen.changed);
    assert_string_equal(tuning.items[0].key, "another model's");
    tuning_free(&tuning);
    case_end(&b);
}

/* ops with a state, with several dispatches, and with blends beside each other */
static void every_op_can_be_measured(void **unused)
{
    (void)unused;
    static const struct {
        void (*record)(struct op_bench *b, const uint32_t *n);
        uint32_t n[CASE_NUMBERS], rows;
    } ops[] = {
        {record_wkv7, {64, 2, 1, 0, 0}, 2}, /* few tokens, many */
        {record_token_shift, {512, 6}, 1},
        {record_products_int8, {QUANT_Q8_0, QUANT_Q8_0, QUANT_F32, PRODUCTS_END, 64, 64}, 6}, /* both, t48, many */
    };
    const bool software = !strcmp(gpu_describe(case_gpu(VARIANT_FEATURES))->kind, "software");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        static struct op_bench b;
        struct seen seen = {0};
        struct tuning tuning = {0};
        struct error err = {0};
        case_begin(&b, "tune");
        ops[i].record(&b, ops[i].n);
        if (!tune_graph(case_gpu(VARIANT_FEATURES), &b.graph, &(struct tune_listener){on_progress, on_row, &seen},
                        &tuning, &err))
            fail_msg("%zu: %s", i, err.message);
        /* hardware may have kernels without choices for some of them, and others */
        if (software) assert_int_equal(seen.rows, ops[i].rows);
        else assert_true(seen.rows >= 1);
        assert_int_equal(seen.wrong + seen.refused, 0);
        tuning_free(&tuning);
        case_end(&b);
    }
}

/* as hardware runs them */
static struct seen tune_discrete(void (*record)(struct op_bench *b, const uint32_t *n), const uint32_t *n)
{
    static struct op_bench b;
    struct gpu *gpu = case_gpu(VARIANT_FEATURES);
    struct gpu_info *info = (struct gpu_info *)gpu_describe(gpu);
    const struct gpu_info real = *info;
    struct seen seen = {0};
    struct tuning tuning = {0};
    struct error err = {0};
    case_begin(&b, "tune");
    record(&b, n);
    snprintf(info->kind, sizeof info->kind, "discrete");
    bool done = tune_graph(gpu, &b.graph, &(struct tune_listener){on_progress, on_row, &seen}, &tuning, &err);
    *info = real;
    if (!done) fail_msg("%s", err.message);
    assert_int_equal(seen.wrong + seen.refused, 0);
    tuning_free(&tuning);
    case_end(&b);
    return seen;
}

/* Products that do a token shift's work for one token: measured without the shift. */
static void what_is_taken_over_is_measured(void **unused)
{
    (void)unused;
    const struct gpu_info *info = gpu_describe(case_gpu(VARIANT_FEATURES));
    if (!info->subgroups || info->subgroup_size < 8) skip();
    struct seen seen = tune_discrete(record_shifted, (const uint32_t[]){QUANT_Q8_0, 32, 64, ACT_NONE, 0, MATMUL_INT8});
    assert_int_equal(seen.shifted, 1);
}

/* The step stands at the end of a cache that is full: few tokens, 64, a prompt. */
static void attention_is_measured(void **unused)
{
    (void)unused;
    assert_int_equal(tune_discrete(record_attention, (const uint32_t[]){16, 2, 1, 600, 20, CASE_TO_INT8}).rows, 3);
}

/* stopped by any of the calls: an error, and nothing leaks */
static void it_can_be_stopped(void **unused)
{
    (void)unused;
    static struct op_bench b;
    case_begin(&b, "tune");
    record_matmul(&b, q8_product);
    for (uint32_t at = 1; at < 8; at += 3) {
        struct seen seen = {.stop_at = at};
        struct tuning tuning = {0};
        struct error err = {0};
        assert_false(tune_graph(case_gpu(VARIANT_PLAIN), &b.graph, &(struct tune_listener){on_progress, on_row, &seen},
                                &tuning, &err));
        assert_int_equal(seen.steps, at);
        assert_int_equal(err.code, ERR_IO);
        tuning_free(&tuning);
    }
    case_end(&b);
}

static void record_three(struct op_bench *b)
{
    const struct quant_info *q = quant_find(QUANT_F16);
    val x = case_input(b, 64, -1, 1);
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "w%d", i);
        op_matmul(&b->graph, case_matrix(b, name, q, i == 1 ? 96 : 32, 64), x, (struct matmul_args){.act = ACT_NONE});
    }
}

/* the output of call `call` for one token of ones */
static void compute(const struct graph *g, uint32_t call, float *out)
{
    const struct step_limits limits = {1, 1, 1};
    struct error err = {0};
    struct step step;
    float ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1;
    struct exec *e = exec_ref_create(g, limits, 1, &err);
    assert_non_null(e);
    assert_true(step_init(&step, limits, &err));
    step.n_tokens = step.n_seqs = step.count[0] = 1;
    assert_true(exec_value_write(e, (val){1}, ones, 1, &err) && exec_run(e, &step, NULL, &err) &&
                exec_value_read(e, g->calls[call].out[0], out, 1, &err));
    step_free(&step);
    exec_destroy(e);
}

static void alike_calls_are_found_and_copied(void **unused)
{
    (void)unused;
    static struct op_bench b;
    case_begin(&b, "three");
    record_three(&b);
    uint32_t first[3];
    call_groups_find(&b.graph, first);
    assert_int_equal(first[0], 0);
    assert_int_equal(first[1], 1);
    assert_int_equal(first[2], 0);
    assert_int_equal(call_bytes(&b.graph, &b.graph.calls[1], 1), 96 * 64 * 2);
    float want[96], got[96];
    for (uint32_t n = 1; n <= 4; n++) { /* calls 0, 2, 0, 2 */
        struct graph copies;
        struct error err = {0};
        if (!call_group_record(&copies, &b.graph, first, 0, n, 1, &err)) fail_msg("%s", err.message);
        assert_int_equal(copies.n_calls, n);
        compute(&b.graph, n % 2 ? 0 : 2, want);
        compute(&copies, n - 1, got);
        assert_memory_equal(want, got, 32 * sizeof(float));
        graph_free(&copies);
    }
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
        cmocka_unit_test(bad_candidates_are_not_taken),
        cmocka_unit_test(every_op_can_be_measured),
        cmocka_unit_test(what_is_taken_over_is_measured),
        cmocka_unit_test(attention_is_measured),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(alike_calls_are_found_and_copied),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
