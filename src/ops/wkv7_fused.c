/* wkv7_fused.c - wkv7 for few tokens with the products that make its w, a, g and mix in the same dispatch, where those are
 * thin floats that take columns of rkv (wkv/wkv7_fused.wgsl). */
#include "ops/wkv7_fused.h"

#define WKV7_FUSED_PARAMS(U, F)                                                                                        \
    U(vectors)                                                                                                         \
    U(rkv_vectors)                                                                                                     \
    U(first_vectors)                                                                                                   \
    U(slot_vectors)                                                                                                    \
    F(eps) U(w_at) U(a_at) U(g_at) U(v_at) U(w_stride) U(a_stride) U(g_stride) U(v_stride) U(w_x) U(a_x) U(g_x) U(v_x)
PARAMS(wkv7_fused, WKV7_FUSED_PARAMS);

/* 4, 8 and 16 lanes were measured for 768 to 4096 channels, 2 for up to 2048: 8 is best, or as good as 4. */
enum { ROW_LANES = 8, LARGEST_RANK = 1024, MAX_CHANNELS = 4096 /* more were not measured */ };

/* vec4us of a row in the stack */
static uint32_t row_vectors(const struct plan_weight *up)
{
    return (uint32_t)(quant_row_quant_words(up->q, up->cols) / 4);
}

static bool suits(const struct op_plan *p, uint32_t n)
{
    const struct gpu_info *device = p->device;
    const struct plan_weight *stack = &p->w[WKV7_UP];
    const uint32_t N = p->args->head_dim;
    bool suits = p->args->n_products == n && stack->q && p->w[WKV7_UP_BIAS].q && stack->n_parts == 1 &&
                 stack->rows == n * p->out_cols[0];
    for (uint32_t i = 0; suits && i < n; i++) {
        const struct plan_weight *up = &p->w[WKV7_UPS + i];
        suits = (up->q->type == QUANT_F16 || up->q->type == QUANT_F32) && up->cols % 8 == 0 && up->cols <= LARGEST_RANK;
    }
    return suits && p->out_cols[0] <= MAX_CHANNELS && !plan_is_software(p) && device->subgroups &&
           device->subgroup_size >= ROW_LANES && N % (4 * ROW_LANES) == 0 && power_of_two_from(N) == N &&
           N * ROW_LANES <= device->max_workgroup_threads &&
           device->max_storage_buffers >= (p->out_cols[OUT_Q8] ? 9u : 8u);
}

bool wkv7_plan_fused(struct op_plan *p, uint32_t *max_rows, struct error *err)
{
    enum { RKV, WAGV, FIRST_RKV, SINGLES = 4 /* of the constants */ };
    const uint32_t v_first = p->in_cols[FIRST_RKV] > 0, n = 3 + v_first, N = p->args->head_dim, C = p->out_cols[0];
    *max_rows = 0;
    if (!suits(p, n) || !plan_take_over(p, WAGV, WKV7_FUSED_ROWS)) return true;
    *max_rows = WKV7_FUSED_ROWS;
    const struct plan_weight *ups = &p->w[WKV7_UPS];
    const struct product_args *x = p->args->products;
    uint32_t rows[4] = {0}, at[4] = {0}, f32s = 0;
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = row_vectors(&ups[i]);
        if (i) at[i] = at[i - 1] + C * rows[i - 1];
        if (ups[i].q->type == QUANT_F32) f32s |= 1u << i;
    }
    const struct wkv7_fused_params params = {C / 4,
                                             p->in_cols[RKV] / 4,
                                             p->in_cols[FIRST_RKV] / 4,
                                             p->state_stride / 4,
                                             p->args->eps,
                                             at[0],
                                             at[1],
                                             at[2],
                                             at[3],
                                             rows[0],
                                             rows[1],
                                             rows[2],
                                             rows[3],
                                             x[0].x_at / 4,
                                             x[1].x_at / 4,
                                             x[2].x_at / 4,
                                             x[3].x_at / 4};
    struct dispatch_desc d = {
        .files = {plan_reduce(p), "wkv/head_norm", "wkv/wkv7_fused"},
        .consts = {{"HEAD", N},
                   {"WORKGROUP", N * ROW_LANES},
                   {"LANES", N / 4},
                   {"ROW_LANES", ROW_LANES},
                   [SINGLES] = {"SINGLES", 1},
                   {"V_FIRST", v_first},
                   {"F32S", f32s},
                   {"RANK_W", ups[0].cols},
                   {"RANK_A", ups[1].cols},
                   {"RANK_G", ups[2].cols},
                   {"RANK_V", v_first ? ups[3].cols : 0}},
        .params_wgsl = wkv7_fused_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_in(RKV), operand_in(FIRST_RKV), operand_vector(0), operand_vector(WKV7_UP_BIAS),
                     operand_quants(WKV7_UP, 0), operand_state('w'), operand_out(0)},
        .n_operands = 7,
        .grid = {{.fixed = C / N}, {1, 1, ROWS_SEQS}},
        .max_rows = WKV7_FUSED_ROWS,
        .max_run = 1,
        .baked = true,
    };
    plan_q8_output(p, &d);
    if (!plan_dispatch(p, &d, err)) return false;
    d.consts[SINGLES].value = 0;
    d.min_run = 2;
    d.max_run = 0;
    return plan_dispatch(p, &d, err);
}
