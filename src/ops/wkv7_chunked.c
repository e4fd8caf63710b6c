/* wkv7_chunked.c - the time mixing of RWKV-7 (formulas: wkv7.c) by chunks of tokens, as products of small matrices.
 *
 * Of a chunk with tokens 1 to L: D_t = d_1 .. d_t, by channels; S the state before it; z_t = S_(t-1) kk_t, what token t
 * removes. The recurrence unrolled is
 *
 *   S_t = (S + sum_(s<=t) (v_s (k_s / D_s)^T - z_s (kk_a_s / D_s)^T)) diag(D_t)
 *   z_t = S (D_(t-1) kk_t) + sum_(s<t) (v_s M_ts - z_s R_ts)      M_ts = (D_(t-1) kk_t) . (k_s / D_s), R of kk_a
 *   y_t = S (D_t r_t)      + sum_(s<=t) (v_s M'_ts - z_s R'_ts)   M', R': of D_t r_t
 *
 * so that, rows being tokens, with all that S does not touch found for all chunks at once (wkv7_solve):
 *
 *   W = (1 + R)^-1 (D kk)    U = (1 + R)^-1 M V    Q = (D r) - R' W    P = M' V - R' U
 *
 * what goes from chunk to chunk (wkv7_pass) is
 *
 *   Z = W S^T + U    Y = Q S^T + P    S = S diag(D_L) + V^T (k D_L / D) - Z^T (kk_a D_L / D)
 *
 * d > 0.545, so that nothing leaves the range of floats in a chunk. Chunks begin at multiples of L of a step's rows;
 * where several sequences lie in one, pairs of tokens of two sequences count as 0. The representation of the product of
 * transitions by W and U is that of Bischof and Van Loan (1987), for chunks as in Yang et al., arXiv 2406.06484. */
#include "ops/wkv7_plan.h"
#include "ops/wkv7_work.h"

/* Longer chunks are fewer steps one after the other, but more work in all: with many heads that counts. Very few leave a
 * device idle unless each has more workgroups. */
enum { CHUNK = 16, MIN_CHUNK = 8, FEW_HEADS = 32, VERY_FEW_HEADS = 16 };

/* how the kernels divide a head of N channels */
struct shape {
    uint32_t chunk; /* tokens */
    uint32_t lanes; /* threads that hold a token's channels, 4 each */
    uint32_t solve_threads, slices;
    /* workgroups of a head; threads of a tile of S W^T, rows of S in a thread */
    uint32_t split, shares, rows, pass_threads;
};

/* Heads that wkv7_pass can divide, and that do not take too much workgroup memory. */
static bool is_regular(uint32_t N) { return N % 16 == 0 && N >= 32 && N <= 64; }

/* A token takes 8 C + C / N (wkv/chunk.wgsl); chunks are whole, the last one by up to CHUNK - 1 more tokens than a step
 * has, which are WKV7_LONG_RUN or more. */
uint32_t wkv7_work(uint32_t N, uint32_t C) { return is_regular(N) ? 8 * C + C / 4 * 3 : 0; }

static uint32_t solve_bytes(const struct shape *s, uint32_t N)
{
    uint32_t side = (N + 1) * s->chunk / 4, tiles = s->chunk * s->chunk / 4 * s->slices;
    uint32_t right = 2 * side > 4 * tiles ? 2 * side : 4 * tiles;
    return (2 * side + right + s->solve_threads + s->chunk / 4) * 16 + (s->chunk + 1) * 4;
}

static uint32_t pass_bytes(const struct shape *s, uint32_t N)
{
    uint32_t stride = N / 4 + 1, split_rows = N / s->split;
    return (s->chunk * (N + 12) + split_rows * stride + s->chunk * split_rows / 2) * 16 + N * 4;
}

static bool try_chunk(const struct op_plan *p, uint32_t chunk, struct shape *s)
{
    const struct gpu_info *device = p->device;
    const uint32_t N = p->args->head_dim, lanes = power_of_two_from(N / 4), tiles = chunk * chunk / 4;
    *s = (struct shape){.chunk = chunk, .lanes = lanes, .solve_threads = power_of_two_from(2 * N)};
    for (s->slices = s->solve_threads / tiles; N % s->slices || s->slices * tiles * 4 > N * chunk / 2;) s->slices /= 2;
    const bool wide = N == 64 && p->out_cols[0] / N <= VERY_FEW_HEADS && device->subgroup_size >= 8;
    s->split = s->shares = wide ? 8 : 4;
    s->pass_threads = chunk * N / s->split * s->shares / 8;
    s->rows = N / s->split * lanes / s->pass_threads;
    return s->rows >= 1 && s->rows <= 4 && lanes * N / s->split / s->rows == s->pass_threads &&
           plan_threads(p, s->solve_threads) == s->solve_threads &&
           plan_threads(p, s->pass_threads) == s->pass_threads && solve_bytes(s, N) <= device->max_workgroup_bytes &&
           pass_bytes(s, N) <= device->max_workgroup_bytes;
}

