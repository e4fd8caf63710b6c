/* rwkv7.c - RWKV-7 "Goose" (Peng et al., arXiv 2503.14456): a linear-time recurrence whose state is a matrix per head.
 *
 *   x = norm(W_embd[token])
 *   x += time_mix(norm(x)), x += channel_mix(norm(x))     in every layer
 *   logits = W_out norm(x) */
#include "model/arch.h"

static val linear(struct graph *g, const char *name, uint32_t rows, val x, enum act f)
{
    return op_matmul(g, matrix(g, name, rows, 0), x, (struct matmul_args){.act = f});
}

/* f(up . mid(down . x) + bias): two thin matrices */
static val low_rank(struct graph *g, const char *down, const char *up, const char *bias, uint32_t C, val x, enum act mid,
                    enum act f)
{
    weight a = matrix(g, down, 0, C);
    weight b = matrix(g, up, C, weight_rows(g, a));
    val y = op_matmul(g, a, x, (struct matmul_args){.act = mid});
    return op_matmul(g, b, y, (struct matmul_args){.act = f, .bias = bias ? vector(g, bias, 1, C) : (weight){0}});
}

/* x + time_mix(norm(x)); *v_first is the first layer's value, which later layers lean back towards */
static val time_mix(struct graph *g, const struct hyper *h, val x, val *v_first)
{
    const uint32_t C = h->embd, N = h->head_dim;

    /* each projection sees its own blend of this token and the one before */
    enum { R, W, K, V, A, G, BLENDS };
    val b[BLENDS] = {{0}};
    op_token_shift(g, x, vector(g, "attn_norm", 1, C), vector(g, "attn_norm.bias", 1, C),
                   vector(g, "time_mix_lerp_fused", BLENDS, C), memory(g, "time_mix_x", 1, C, false), h->norm_eps, b,
                   BLENDS);

    struct wkv7_args a = {.head_dim = N, .eps = 64e-5f};
    a.r = linear(g, "time_mix_receptance", C, b[R], ACT_NONE);
    a.k = linear(g, "time_mix_key", C, b[K], ACT_NONE);
    a.v = linear(g, "time_mix_value", C, b[V], ACT_NONE);
    a.w = low_rank(g, "time_mix_w1", "time_mix_w2", "time_mix_w0", C, b[W], ACT_TANH, ACT_NONE);
    a.a = low_rank(g, "time_mix_a1", "time_mix_a2", "time_mix_a0", C, b[A], ACT_NONE, ACT_SIGMOID);
    a.g = low_rank(g, "time_mix_g1", "time_mix_g2", NULL, C, b[G], ACT_SIGMOID, ACT_NONE);
    if (g->layer == 0) {
        *v_first = a.v;
    } else {
        a.v_first = *v_first;
        a.v_mix = low_rank(g, "time_mix_v1", "time_mix_v2", "time_mix_v0", C, b[V], ACT_NONE, ACT_SIGMOID);
    }
    a.k_k = vector(g, "time_mix_k_k", 1, C);
    a.k_a = vector(g, "time_mix_k_a", 1, C);
    a.r_k = vector(g, "time_mix_r_k", 1, C);
    a.ln = vector(g, "time_mix_ln", 1, C);
    a.ln_b = vector(g, "time_mix_ln.bias", 1, C);
    a.s = memory(g, "time_mix_s", C, N, false);

    return op_matmul(g, matrix(g, "time_mix_output", C, C), op_wkv7(g, &a),
                     (struct matmul_args){.combine = COMBINE_ADD, .other = x});
}

/* x + W_value relu(W_key blend(norm(x)))^2 */
static val channel_mix(struct graph *g, const struct hyper *h, val x)
{
    const uint32_t C = h->embd;
    val b = {0};
    op_token_shift(g, x, vector(g, "attn_norm_2", 1, C), vector(g, "attn_norm_2.bias", 1, C),
                   vector(g, "channel_mix_lerp_k", 1, C), memory(g, "channel_mix_x", 1, C, false), h->norm_eps, &b, 1);
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
    val v_first = {0};
    for (g->layer = 0; g->layer < (int)h->layers; g->layer++) {
        x = time_mix(g, h, x, &v_first);
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
