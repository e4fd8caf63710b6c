/* matmul.c - y = f(W x + bias), then * other or + other.   W[M,K] x[T,K] bias[M]? other[T,M]? -> y[T,M]
 *
 * Few tokens: matvec, bound by the bytes of W; each weight is decoded once for up to 8 tokens. Many: matmat, tiles in
 * workgroup memory. A matrix too large for one binding is done part by part. */
#include <math.h>
#include <stdio.h>

#include "ops/op.h"

#define MATMUL_PARAMS(U, F) \
    U(rows) U(row_at) U(spans) U(quads) U(out_cols) U(on_outputs) U(act) U(combine) U(has_bias)
PARAMS(matmul, MATMUL_PARAMS);

static double activate(enum act act, double x)
{
    switch (act) {
    case ACT_SIGMOID: return 1 / (1 + exp(-x));
    case ACT_TANH: return tanh(x);
    case ACT_RELU2: return x > 0 ? x * x : 0;
    case ACT_SILU: return x / (1 + exp(-x));
    case ACT_GELU: return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    default: return x;
    }
}

void matmul_ref(const struct op_ref *r)
{
    const struct ref_value *x = &r->in[0], *other = &r->in[1], *y = &r->out[0];
    const struct ref_weight *w = &r->w[0], *bias = &r->w[1];
    for (uint32_t m = 0; m < w->rows; m++) {
        ref_weight_row(w, m, r->scratch);
        for (uint32_t t = 0; t < y->rows; t++) {
            const float *row = x->data + (size_t)t * x->cols;
            size_t at = (size_t)t * y->cols + m;
            double sum = bias->q ? bias->vector[m] : 0;
            for (uint32_t k = 0; k < w->cols; k++) sum += (double)r->scratch[k] * row[k];
            sum = activate(r->args->act, sum);
            if (r->args->combine == COMBINE_ADD) sum += other->data[at];
            if (r->args->combine == COMBINE_MUL) sum *= other->data[at];
            y->data[at] = (float)sum;
        }
    }
}

static struct dispatch_desc describe(const char *kernel, const char *codec, uint32_t part,
                                     const struct matmul_params *params)
{
    return (struct dispatch_desc){
        .files = {kernel, codec, "matmul/epilogue", "activation"},
        .params_wgsl = matmul_params_wgsl, .params = params, .params_bytes = sizeof *params,
        .operands = {operand_quants(0, part), operand_scales(0, part), operand_in(0), operand_vector(1), operand_in(1),
                     operand_out(0)},
        .n_operands = 6,
    };
}

static uint32_t power_of_two_up_to(uint32_t limit)
{
    uint32_t n = 1;
    while (2 * n <= limit) n *= 2;
    return n;
}

/* up to max_tokens tokens, `tokens` at a time */
static bool plan_matvec(struct op_plan *p, const char *codec, uint32_t part, const struct matmul_params *params,
                        uint32_t tokens, uint32_t min_tokens, uint32_t max_tokens, struct error *err)
{
    const uint32_t threads = plan_threads(p, 128);
    /* more rows a thread share the loads of x; fewer rows fill the GPU where the matrix is small */
    uint32_t rows = params->rows >= 16384 ? 4 : 1;
    uint32_t lanes = power_of_two_up_to(params->spans < 64 ? params->spans : 64);
    while (params->rows / (threads / lanes * rows) >= p->device->max_groups && lanes > 1) lanes /= 2;
    struct dispatch_desc d = describe("matmul/matvec", codec, part, params);
    d.files[4] = plan_reduce(p);
    d.consts[0] = (struct kernel_const){"WORKGROUP", threads};
    d.consts[1] = (struct kernel_const){"LANES", lanes};
    d.consts[2] = (struct kernel_const){"ROWS", rows};
    d.consts[3] = (struct kernel_const){"TOKENS", tokens};
    uint32_t rows_per_group = threads / lanes * rows;
    d.grid[0] = (struct grid){.fixed = (params->rows + rows_per_group - 1) / rows_per_group};
    d.grid[1] = (struct grid){.rows = p->rows, .per = tokens};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err);
}

static bool plan_matmat(struct op_plan *p, const char *codec, uint32_t part, const struct matmul_params *params,
                        uint32_t min_tokens, struct error *err)
{
    struct dispatch_desc d = describe("matmul/matmat", codec, part, params);
    /* a tile of f16 weights takes half the workgroup memory, but F32 and BF16 would lose digits or overflow in it */
    enum quant_type type = p->w[0].q->type;
    d.f16 = p->device->shader_f16 && type != QUANT_F32 && type != QUANT_BF16;
    /* the larger tile reads less workgroup memory per product, where there are enough rows to fill the device */
    bool fits = p->device->max_workgroup_bytes >= (d.f16 ? 16u : 24u) << 10;
    uint32_t quads = fits && params->rows >= 1024 ? 2 : 1;
    d.consts[0] = (struct kernel_const){"QUADS", quads};
    d.grid[0] = (struct grid){.fixed = (params->rows + 64 * quads - 1) / (64 * quads)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = 64};
    d.min_rows = min_tokens;
    return plan_dispatch(p, &d, err);
}

bool matmul_plan(struct op_plan *p, struct error *err)
{
    const struct plan_weight *w = &p->w[0];
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    for (uint32_t part = 0; part < w->n_parts; part++) {
        uint32_t row_at = part * w->rows_per_part;
        struct matmul_params params = {
            .rows = w->rows - row_at < w->rows_per_part ? w->rows - row_at : w->rows_per_part,
            .row_at = row_at,
            .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
            .quads = w->cols / 4,
            .out_cols = p->out_cols[0],
            .on_outputs = p->rows == ROWS_OUTPUTS,
            .act = p->args->act,
            .combine = p->args->combine,
            .has_bias = p->w[1].q != NULL,
        };
        if (!plan_matvec(p, codec, part, &params, 1, 1, 1, err) || !plan_matvec(p, codec, part, &params, 4, 2, 4, err) ||
            !plan_matvec(p, codec, part, &params, 8, 5, 8, err) || !plan_matmat(p, codec, part, &params, 9, err))
            return false;
    }
    return true;
}
