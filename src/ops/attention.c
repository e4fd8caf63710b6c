/* attention.c - each token looks at its sequence up to itself, H query heads in groups that share a key-value head.
 *
 *   y_h = sum_p softmax_p(scale q_h . k_p) v_p          p from max(0, position - window + 1) to position; window 0: all
 *   q[T,H*D] S[P,2*KV] -> y[T,H*D]; head h reads key-value head h / (H*D / KV)
 *   args: head_dim D, window, scale
 *
 * The cache holds the step's tokens already (kv_write.c). Position p lies in row p % P: P must be the context, or
 * with a window at least window + tokens of a step - 1. */
#include <math.h>

#include "ops/op.h"

enum { MAX_HEAD = 256, THREADS = 128 };

#define ATTENTION_PARAMS(U, F) U(vectors) U(heads_per_kv) U(rows) U(row_vectors) U(slot_vectors) U(window) F(scale)
PARAMS(attention, ATTENTION_PARAMS);

/* where position p's key of a key-value head lies; its value lies state_cols / 2 behind */
static const float *key_at(const struct op_ref *r, const float *slot, uint32_t p, uint32_t kv_head)
{
    return slot + p % r->state_rows * (size_t)r->state_cols + (size_t)kv_head * r->args->head_dim;
}

static double score(const struct op_args *a, const float *q, const float *k)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->head_dim; i++) sum += (double)q[i] * k[i];
    return sum * a->scale;
}

static void attend(const struct op_ref *r, uint32_t t, uint32_t h, uint32_t kv_head)
{
    const struct op_args *a = r->args;
    uint32_t D = a->head_dim, end = r->step->position[t] + 1;
    uint32_t begin = a->window && end > a->window ? end - a->window : 0;
    const float *slot = r->state + r->step->slot[r->step->seq[t]] * r->state_stride;
    const float *q = r->in[0].data + (size_t)t * r->in[0].cols + (size_t)h * D;
    double top = -INFINITY, total = 0, y[MAX_HEAD] = {0};
    for (uint32_t p = begin; p < end; p++) top = fmax(top, score(a, q, key_at(r, slot, p, kv_head)));
    for (uint32_t p = begin; p < end; p++) {
        const float *k = key_at(r, slot, p, kv_head), *v = k + r->state_cols / 2;
        double share = exp(score(a, q, k) - top);
        total += share;
        for (uint32_t i = 0; i < D; i++) y[i] += share * v[i];
    }
    for (uint32_t i = 0; i < D; i++) r->out[0].data[(size_t)t * r->out[0].cols + h * D + i] = (float)(y[i] / total);
}

void attention_ref(const struct op_ref *r)
{
    uint32_t heads = r->out[0].cols / r->args->head_dim, heads_per_kv = 2 * r->out[0].cols / r->state_cols;
    for (uint32_t t = 0; t < r->step->n_tokens; t++)
        for (uint32_t h = 0; h < heads; h++) attend(r, t, h, h / heads_per_kv);
}

bool attention_plan(struct op_plan *p, struct error *err)
{
    const struct op_args *a = p->args;
    uint32_t C = p->out_cols[0], D = a->head_dim, threads = plan_threads(p, THREADS);
    struct attention_params params = {
        C / 4, 2 * C / p->state_cols, p->state_rows, p->state_cols / 4, p->state_stride / 4, a->window, a->scale};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "attention"},
        .consts = {{"WORKGROUP", threads}, {"LANES", threads}, {"VECTORS", D / 4}},
        .params_wgsl = attention_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_state('r'), operand_out(0)},
        .n_operands = 3,
        .grid = {{.fixed = C / D}, {1, 1, ROWS_TOKENS}},
    };
    return plan_dispatch(p, &d, err);
}
