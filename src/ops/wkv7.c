/* wkv7.c - the time mixing of RWKV-7 after its matrices: a linear attention whose state is one matrix a head.
 *
 *   d = exp(-exp(-1/2) sigmoid(w))                          decay, in (0.545, 1)
 *   kk = l2norm_head(k * k_k);  k' = k * (1 + (a - 1) * k_a);  v' = v + (v_first - v) * v_mix
 *   S_ij = S_ij d_j - (sum_m S_im kk_m) kk_j a_j + v'_i k'_j;  y_i = sum_j S_ij r_j        i value, j key channel
 *   y = g * (norm_head(y, eps) * ln + ln_b + v' * sum_head(r * k' * r_k))
 *
 *   r,w,k,v,a,g[T,C] v_first,v_mix[T,C]? k_k,k_a,r_k,ln,ln_b[C] S[H,N,N] -> y[T,C]
 *   args: head_dim N, eps */
#include <math.h>

#include "ops/op.h"

#define WKV7_PARAMS(U, F) U(vectors) U(slot_vectors) F(eps)
PARAMS(wkv7, WKV7_PARAMS);

enum { IN_R, IN_W, IN_K, IN_V, IN_A, IN_G, IN_V_FIRST, IN_V_MIX };
enum { W_K_K, W_K_A, W_R_K, W_LN, W_LN_B };
enum { MAX_HEAD = 128 };

/* one token's vectors of one head */
struct token {
    double r[MAX_HEAD], d[MAX_HEAD], k[MAX_HEAD], v[MAX_HEAD], kk[MAX_HEAD], kk_a[MAX_HEAD], y[MAX_HEAD];
};

static void prepare(const struct op_ref *r, uint32_t t, uint32_t head, uint32_t N, struct token *o)
{
    double length = 0;
    for (uint32_t j = 0; j < N; j++) {
        uint32_t c = head * N + j;
        size_t at = (size_t)t * r->out[0].cols + c;
        double k = r->in[IN_K].data[at], v = r->in[IN_V].data[at], a = r->in[IN_A].data[at];
        o->r[j] = r->in[IN_R].data[at];
        o->d[j] = exp(-exp(-0.5) / (1 + exp(-(double)r->in[IN_W].data[at])));
        o->k[j] = k * (1 + (a - 1) * r->w[W_K_A].vector[c]);
        o->v[j] = v;
        if (r->in[IN_V_FIRST].data) o->v[j] += (r->in[IN_V_FIRST].data[at] - v) * r->in[IN_V_MIX].data[at];
        o->kk[j] = k * r->w[W_K_K].vector[c];
        length += o->kk[j] * o->kk[j];
    }
    length = fmax(sqrt(length), 1e-12);
    for (uint32_t j = 0; j < N; j++) {
        o->kk[j] /= length;
        o->kk_a[j] = o->kk[j] * r->in[IN_A].data[(size_t)t * r->out[0].cols + head * N + j];
    }
}

static void advance(float *S, uint32_t N, struct token *o)
{
    for (uint32_t i = 0; i < N; i++) {
        float *row = S + (size_t)i * N;
        double removed = 0, y = 0;
        for (uint32_t j = 0; j < N; j++) removed += row[j] * o->kk[j];
        for (uint32_t j = 0; j < N; j++) {
            double s = row[j] * o->d[j] - removed * o->kk_a[j] + o->v[i] * o->k[j];
            y += s * o->r[j];
            row[j] = (float)s;
        }
        o->y[i] = y;
    }
}

static void finish(const struct op_ref *r, uint32_t t, uint32_t head, uint32_t N, const struct token *o)
{
    double mean = 0, variance = 0, bonus = 0;
    for (uint32_t i = 0; i < N; i++) {
        mean += o->y[i] / N;
        bonus += o->r[i] * o->k[i] * r->w[W_R_K].vector[head * N + i];
    }
    for (uint32_t i = 0; i < N; i++) variance += (o->y[i] - mean) * (o->y[i] - mean) / N;
    double inverse_sd = 1 / sqrt(variance + r->args->eps);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t c = head * N + i;
        size_t at = (size_t)t * r->out[0].cols + c;
        double y = (o->y[i] - mean) * inverse_sd * r->w[W_LN].vector[c] + r->w[W_LN_B].vector[c];
        r->out[0].data[at] = (float)((y + bonus * o->v[i]) * r->in[IN_G].data[at]);
    }
}

void wkv7_ref(const struct op_ref *r)
{
    const struct step *step = r->step;
    uint32_t N = r->args->head_dim, H = r->out[0].cols / N;
    struct token token;
    for (uint32_t s = 0; s < step->n_seqs; s++) {
        for (uint32_t t = step->first[s]; t < step->first[s] + step->count[s]; t++) {
            for (uint32_t h = 0; h < H; h++) {
                prepare(r, t, h, N, &token);
                advance(r->state + step->slot[s] * r->state_stride + (size_t)h * N * N, N, &token);
                finish(r, t, h, N, &token);
            }
        }
    }
}

bool wkv7_plan(struct op_plan *p, struct error *err)
{
    uint32_t N = p->args->head_dim, C = p->out_cols[0], threads = power_of_two_from(N);
    struct wkv7_params params = {C / 4, p->state_stride / 4, p->args->eps};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "wkv7"},
        .consts = {{"HEAD", N}, {"WORKGROUP", threads}, {"LANES", power_of_two_from(N / 4)},
                   {"V_FIRST", p->in_cols[IN_V_FIRST] > 0}},
        .params_wgsl = wkv7_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .grid = {{.fixed = C / N}, {1, 1, ROWS_SEQS}},
    };
    for (unsigned i = 0; i < OP_MAX_INPUTS; i++) d.operands[d.n_operands++] = operand_in(i);
    for (unsigned i = 0; i < OP_MAX_WEIGHTS; i++) d.operands[d.n_operands++] = operand_vector(i);
    d.operands[d.n_operands++] = operand_state('w');
    d.operands[d.n_operands++] = operand_out(0);
    return plan_dispatch(p, &d, err);
}
