/* rope_kv.c - what attention takes from a token's q, k and v: queries and keys are rotated, keys and values go into the
 * cache. Rotary position embedding (Su et al., arXiv 2104.09864), pairs (i, i + D/2) of each head as in GPT-NeoX.
 *
 *   rope(x) = rotate(x / sqrt(mean_head(x^2) + eps) * scale), without norm and scale where there are none
 *   angle = position / rotate_scale * base^(-2i/D)
 *   rotate(x)_i = x_i cos(angle) - x_{i+D/2} sin(angle);  rotate(x)_{i+D/2} = x_{i+D/2} cos(angle) + x_i sin(angle)
 *   y = rope(q); S[position % P] = (rope(k), v)
 *
 *   qkv[T,H*D+2*KV] scale_q[D]? scale_k[D]? S[P,2*KV] -> y[T,H*D]
 *   args: head_dim D, base, rotate_scale, eps
 *
 * The cache is a ring of P positions: a step may not hold more tokens of a sequence than P, and attention sees only
 * what is not overwritten (attention.c). Its rows are of one of three types (quant/kv_row.h). */
#include <math.h>

#include "ops/kv_plan.h"

enum { RATIOS = 7, MAX_HEAD = 2 << RATIOS };

#define ROPE_KV_PARAMS(U, F)                                                                                           \
    U(heads)                                                                                                           \
    U(rows)                                                                                                            \
    U(row_quads)                                                                                                       \
    U(row_words)                                                                                                       \
    U(slot_words) F(eps) U(turn) U(ratio_0) U(ratio_1) U(ratio_2) U(ratio_3) U(ratio_4) U(ratio_5) U(ratio_6)
PARAMS(rope_kv, ROPE_KV_PARAMS);

static const double PI = 3.14159265358979323846;

/* one head of a token; scale may be NULL */
static void rotate(const struct op_args *a, const float *x, const float *scale, uint32_t position, float *y)
{
    const uint32_t D = a->head_dim;
    double squares = 0;
    for (uint32_t i = 0; i < D; i++) squares += (double)x[i] * x[i];
    double inverse_rms = scale ? 1 / sqrt(squares / D + a->eps) : 1;
    for (uint32_t i = 0, j = D / 2; i < D / 2; i++, j++) {
        double angle = position / (double)a->rotate_scale * pow(a->base, -2.0 * i / D);
        double x_i = x[i] * inverse_rms * (scale ? scale[i] : 1);
        double x_j = x[j] * inverse_rms * (scale ? scale[j] : 1);
        y[i] = (float)(x_i * cos(angle) - x_j * sin(angle));
        y[j] = (float)(x_j * cos(angle) + x_i * sin(angle));
    }
}

void rope_kv_ref(const struct op_ref *r)
{
    const struct step *step = r->step;
    const uint32_t D = r->args->head_dim, Q = r->out[0].cols, KV = r->state_cols / 2;
    const float *scale_q = r->w[0].q ? r->w[0].vector : NULL, *scale_k = r->w[1].q ? r->w[1].vector : NULL;
    for (uint32_t t = 0; t < step->n_tokens; t++) {
        const uint32_t position = step->position[t];
        const float *q = r->in[0].data + (size_t)t * r->in[0].cols, *k = q + Q;
        float *row =
            r->state + step->slot[step->seq[t]] * r->state_stride + position % r->state_rows * (size_t)r->state_cols;
        for (uint32_t at = 0; at < Q; at += D)
            rotate(r->args, q + at, scale_q, position, r->out[0].data + (size_t)t * Q + at);
        for (uint32_t at = 0; at < KV; at += D) rotate(r->args, k + at, scale_k, position, row + at);
        kv_round(r->state_type, row, KV, row);
        kv_round(r->state_type, k + KV, KV, row + KV);
    }
}

/* x in [0, 1) as a 32-bit fraction */
static uint32_t fraction(double x)
{
    double scaled = floor(x * 4294967296.0 + 0.5);
    return scaled < 4294967295.0 ? (uint32_t)scaled : UINT32_MAX;
}

bool rope_kv_plan(struct op_plan *p, struct error *err)
{
    const struct op_args *a = p->args;
    const uint32_t D = a->head_dim, threads = D < 32 ? 8 : power_of_two_from(D / 4);
    if (D > MAX_HEAD || !(a->base > 1) || !(a->rotate_scale >= 0.25f))
        return fail(err, ERR_UNSUPPORTED,
                    "rope with head size %u, base %g, scale %g: expected at most %d, above 1, at least 0.25", D,
                    (double)a->base, (double)a->rotate_scale, MAX_HEAD);
    uint32_t ratio[RATIOS];
    for (int b = 0; b < RATIOS; b++) ratio[b] = fraction(pow(a->base, -(double)(2u << b) / D));
    struct rope_kv_params params = {.heads = p->out_cols[0] / D,
                                    .rows = p->state_rows,
                                    .row_quads = p->state_cols / 4,
                                    .row_words = (uint32_t)kv_row_words(p->state_type, p->state_cols),
                                    .slot_words = p->state_stride,
                                    .eps = a->eps,
                                    .turn = fraction(1 / (2 * PI * a->rotate_scale)),
                                    .ratio_0 = ratio[0],
                                    .ratio_1 = ratio[1],
                                    .ratio_2 = ratio[2],
                                    .ratio_3 = ratio[3],
                                    .ratio_4 = ratio[4],
                                    .ratio_5 = ratio[5],
                                    .ratio_6 = ratio[6]};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "kv/rope_kv"},
        .consts = {{"HEAD", D}, {"WORKGROUP", threads}, {"LANES", threads}, {"NORM", p->w[0].q != NULL}},
        .params_wgsl = rope_kv_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_vector(0), operand_vector(1), operand_out(0)},
        .n_operands = 4,
        .grid = {{.fixed = p->in_cols[0] / D}, {1, 1, ROWS_TOKENS}},
    };
    plan_kv_store(p, &d);
    return plan_dispatch(p, &d, err);
}
