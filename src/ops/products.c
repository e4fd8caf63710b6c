/* products.c - several matrix products side by side: y_i = f_i(W_i x_i + bias_i), x_i some columns of x.
 *
 *   W_i[M_i,K_i] x[T,K] bias[sum M_i]? -> y[T, sum M_i]
 *   weights of the call: the W_i, the biases, then stacks: neighbours as one matrix on the device, of one type and width
 *   or thin floats of any, so that one dispatch does what would be four, each waiting for the one before it
 *   args: n_products, products */
#include "ops/matmul_plan.h"

enum { BIAS = MAX_PRODUCTS, STACKS = MAX_PRODUCTS + 1 };

void products_ref(const struct op_ref *r)
{
    const struct ref_value *y = &r->out[0];
    for (uint32_t i = 0, y_at = 0; i < r->args->n_products; y_at += r->w[i++].rows) {
        const struct ref_weight *w = &r->w[i];
        const struct product_args *a = &r->args->products[i];
        const struct ref_value *x = &r->in[r->in[IN_Q8].data && !quant_is_float(w->q) ? IN_Q8 : 0];
        for (uint32_t m = 0; m < w->rows; m++) {
            ref_weight_row(w, m, r->scratch);
            for (uint32_t t = 0; t < y->rows; t++) {
                const float *row = x->data + (size_t)t * x->cols + a->x_at;
                double sum = r->w[BIAS].q ? r->w[BIAS].vector[y_at + m] : 0;
                for (uint32_t k = 0; k < w->cols; k++) sum += (double)r->scratch[k] * row[k];
                y->data[(size_t)t * y->cols + y_at + m] = (float)ref_activate(a->act, sum);
            }
        }
    }
}

/* the stacks of the call, whose rows follow each other in y; segments[MAX_PRODUCTS] is for all of them */
static uint32_t collect_stacks(const struct op_plan *p, struct matmul_plan *stacks, struct matmul_segment *segments)
{
    uint32_t n = 0, y_at = 0, product = 0;
    for (unsigned stack = STACKS; stack < OP_MAX_WEIGHTS && p->w[stack].q; stack++) {
        struct matmul_plan *m = &stacks[n++];
        *m = (struct matmul_plan){.weight = stack, .bias = BIAS, .y_at = y_at, .segments = &segments[product]};
        for (uint32_t rows = 0, plane_at = 0; rows < p->w[stack].rows; rows += p->w[product++].rows) {
            const struct product_args *a = &p->args->products[product];
            const struct plan_weight *w = &p->w[product];
            segments[product] =
                (struct matmul_segment){w->rows, w->cols, a->x_at, a->act, w->q->type, plane_at, w->largest};
            plane_at += w->rows * (uint32_t)(quant_row_quant_words(w->q, w->cols) / 4);
            m->n_segments++;
        }
        y_at += p->w[stack].rows;
    }
    return n;
}

bool products_plan(struct op_plan *p, struct error *err)
{
    struct matmul_plan stacks[MAX_PRODUCTS];
    struct matmul_segment segments[MAX_PRODUCTS];
    uint32_t n = collect_stacks(p, stacks, segments);
    bool shifted = false;
    if (n <= 2 && !matmul_plan_shifted(p, &stacks[0], n == 2 ? &stacks[1] : NULL, &shifted, err)) return false;
    for (uint32_t i = 0; i < n; i++) stacks[i].but = shifted;
    if (n == 2 && matmul_can_mix(p, &stacks[0], &stacks[1]) && !matmul_plan_mixed(p, &stacks[0], &stacks[1], err))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!matmul_plan_kernels(p, &stacks[i], err)) return false;
    return true;
}
