/* sample_case.c - see sample_case.h */
#include "model/sample_case.h"

#include <stdio.h>
#include <stdlib.h>

bool sample_table_init(struct sample_table *t, struct gpu *gpu, uint32_t vocab, struct error *err)
{
    *t = (struct sample_table){.vocab = vocab};
    case_begin(&t->bench, "sample");
    t->input = op_input(&t->bench.graph, vocab);
    t->bench.graph.logits = op_select(&t->bench.graph, t->input);
    t->logits = calloc((size_t)SAMPLE_ROWS * vocab, sizeof *t->logits);
    if (!t->logits) return fail_memory(err, "logits");
    const struct step_limits limits = {SAMPLE_ROWS + 1, SAMPLE_ROWS, SAMPLE_ROWS};
    t->exec = exec_gpu_create(gpu, &t->bench.graph, limits, SAMPLE_ROWS, NULL, NULL, err);
    return t->exec != NULL;
}

void sample_table_free(struct sample_table *t)
{
    exec_destroy(t->exec);
    case_end(&t->bench);
    free(t->logits);
    *t = (struct sample_table){0};
}

static void compare(struct sample_table *t, struct sampler *s, uint32_t row, uint32_t step, int32_t found,
                    struct op_case_result *result, uint32_t *n_wrong)
{
    int32_t wanted = sampler_next(s, t->logits + (size_t)row * t->vocab);
    sampler_accept(s, wanted);
    if (found == wanted) return;
    ++*n_wrong;
    if (result->wrong) return;
    result->wrong = true;
    snprintf(result->message, sizeof result->message, "row %u, step %u: token %d, expected %d", row, step, (int)found,
             (int)wanted);
}

bool sample_table_run(struct sample_table *t, struct sampler *const *samplers, uint32_t rows, uint32_t steps,
                      struct op_case_result *result, struct error *err)
{
    struct decode_sequence sequences[SAMPLE_ROWS] = {{0}};
    uint32_t n_wrong = 0;
    if (!exec_value_write(t->exec, t->input, t->logits, SAMPLE_ROWS, err)) return false;
    for (uint32_t r = 0; r < rows; r++)
        sequences[r] = (struct decode_sequence){.slot = r, .room = UINT64_MAX, .sampler = samplers[r]};
    struct decode *d = exec_decode(t->exec, sequences, rows, &(struct decode_limits){.max_steps = steps}, err);
    bool ok = d != NULL;
    *result = (struct op_case_result){0};
    for (uint32_t step = 0; ok && step < steps; step++) {
        int32_t tokens[SAMPLE_ROWS];
        ok = decode_next(d, tokens, err);
        for (uint32_t r = 0; ok && r < rows; r++) compare(t, samplers[r], r, step, tokens[r], result, &n_wrong);
    }
    decode_destroy(d);
    result->nmse = (double)n_wrong / (rows * steps);
    return ok;
}

bool sample_self_test(struct gpu *gpu, struct op_case_result *result, struct error *err)
{
    enum { VOCAB = 3000, STEPS = 8 };
    static const struct sampler_params params[SAMPLE_ROWS] = {
        {.top_p = 1, .repeat_penalty = 1.3f, .penalty_window = 4},
        {.temperature = 0.8f, .top_k = 40, .top_p = 0.9f, .min_p = 0.01f, .repeat_penalty = 1, .seed = 1},
        {.temperature = 1.5f, .top_p = 1, .repeat_penalty = 1, .frequency_penalty = 0.3f, .penalty_window = 64},
    };
    struct sample_table t;
    struct sampler *samplers[SAMPLE_ROWS] = {NULL};
    bool ok = sample_table_init(&t, gpu, VOCAB, err);
    for (int r = 0; ok && r < SAMPLE_ROWS; r++) ok = (samplers[r] = sampler_create(&params[r], VOCAB, err)) != NULL;
    if (ok) {
        case_fill(&t.bench.rng, t.logits, (size_t)SAMPLE_ROWS * VOCAB, -8, 8);
        ok = sample_table_run(&t, samplers, SAMPLE_ROWS, STEPS, result, err);
    }
    for (int r = 0; r < SAMPLE_ROWS; r++) sampler_destroy(samplers[r]);
    sample_table_free(&t);
    return ok;
}
