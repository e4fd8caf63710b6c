/* wkv7.c - the time mixing of RWKV-7 after its matrices: a linear attention whose state is one matrix a head.
 *
 *   d = exp(-exp(-1/2) sigmoid(w))                          decay, in (0.545, 1)
 *   kk = l2norm_head(k * k_k);  k' = k * (1 + (a - 1) * k_a);  v' = v + (v_first - v) * v_mix
 *   S_ij = S_ij d_j - (sum_m S_im kk_m) kk_j a_j + v'_i k'_j;  y_i = sum_j S_ij r_j        i value, j key channel
 *   y = g * (norm_head(y, eps) * ln + ln_b + v' * sum_head(r * k' * r_k))
 *
 *   rkv[T,3*C+..] wag[T,3*C] or wagv[T,4*C] first_rkv[T,3*C+..]? vectors[5,C] = k_k, k_a, r_k, ln, ln_b  S[H,N,N] -> y[T,C]
 *   args: head_dim N, eps */
#include <math.h>
#include <stdio.h>

#include "ops/tuning.h"
#include "ops/wkv7_fused.h"
#include "ops/wkv7_plan.h"

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

/* how heads are divided among workgroups and threads (wkv/tile.wgsl) */
struct division {
    uint32_t row_lanes; /* threads that share a row of S, at most */
    uint32_t rows;      /* of S in a thread, at least */
    uint32_t chunk;     /* tokens at a time, at most */
    uint32_t split;     /* workgroups of a head, at most */
};

/* Few tokens: little workgroup memory, so that many heads and sequences run side by side. Many: what counts is the time
 * of one token after the other, so that a head has more workgroups. */
enum { FEW = 32 };
static const struct division few = {.row_lanes = 16, .rows = 4, .chunk = 4, .split = 1};
static const struct division many = {.row_lanes = 16, .rows = 4, .chunk = 16, .split = 2};

/* fits a division to the head and the device */
struct fitted {
    struct division d;
    uint32_t lanes; /* threads that hold a token's channels, 4 each */
    uint32_t threads;
};

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t threads_of(const struct fitted *f, uint32_t N)
{
    uint32_t rows = N / f->d.split;
    return power_of_two_from((rows + f->d.rows - 1) / f->d.rows) * f->d.row_lanes;
}

static struct fitted fit(const struct op_plan *p, const struct division *wanted)
{
    enum { MOST_FLOATS = 64, MOST_THREADS = 256 }; /* of S in a thread; in a workgroup */
    const struct gpu_info *device = p->device;
    uint32_t N = p->args->head_dim;
    struct fitted f = {.d = *wanted, .lanes = power_of_two_from(N / 4)};
    f.d.row_lanes = device->subgroups ? smaller(smaller(f.lanes, wanted->row_lanes), device->subgroup_size) : 1;
    /* a thread for the sum of every row, and registers for all of S */
    while (f.d.rows > 1 && (f.d.rows > f.d.row_lanes || f.d.rows * f.lanes / f.d.row_lanes * 4 > MOST_FLOATS))
        f.d.rows /= 2;
    /* every workgroup of a head must have whole threads, and enough of them for a token */
    while (f.d.split > 1 && (N % (4 * f.d.split) || threads_of(&f, N) < f.lanes ||
                             threads_of(&f, N) / f.d.row_lanes * f.d.rows * f.d.split != N))
        f.d.split /= 2;
    while (plan_threads(p, MOST_THREADS) < threads_of(&f, N)) f.d.rows *= 2;
    f.threads = threads_of(&f, N) > f.lanes ? threads_of(&f, N) : f.lanes;
    f.d.chunk = smaller(wanted->chunk, f.threads / f.lanes);
    /* r, decay, kk, kk_a, k, v and y of a chunk; what a reduce needs */
    while (f.d.chunk > 1 && (7 * f.d.chunk * f.lanes + f.threads) * 16 > device->max_workgroup_bytes) f.d.chunk /= 2;
    return f;
}

static const struct operand inputs[] = {{OPERAND_IN, RKV, 0, 'r'},
                                        {OPERAND_IN, WAGV, 0, 'r'},
                                        {OPERAND_IN, FIRST_RKV, 0, 'r'},
                                        {OPERAND_VECTOR, 0, 0, 'r'}};

