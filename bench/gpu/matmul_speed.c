/* matmul_speed.c - see matmul_speed.h. A graph of the same product many times over, so that a step lasts long beside
 * the time that it takes to start one. */
#include "matmul_speed.h"

#include "base/clock.h"
#include "model/op_case.h"

enum { PRODUCTS = 32, STEPS = 4 };

static void record(struct op_bench *b, const struct quant_info *q, uint32_t rows, uint32_t cols)
{
    val x = quant_is_float(q) ? case_input(b, cols, -1, 1) : case_input_q8(b, cols, -1, 1);
    weight w = case_matrix(b, "w", q, rows, cols);
    for (int i = 0; i < PRODUCTS; i++) op_matmul(&b->graph, w, x, (struct matmul_args){0});
}

static bool measure(struct exec *e, struct gpu *gpu, struct step *step, uint64_t *best, struct error *err)
{
    *best = UINT64_MAX;
    for (int i = 0; i < STEPS; i++) { /* the first one warms up */
        uint64_t start = clock_ns();
        if (!exec_run(e, step, NULL, err) || !gpu_finish(gpu, err)) return false;
        uint64_t took = clock_ns() - start;
        if (took < *best) *best = took;
    }
    return true;
}

bool matmul_speed(struct gpu *gpu, const struct quant_info *q, uint32_t rows, uint32_t cols, uint32_t tokens,
                  double *tera, struct error *err)
{
    struct op_bench b;
    struct step step;
    struct exec *e = NULL;
    uint64_t best = 0;
    const struct step_limits limits = {tokens, 1, tokens};
    case_begin(&b, q->name);
    if (gpu_describe(gpu)->matrix_units) b.graph.units_tokens = b.graph.units_outputs = tokens;
    record(&b, q, rows, cols);
    bool ok = graph_ok(&b.graph, err) && step_init(&step, limits, err);
    if (ok) {
        step.n_tokens = step.count[0] = tokens;
        step.n_seqs = 1;
        e = exec_gpu_create(gpu, &b.graph, limits, 1, NULL, NULL, err);
        ok = e && measure(e, gpu, &step, &best, err);
        exec_destroy(e);
        step_free(&step);
    }
    case_end(&b);
    *tera = ok ? 2.0 * rows * cols * tokens * PRODUCTS / (double)best * 1e-3 : 0;
    return ok;
}
