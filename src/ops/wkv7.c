/* wkv7.c - the time mixing of RWKV-7 after its matrices: a linear attention whose state is one matrix a head.
 *
 *   d = exp(-exp(-1/2) sigmoid(w))                          decay, in (0.545, 1)
 *   kk = l2norm_head(k * k_k);  k' = k * (1 + (a - 1) * k_a);  v' = v + (v_first - v) * v_mix
 *   S_ij = S_ij d_j - (sum_m S_im kk_m) kk_j a_j + v'_i k'_j;  y_i = sum_j S_ij r_j        i value, j key channel
 *   y = g * (norm_head(y, eps) * ln + ln_b + v' * sum_head(r * k' * r_k))
 *
 *   rkv[T,3*C] wag[T,3*C] or wagv[T,4*C] first_rkv[T,3*C]? vectors[5,C] = k_k, k_a, r_k, ln, ln_b  S[H,N,N] -> y[T,C]
 *   args: head_dim N, eps */
#include <math.h>

#include "ops/op.h"

#define WKV7_PARAMS(U, F) U(vectors) U(slot_vectors) F(eps)
PARAMS(wkv7, WKV7_PARAMS);

enum { RKV, WAGV, FIRST_RKV };    /* inputs */
enum { R, K, V };                 /* blocks of C columns in rkv */
enum { W, A, G, MIX };            /* in wagv */
enum { K_K, K_A, R_K, LN, LN_B }; /* rows of the vectors */
enum { MAX_HEAD = 128 };

/* one token's vectors of one head */
struct token {
    double r[MAX_HEAD], d[MAX_HEAD], k[MAX_HEAD], v[MAX_HEAD], kk[MAX_HEAD], kk_a[MAX_HEAD], y[MAX_HEAD];
};

/* value c of a block of C columns of an input's row t */
static double input(const struct op_ref *r, int index, int block, uint32_t t, uint32_t c)
{
    return r->in[index].data[(size_t)t * r->in[index].cols + (size_t)block * r->out[0].cols + c];
}

static double vector_at(const struct op_ref *r, int row, uint32_t c)
{
    return r->w[0].vector[(size_t)row * r->out[0].cols + c];
}

static void prepare(const struct op_ref *r, uint32_t t, uint32_t head, uint32_t N, struct token *o)
{
    double length = 0;
    for (uint32_t j = 0; j < N; j++) {
        uint32_t c = head * N + j;
        double k = input(r, RKV, K, t, c), v = input(r, RKV, V, t, c), a = input(r, WAGV, A, t, c);
        o->r[j] = input(r, RKV, R, t, c);
        o->d[j] = exp(-exp(-0.5) / (1 + exp(-input(r, WAGV, W, t, c))));
        o->k[j] = k * (1 + (a - 1) * vector_at(r, K_A, c));
        o->v[j] = v;
        if (r->in[FIRST_RKV].data) o->v[j] += (input(r, FIRST_RKV, V, t, c) - v) * input(r, WAGV, MIX, t, c);
        o->kk[j] = k * vector_at(r, K_K, c);
        length += o->kk[j] * o->kk[j];
    }
    length = fmax(sqrt(length), 1e-12);
    for (uint32_t j = 0; j < N; j++) {
        o->kk[j] /= length;
        o->kk_a[j] = o->kk[j] * input(r, WAGV, A, t, head * N + j);
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
        bonus += o->r[i] * o->k[i] * vector_at(r, R_K, head * N + i);
    }
    for (uint32_t i = 0; i < N; i++) variance += (o->y[i] - mean) * (o->y[i] - mean) / N;
    double inverse_sd = 1 / sqrt(variance + r->args->eps);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t c = head * N + i;
        double y = (o->y[i] - mean) * inverse_sd * vector_at(r, LN, c) + vector_at(r, LN_B, c);
        r->out[0].data[(size_t)t * r->out[0].cols + c] = (float)((y + bonus * o->v[i]) * input(r, WAGV, G, t, c));
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
        .consts = {{"HEAD", N},
                   {"WORKGROUP", threads},
                   {"LANES", power_of_two_from(N / 4)},
                   {"V_FIRST", p->in_cols[FIRST_RKV] > 0}},
        .params_wgsl = wkv7_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(RKV), operand_in(WAGV), operand_in(FIRST_RKV), operand_vector(0), operand_state('w'),
                     operand_out(0)},
        .n_operands = 6,
        .grid = {{.fixed = C / N}, {1, 1, ROWS_SEQS}},
    };
    return plan_dispatch(p, &d, err);
}
