/* rope.c - rotary position embedding (Su et al., arXiv 2104.09864), pairs (i, i + D/2) of each head as in GPT-NeoX.
 *
 *   x' = x / sqrt(mean_head(x^2) + eps) * scale, where there is a scale
 *   angle = position / rotate_scale * base^(-2i/D)
 *   y_i = x'_i cos(angle) - x'_{i+D/2} sin(angle);  y_{i+D/2} = x'_{i+D/2} cos(angle) + x'_i sin(angle)
 *
 *   x[T,H*D] scale[D]? -> y[T,H*D]
 *   args: head_dim D, base, rotate_scale, eps */
#include <math.h>

#include "ops/op.h"

enum { RATIOS = 7, MAX_HEAD = 2 << RATIOS };

#define ROPE_PARAMS(U, F)                                                                                              \
    U(cols) F(eps) U(turn) U(ratio_0) U(ratio_1) U(ratio_2) U(ratio_3) U(ratio_4) U(ratio_5) U(ratio_6)
PARAMS(rope, ROPE_PARAMS);

static const double PI = 3.14159265358979323846;

void rope_ref(const struct op_ref *r)
{
    const struct op_args *a = r->args;
    uint32_t C = r->out[0].cols, D = a->head_dim;
    for (size_t h = 0; h < (size_t)r->out[0].rows * (C / D); h++) {
        const float *x = r->in[0].data + h * D;
        float *y = r->out[0].data + h * D;
        double position = r->step->position[h / (C / D)], squares = 0;
        for (uint32_t i = 0; i < D; i++) squares += (double)x[i] * x[i];
        double inverse_rms = r->w[0].q ? 1 / sqrt(squares / D + a->eps) : 1;
        for (uint32_t i = 0, j = D / 2; i < D / 2; i++, j++) {
            double angle = position / a->rotate_scale * pow(a->base, -2.0 * i / D);
            double x_i = x[i] * inverse_rms * (r->w[0].q ? r->w[0].vector[i] : 1);
            double x_j = x[j] * inverse_rms * (r->w[0].q ? r->w[0].vector[j] : 1);
            y[i] = (float)(x_i * cos(angle) - x_j * sin(angle));
            y[j] = (float)(x_j * cos(angle) + x_i * sin(angle));
        }
    }
}

/* x in [0, 1) as a 32-bit fraction */
static uint32_t fraction(double x)
{
    double scaled = floor(x * 4294967296.0 + 0.5);
    return scaled < 4294967295.0 ? (uint32_t)scaled : UINT32_MAX;
}

bool rope_plan(struct op_plan *p, struct error *err)
{
    const struct op_args *a = p->args;
    uint32_t D = a->head_dim, threads = power_of_two_from(D / 2);
    if (D > MAX_HEAD || !(a->base > 1) || !(a->rotate_scale >= 0.25f))
        return fail(err, ERR_UNSUPPORTED,
                    "rope with head size %u, base %g, scale %g: expected at most %d, above 1, at least 0.25", D,
                    (double)a->base, (double)a->rotate_scale, MAX_HEAD);
    uint32_t ratio[RATIOS];
    for (int b = 0; b < RATIOS; b++) ratio[b] = fraction(pow(a->base, -(double)(2u << b) / D));
    struct rope_params params = {p->out_cols[0], a->eps,   fraction(1 / (2 * PI * a->rotate_scale)),
                                 ratio[0],       ratio[1], ratio[2],
                                 ratio[3],       ratio[4], ratio[5],
                                 ratio[6]};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "rope"},
        .consts = {{"HEAD", D}, {"WORKGROUP", threads}, {"LANES", threads}, {"NORM", p->w[0].q != NULL}},
        .params_wgsl = rope_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(0), operand_vector(0), operand_out(0)},
        .n_operands = 3,
        .grid = {{.fixed = p->out_cols[0] / D}, {1, 1, ROWS_TOKENS}},
    };
    return plan_dispatch(p, &d, err);
}