static bool fit(const struct op_plan *p, struct shape *s)
{
    if (!is_regular(p->args->head_dim) || !p->device->subgroups || p->device->subgroup_size < 4) return false;
    const uint32_t heads = p->out_cols[0] / p->args->head_dim;
    for (uint32_t chunk = heads <= FEW_HEADS ? CHUNK : MIN_CHUNK; chunk >= MIN_CHUNK; chunk /= 2)
        if (try_chunk(p, chunk, s)) return true;
    return false;
}

bool wkv7_fits_chunked(const struct op_plan *p)
{
    struct shape s;
    const uint64_t scratch_bytes = (uint64_t)p->limits.tokens * p->out_cols[OUT_MORE] * sizeof(float);
    if (plan_is_software(p) || p->limits.tokens < WKV7_LONG_RUN) return false; /* software: the walk is much faster */
    return p->out_cols[OUT_MORE] && scratch_bytes <= p->device->max_binding_bytes && fit(p, &s);
}

static bool dispatch(struct op_plan *p, struct dispatch_desc *d, const struct wkv7_params *params,
                     struct wkv7_reach reach, struct error *err)
{
    d->params_wgsl = wkv7_params_wgsl;
    d->params = params;
    d->params_bytes = sizeof *params;
    d->baked = true;
    d->min_rows = reach.min_rows;
    d->max_rows = reach.max_rows;
    d->min_run = reach.min_run;
    d->max_run = reach.max_run;
    return plan_dispatch(p, d, err);
}

bool wkv7_plan_chunked(struct op_plan *p, const struct wkv7_params *params, struct wkv7_reach reach, struct error *err)
{
    const uint32_t N = p->args->head_dim, heads = p->out_cols[0] / N, v_first = p->in_cols[FIRST_RKV] > 0;
    const uint32_t threads = plan_threads(p, 256);
    const struct operand work = operand_scratch(OUT_MORE, 'r');
    struct shape s;
    fit(p, &s);
    struct dispatch_desc solve = {
        .files = {plan_reduce(p), "wkv/wkv7_solve", "wkv/chunk"},
        .consts = {{"HEAD", N},
                   {"WORKGROUP", s.solve_threads},
                   {"LANES", s.lanes},
                   {"CHUNK", s.chunk},
                   {"SLICES", s.slices},
                   {"V_FIRST", v_first}},
        .operands = {operand_in(RKV), operand_in(WAGV), operand_in(FIRST_RKV), operand_vector(0),
                     operand_scratch(OUT_MORE, 'w')},
        .n_operands = 5,
        .grid = {{.fixed = heads}, {1, s.chunk, ROWS_TOKENS}},
    };
    struct dispatch_desc pass = {
        .files = {plan_reduce(p), "wkv/wkv7_pass", "wkv/chunk"},
        .consts = {{"HEAD", N},
                   {"WORKGROUP", s.pass_threads},
                   {"LANES", s.lanes},
                   {"CHUNK", s.chunk},
                   {"SPLIT", s.split},
                   {"SHARES", s.shares},
                   {"ROWS", s.rows}},
        .operands = {work, operand_state('w'), operand_out(0)},
        .n_operands = 3,
        .grid = {{.fixed = heads * s.split}, {1, 1, ROWS_SEQS}},
    };
    struct dispatch_desc finish = {
        .files = {plan_reduce(p), "wkv/head_norm", "wkv/chunk", "wkv/wkv7_finish"},
        .consts = {{"HEAD", N}, {"WORKGROUP", threads}, {"LANES", s.lanes}, {"CHUNK", s.chunk}, {"V_FIRST", v_first}},
        .operands = {operand_in(WAGV), operand_vector(0), work, operand_out(0)},
        .n_operands = 4,
        .grid = {{.fixed = (heads * s.lanes + threads - 1) / threads}, {1, 1, ROWS_TOKENS}},
    };
    plan_q8_output(p, &finish);
    return dispatch(p, &solve, params, reach, err) && dispatch(p, &pass, params, reach, err) &&
           dispatch(p, &finish, params, reach, err);
}
