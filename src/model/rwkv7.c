/* rwkv7.c - RWKV-7 "Goose" (Peng et al., arXiv 2503.14456): a linear-time recurrence whose state is a matrix per head.
 *
 *   x = norm(W_embd[token])
 *   x += time_mix(norm(x)), x += channel_mix(norm(x))     in every layer
 *   logits = W_out norm(x) */
#include "model/arch.h"

/* columns [x_at, x_at + C) of the blends through a thin matrix, and what becomes of that:
 * act(up . mid(down . x) + bias) */
struct low_rank {
    const char *down, *up, *bias; /* bias may be NULL */
    uint32_t x_at;
    enum act mid, act;
};

static weight time_mix_vectors(struct graph *g, uint32_t C)
{
    const weight parts[] = {vector(g, "time_mix_k_k", 1, C), vector(g, "time_mix_k_a", 1, C),
                            vector(g, "time_mix_r_k", 1, C), vector(g, "time_mix_ln", 1, C),
                            vector(g, "time_mix_ln.bias", 1, C)};
    return vector_stack(g, parts, sizeof parts / sizeof *parts, C);
}

/* x + time_mix(norm(x)); *first has the first layer's r, k, v, towards whose v later layers lean back */
static val time_mix(struct graph *g, const struct hyper *h, val x, val *first)
{
    const uint32_t C = h->embd, N = h->head_dim;

    /* each projection sees its own blend of this token and the one before */
    enum { R, W, K, V, A, G, BLENDS };
    val b =
        op_token_shift(g, x, vector(g, "attn_norm", 1, C), vector(g, "attn_norm.bias", 1, C),
                       vector(g, "time_mix_lerp_fused", BLENDS, C), memory(g, "time_mix_x", 2, C, false), h->norm_eps);

    struct product down[MAX_PRODUCTS] = {{.w = matrix(g, "time_mix_receptance", C, C), .x_at = R * C},
                                         {.w = matrix(g, "time_mix_key", C, C), .x_at = K * C},
                                         {.w = matrix(g, "time_mix_value", C, C), .x_at = V * C}};
    const struct low_rank wagv[] = {
        {"time_mix_w1", "time_mix_w2", "time_mix_w0", W * C, ACT_TANH, ACT_NONE},
        {"time_mix_a1", "time_mix_a2", "time_mix_a0", A * C, ACT_NONE, ACT_SIGMOID},
        {"time_mix_g1", "time_mix_g2", NULL, G * C, ACT_SIGMOID, ACT_NONE},
        {"time_mix_v1", "time_mix_v2", "time_mix_v0", V * C, ACT_NONE, ACT_SIGMOID},
    };
    const bool is_first = g->layer == 0;
    const uint32_t n = is_first ? 3 : 4;
    struct product up[MAX_PRODUCTS];
    for (uint32_t i = 0, at = 3 * C; i < n; i++) {
        const struct low_rank *r = &wagv[i];
        down[3 + i] = (struct product){.w = matrix(g, r->down, 0, C), .x_at = r->x_at, .act = r->mid};
        uint32_t rank = weight_rows(g, down[3 + i].w);
        up[i] = (struct product){.w = matrix(g, r->up, C, rank), .x_at = at, .act = r->act};
        if (r->bias) up[i].bias = vector(g, r->bias, 1, C);
        at += rank;
    }
    /* r, k, v, and the thin ones behind them */
    val products = op_products(g, b, down, 3 + n);
    struct wkv7_args a = {.rkv = products, .head_dim = N, .eps = 64e-5f};
    a.wagv = op_products(g, products, up, n);
    if (is_first) *first = products;
    else a.first_rkv = *first;
    a.vectors = time_mix_vectors(g, C);
    a.s = memory(g, "time_mix_s", C, N, false);

    return op_matmul(g, matrix(g, "time_mix_output", C, C), op_wkv7(g, &a),
                     (struct matmul_args){.combine = COMBINE_ADD, .other = x});
}

/* x + W_value relu(W_key blend(norm(x)))^2 */
static val channel_mix(struct graph *g, const struct hyper *h, val x)
{
    const uint32_t C = h->embd;
    val b = op_token_shift(g, x, vector(g, "attn_norm_2", 1, C), vector(g, "attn_norm_2.bias", 1, C),
                           vector(g, "channel_mix_lerp_k", 1, C), memory(g, "channel_mix_x", 2, C, false), h->norm_eps);
    val k = op_matmul(g, matrix(g, "channel_mix_key", h->ff, C), b, (struct matmul_args){.act = ACT_RELU2});
    return op_matmul(g, matrix(g, "channel_mix_value", C, h->ff), k,
                     (struct matmul_args){.combine = COMBINE_ADD, .other = x});
}

static val norm(struct graph *g, const struct hyper *h, val x, const char *scale, const char *bias)
{
    return op_layer_norm(g, x, vector(g, scale, 1, h->embd), vector(g, bias, 1, h->embd), h->norm_eps);
}

static void record(struct graph *g, const struct hyper *h, const struct session_shape *s)
{
    (void)s;
    val x = op_embed(g, matrix(g, "token_embd", h->vocab, h->embd), 1);
    x = norm(g, h, x, "token_embd_norm", "token_embd_norm.bias");
    val first = {0};
    for (g->layer = 0; g->layer < (int)h->layers; g->layer++) {
        x = time_mix(g, h, x, &first);
        x = channel_mix(g, h, x);
    }
    g->layer = -1;
    x = norm(g, h, op_select(g, x), "output_norm", "output_norm.bias");
    g->logits = op_matmul(g, matrix(g, "output", h->vocab, h->embd), x, (struct matmul_args){.act = ACT_NONE});
}

static bool read(const struct model_file *f, struct hyper *h, struct error *err)
{
    uint32_t shifts;
    if (!arch_read_common(f, "rwkv7", "attention.layer_norm_epsilon", h, err) ||
        !arch_need(f, "rwkv7", "wkv.head_size", 4, 128, &h->head_dim, err) ||
        !metadata_u32(f, "rwkv7.token_shift_count", 2, &shifts, err))
        return false;
    if (shifts != 2) return fail(err, ERR_UNSUPPORTED, "rwkv7.token_shift_count is %u, expected 2", shifts);
    if (h->embd % h->head_dim)
        return fail(err, ERR_FORMAT, "rwkv7.embedding_length %u is no multiple of rwkv7.wkv.head_size %u", h->embd,
                    h->head_dim);
    return true;
}

const struct arch arch_rwkv7 = {"rwkv7", true, read, record};