static bool plan_heads(struct op_plan *p, const struct division *wanted, const struct wkv7_params *params,
                       struct wkv7_reach reach, struct error *err)
{
    uint32_t N = p->args->head_dim, heads = p->out_cols[0] / N, v_first = p->in_cols[FIRST_RKV] > 0;
    struct fitted f = fit(p, wanted);
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "wkv/tile", "wkv/head_norm", "wkv/wkv7_token", "wkv/wkv7"},
        .consts = {{"HEAD", N},
                   {"WORKGROUP", f.threads},
                   {"LANES", f.lanes},
                   {"ROW_LANES", f.d.row_lanes},
                   {"ROWS", f.d.rows},
                   {"CHUNK", f.d.chunk},
                   {"SPLIT", f.d.split},
                   {"V_FIRST", v_first}},
        .params_wgsl = wkv7_params_wgsl,
        .params = params,
        .params_bytes = sizeof *params,
        .operands = {inputs[0], inputs[1], inputs[2], inputs[3], operand_state('w'), operand_out(0)},
        .n_operands = 6,
        .baked = true,
        .grid = {{.fixed = heads * f.d.split}, {1, 1, ROWS_SEQS}},
        .min_rows = reach.min_rows,
        .max_rows = reach.max_rows,
        .min_run = reach.min_run,
        .max_run = reach.max_run,
    };
    if (f.d.split == 1) {
        plan_q8_output(p, &d);
        return plan_dispatch(p, &d, err);
    }
    /* y as it is, for the gate */
    d.files[5] = "q8/none";
    d.consts[8] = (struct kernel_const){"FLOATS", 1};
    if (!plan_dispatch(p, &d, err)) return false;
    uint32_t threads = plan_threads(p, 256), per_group = threads / f.lanes;
    d = (struct dispatch_desc){
        .files = {plan_reduce(p), "wkv/head_norm", "wkv/wkv7_token", "wkv/wkv7_gate"},
        .consts = {{"HEAD", N}, {"WORKGROUP", threads}, {"LANES", f.lanes}, {"V_FIRST", v_first}},
        .params_wgsl = wkv7_params_wgsl,
        .params = params,
        .params_bytes = sizeof *params,
        .operands = {inputs[0], inputs[1], inputs[2], inputs[3], operand_out(0)},
        .n_operands = 5,
        .grid = {{.fixed = (heads + per_group - 1) / per_group}, {1, 1, ROWS_TOKENS}},
        .min_rows = reach.min_rows,
        .max_rows = reach.max_rows,
        .min_run = reach.min_run,
        .max_run = reach.max_run,
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}

/* rows, chunk and split around the usual ones; those that fit alike are one */
static struct division choose_division(const struct op_plan *p, const struct division *usual, uint32_t tokens)
{
    static const struct division near[] = {{16, 2, 4, 1},  {16, 2, 8, 1},  {16, 4, 2, 1},  {16, 4, 4, 1},
                                           {16, 4, 8, 1},  {16, 8, 4, 1},  {16, 2, 16, 2}, {16, 4, 8, 2},
                                           {16, 4, 16, 2}, {16, 4, 32, 2}, {16, 2, 16, 4}, {16, 4, 16, 4}};
    struct choice c = {.names = "rows of a thread/tokens at a time/workgroups of a head", .tokens = tokens};
    snprintf(c.key, sizeof c.key, "wkv7 %ux%u t%u%s", p->out_cols[0] / p->args->head_dim, p->args->head_dim, tokens,
             p->out_cols[OUT_Q8] ? " q8" : "");
    choice_add(&c, usual->rows, usual->chunk, usual->split);
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        struct division d = fit(p, &near[i]).d;
        if (d.rows == near[i].rows && d.chunk == near[i].chunk && d.split == near[i].split)
            choice_add(&c, d.rows, d.chunk, d.split);
    }
    const uint32_t *numbers = plan_choose(p, &c);
    return (struct division){usual->row_lanes, numbers[0], numbers[1], numbers[2]};
}

bool wkv7_plan(struct op_plan *p, struct error *err)
{
    struct wkv7_params params = {p->out_cols[0] / 4, p->in_cols[RKV] / 4, p->in_cols[FIRST_RKV] / 4,
                                 p->state_stride / 4, p->args->eps};
    const bool chunked = wkv7_fits_chunked(p);
    const uint32_t max_run = chunked ? WKV7_LONG_RUN - 1 : 0;
    const struct division most = choose_division(p, &many, 512);
    uint32_t fused;
    if (!wkv7_plan_fused(p, &fused, err)) return false;
    const uint32_t min_rows = fused ? fused + 1 : 0;
    bool one;
    if (!wkv7_plan_one(p, &params, min_rows, &one, err)) return false;
    const uint32_t min_run = one ? 2 : 0;
    const struct division some = one ? few : choose_division(p, &few, FEW);
    return plan_heads(p, &some, &params, (struct wkv7_reach){min_rows, FEW, min_run, 0}, err) &&
           plan_heads(p, &most, &params, (struct wkv7_reach){FEW + 1, 0, min_run, max_run}, err) &&
           (!chunked || wkv7_plan_chunked(p, &params, (struct wkv7_reach){0, 0, WKV7_LONG_RUN, 0}, err));
}
