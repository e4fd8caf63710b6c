/* test_sample_gpu.c - the kernel that draws tokens, against the sampler on the CPU: the very same tokens, from logits
 * of every kind, for every stage of the chain and all together. It is compiled with the graph's kernels: the linker sends
 * calls of gpu_kernel_create to the one below, which counts them. */
#include "model/sample_case.h"
#include "support/kernel_hooks.h"
#include "support/op_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEPS = 12 };

static atomic_uint n_compiled;

struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err)
{
    n_compiled++;
    return __real_gpu_kernel_create(gpu, name, wgsl, bindings, err);
}

struct sampling {
    const char *name;
    struct sampler_params params;
    int32_t forbidden; /* tokens 0, 7, 14, .. */
};

static const struct sampling samplings[] = {
    {"greedy", {.temperature = 0, .top_p = 1, .repeat_penalty = 1}, 0},
    {"greedy, forbidden", {.temperature = 0, .top_p = 1, .repeat_penalty = 1}, 16},
    {"greedy, penalties",
     {.top_p = 1, .repeat_penalty = 1.3f, .presence_penalty = 0.7f, .frequency_penalty = 0.3f, .penalty_window = 5},
     2},
    {"greedy, longest window", {.top_p = 1, .repeat_penalty = 1.7f, .penalty_window = SAMPLE_HISTORY}, 0},
    {"greedy, encouraged", {.top_p = 1, .repeat_penalty = 0.001f, .presence_penalty = -1e6f, .penalty_window = 3}, 0},
    {"plain", {.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 0},
    {"hot", {.temperature = 1000, .top_p = 1, .repeat_penalty = 1}, 0},
    {"cold", {.temperature = 0.01f, .top_p = 1, .repeat_penalty = 1}, 0},
    {"frozen", {.temperature = 1e-30f, .top_p = 1, .repeat_penalty = 1}, 0},
    {"top-k 1", {.temperature = 2, .top_k = 1, .top_p = 1, .repeat_penalty = 1}, 0},
    {"top-k 40", {.temperature = 0.7f, .top_k = 40, .top_p = 1, .repeat_penalty = 1}, 0},
    {"top-k beyond all", {.temperature = 3, .top_k = INT32_MAX, .top_p = 1, .repeat_penalty = 1}, 0},
    {"top-p 0", {.temperature = 2, .top_p = 0, .repeat_penalty = 1}, 0},
    {"top-p 0.5", {.temperature = 1.5f, .top_p = 0.5f, .repeat_penalty = 1}, 0},
    {"top-p nearly 1", {.temperature = 1, .top_p = 0.99999994f, .repeat_penalty = 1}, 0},
    {"min-p", {.temperature = 2, .top_p = 1, .min_p = 0.05f, .repeat_penalty = 1}, 0},
    {"min-p 1", {.temperature = 2, .top_p = 1, .min_p = 1, .repeat_penalty = 1}, 0},
    {"RWKV's",
     {.temperature = 1,
      .top_k = 128,
      .top_p = 0.5f,
      .repeat_penalty = 1,
      .presence_penalty = 0.3f,
      .frequency_penalty = 0.3f,
      .penalty_window = 64},
     1},
    {"all",
     {.temperature = 0.8f,
      .top_k = 300,
      .top_p = 0.95f,
      .min_p = 0.001f,
      .repeat_penalty = 1.1f,
      .presence_penalty = 0.2f,
      .frequency_penalty = 0.1f,
      .penalty_window = 7},
     3},
};

enum kind { BELL, TIES, FLAT, PEAK, STRANGE, ZEROS, NAMELESS, N_KINDS };
static const char *const kinds[] = {"bell", "ties", "flat", "peak", "strange", "zeros", "no number"};

static void fill(float *out, uint32_t n, enum kind kind, struct rng *rng)
{
    static const float strange[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 3e38f, -3e38f, 2.5f, 2.5000002f, 2.4999998f};
    for (uint32_t i = 0; i < n; i++) {
        double x = 0;
        for (int k = 0; k < 6; k++) x += (double)rng_below(rng, 1 << 20) / (1 << 20) - 0.5;
        switch (kind) {
        case BELL: out[i] = (float)(x * 5); break;
        case TIES: out[i] = (float)(floor(x * 8) / 4); break;
        case FLAT: out[i] = -1.25f; break;
        case PEAK: out[i] = (float)(x * 0.01 + (i % 1000 == 7 ? 12 : 0)); break;
        case STRANGE: out[i] = strange[rng_below(rng, sizeof strange / sizeof *strange)]; break;
        case ZEROS: out[i] = i % 5 < 2 ? -1 : i % 5 < 4 ? -0.0f : 0.0f; break;
        default: out[i] = i % 2 ? NAN : -INFINITY; break;
        }
    }
    if (kind == STRANGE) /* finite on the whole in every other half */
        for (uint32_t i = 0; i < n / 2; i++)
            if (isinf(out[i]) || fabsf(out[i]) > 1e30f) out[i] = 1;
}

static struct sampler *create(const struct sampling *s, uint32_t vocab, uint32_t row)
{
    struct error err = {0};
    struct sampler_params params = s->params;
    params.seed = 0x123456789abcdefu * (row + 1);
    struct sampler *sampler = sampler_create(&params, (int32_t)vocab, &err);
    if (!sampler) fail_msg("%s", err.message);
    for (int32_t i = 0; i < s->forbidden && 7 * i < (int32_t)vocab; i++)
        assert_true(sampler_forbid(sampler, 7 * i, &err));
    /* a text before, which is longer than some windows */
    for (uint32_t i = 0; i < 9 * row; i++) sampler_accept(sampler, (int32_t)(i * 5 % 31));
    return sampler;
}

static void compare(struct sample_table *t, const struct sampling *s, enum kind kind, uint32_t rows)
{
    struct error err = {0};
    struct op_case_result result;
    struct sampler *samplers[SAMPLE_ROWS];
    for (uint32_t r = 0; r < rows; r++) {
        samplers[r] = create(s, t->vocab, r);
        assert_true(exec_decodes(t->exec, samplers[r]));
    }
    if (!sample_table_run(t, samplers, rows, STEPS, &result, &err)) fail_msg("%s", err.message);
    if (result.wrong) fail_msg("V=%u, %s, %s, %s", t->vocab, s->name, kinds[kind], result.message);
    for (uint32_t r = 0; r < rows; r++) sampler_destroy(samplers[r]);
}

static void compare_all(struct gpu *gpu, uint32_t vocab, uint32_t every)
{
    struct rng rng;
    struct error err = {0};
    struct sample_table t;
    rng_seed(&rng, vocab);
    if (!sample_table_init(&t, gpu, vocab, &err)) fail_msg("%s", err.message);
    uint32_t at = 0;
    for (int kind = 0; kind < N_KINDS; kind++) {
        for (uint32_t r = 0; r < SAMPLE_ROWS; r++) fill(t.logits + (size_t)r * vocab, vocab, (enum kind)kind, &rng);
        for (size_t i = 0; i < sizeof samplings / sizeof *samplings; i++)
            if (at++ % every == 0) compare(&t, &samplings[i], (enum kind)kind, at % 2 ? SAMPLE_ROWS : 1);
    }
    sample_table_free(&t);
}

static void test_small(void **gpu)
{
    compare_all(*gpu, 2560, 1);
    compare_all(*gpu, 260, 3);
    compare_all(*gpu, 4, 3); /* fewer than threads */
}

static void test_rwkv(void **gpu) { compare_all(*gpu, 65536, 5); }

static void test_gemma(void **gpu) { compare_all(*gpu, 262144, 11); }

/* The token that is fed next, and its position, are those that were drawn: the embedding of one step is the logits. */
static void test_fed_on(void **gpu)
{
    enum { V = 64 };
    struct op_bench b;
    struct error err = {0};
    case_begin(&b, "fed on");
    weight w = case_matrix(&b, "table", quant_find(QUANT_F32), V, V);
    const float *rows = (const float *)(const void *)b.tensors[0].data;
    b.graph.logits = op_select(&b.graph, op_embed(&b.graph, w, 1));
    if (!graph_ok(&b.graph, &err)) fail_msg("%s", err.message);
    struct exec *e = exec_gpu_create(*gpu, &b.graph, (struct step_limits){2, 2, 2}, 2, NULL, NULL, &err);
    if (!e) fail_msg("%s", err.message);
    const struct sampler_params p = {.temperature = 1, .top_p = 0.9f, .repeat_penalty = 1, .seed = 4};
    struct sampler *s = sampler_create(&p, V, &err);
    struct decode_sequence sequence = {.slot = 1, .room = UINT64_MAX, .token = 9, .sampler = s};
    struct decode *d = exec_decode(e, &sequence, 1, &(struct decode_limits){0}, &err);
    if (!d) fail_msg("%s", err.message);
    int32_t token = 9, next;
    for (int i = 0; i < 60; i++) {
        if (!decode_next(d, &next, &err)) fail_msg("%s", err.message);
        token = sampler_next(s, rows + token * V);
        assert_int_equal(next, token);
    }
    decode_destroy(d);
    sampler_destroy(s);
    exec_destroy(e);
    case_end(&b);
}

static void test_compiled_before(void **gpu)
{
    enum { VOCAB = 100 };
    struct sample_table t;
    struct error err = {0};
    struct op_case_result result;
    unsigned before = n_compiled;
    assert_true(sample_table_init(&t, *gpu, VOCAB, &err));
    assert_int_equal(n_compiled, before + 2); /* select and the sampler's */
    struct sampler *s = sampler_create(&samplings[0].params, VOCAB, &err);
    assert_true(sample_table_run(&t, &s, 1, 2, &result, &err));
    assert_int_equal(n_compiled, before + 2);
    sampler_destroy(s);
    sample_table_free(&t);
}

int main(void)
{
    static struct CMUnitTest tests[5 * N_VARIANTS];
    static char names[5 * N_VARIANTS][64];
    static const struct {
        const char *name;
        void (*run)(void **gpu);
    } parts[] = {{"compiled before", test_compiled_before},
                 {"small vocabularies", test_small},
                 {"RWKV's", test_rwkv},
                 {"Gemma's", test_gemma},
                 {"fed on", test_fed_on}};
    size_t n = 0;
    for (int v = 0; v < N_VARIANTS; v++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++, n++) {
            snprintf(names[n], sizeof names[n], "%s, %.30s", parts[i].name, case_variant_name((enum variant)v));
            tests[n] = (struct CMUnitTest){names[n], parts[i].run, NULL, NULL, case_gpu((enum variant)v)};
        }
    int failed = cmocka_run_group_tests_name("sample", tests, NULL, NULL);
    case_close();
    return failed;
}
