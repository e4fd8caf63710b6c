/* matmul.c - y = f(W x + bias), then * other or + other.   W[M,K] x[T,K] bias[M]? other[T,M]? -> y[T,M] */
#include "ops/matmul_plan.h"

void matmul_ref(const struct op_ref *r)
{
    const struct ref_value *x = &r->in[r->in[IN_Q8].data ? IN_Q8 : 0], *other = &r->in[1], *y = &r->out[0];
    const struct ref_weight *w = &r->w[0], *bias = &r->w[1];
    for (uint32_t m = 0; m < w->rows; m++) {
        ref_weight_row(w, m, r->scratch);
        for (uint32_t t = 0; t < y->rows; t++) {
            const float *row = x->data + (size_t)t * x->cols;
            size_t at = (size_t)t * y->cols + m;
            double sum = bias->q ? bias->vector[m] : 0;
            for (uint32_t k = 0; k < w->cols; k++) sum += (double)r->scratch[k] * row[k];
            sum = ref_activate(r->args->act, sum);
            if (r->args->combine == COMBINE_ADD) sum += other->data[at];
            if (r->args->combine == COMBINE_MUL) sum *= other->data[at];
            y->data[at] = (float)sum;
        }
    }
}

bool matmul_plan(struct op_plan *p, struct error *err)
{
    struct matmul_segment all = {.rows = p->w[0].rows, .cols = p->w[0].cols, .act = p->args->act};
    struct matmul_plan m = {.weight = 0, .bias = 1, .segments = &all, .n_segments = 1};
    bool shifted;
    if (!matmul_plan_shifted(p, &m, NULL, &shifted, err)) return false;
    m.but = shifted;
    return matmul_plan_kernels(p, &m, err);
}
