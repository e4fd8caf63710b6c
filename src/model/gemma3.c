/* gemma3.c - Gemma 3 (Gemma Team, arXiv 2503.19786): a transformer with norms before and after each branch, RMS-normed
 * queries and keys, and five layers of sliding-window attention for each one that sees the whole context.
 *
 *   x = sqrt(C) W_embd[token]
 *   x += norm(W_o attention(rope(norm(W_q n)), rope(norm(W_k n)), W_v n))      n = norm(x)
 *   x += norm(W_down (gelu(W_gate n) * (W_up n)))                              n = norm(x)
 *   logits = W_out norm(x), W_out = W_embd unless the file has one */
#include <math.h>

#include "model/arch.h"

enum { GLOBAL_EVERY = 6, LAYERS_OF_27B = 62 };

static weight norm_scale(struct graph *g, const struct hyper *h, const char *name)
{
    return vector(g, name, 1, h->embd);
}

static val linear(struct graph *g, const char *name, uint32_t rows, uint32_t cols, val x)
{
    return op_matmul(g, matrix(g, name, rows, cols), x, (struct matmul_args){.act = ACT_NONE});
}

/* q, k and v side by side */
static val project(struct graph *g, const struct hyper *h, uint32_t Q, uint32_t KV, val x)
{
    const struct product p[] = {{.w = matrix(g, "attn_q", Q, h->embd)},
                                {.w = matrix(g, "attn_k", KV, h->embd)},
                                {.w = matrix(g, "attn_v", KV, h->embd)}};
    return op_products(g, x, p, sizeof p / sizeof *p);
}

static val attention(struct graph *g, const struct hyper *h, const struct session_shape *s, val x)
{
    const uint32_t D = h->head_dim, Q = h->heads * D, KV = h->kv_heads * D, C = h->embd;
    const bool local = ((uint32_t)g->layer + 1) % h->global_every != 0;
    struct rope_args rope = {.scale_q = vector(g, "attn_q_norm", 1, D),
                             .scale_k = vector(g, "attn_k_norm", 1, D),
                             .head_dim = D,
                             .eps = h->norm_eps,
                             .base = local ? h->local_rope_base : h->rope_base,
                             .rotate_scale = local ? 1 : h->rope_scale};

    /* a local layer needs the window before the first of the step's tokens, and the step itself */
    uint32_t positions = s->context;
    if (local && h->window + s->step_tokens < positions) positions = h->window + s->step_tokens;
    state cache = kv_cache(g, "kv", positions, 2 * KV, s->cache);
    val q = op_rope_kv(g, project(g, h, Q, KV, x), cache, &rope);
    val y = op_attention(g, q, cache, &(struct attention_args){D, local ? h->window : 0, h->attention_scale});
    return linear(g, "attn_output", C, Q, y);
}

static val mlp(struct graph *g, const struct hyper *h, val x)
{
    const uint32_t C = h->embd, F = h->ff;
    val y = op_gated(g, matrix(g, "ffn_gate", F, C), matrix(g, "ffn_up", F, C), ACT_GELU, x);
    return linear(g, "ffn_down", C, F, y);
}

/* x += norm(y) where a branch ends, and the norm of that where the next begins */
static val next_branch(struct graph *g, const struct hyper *h, val y, val *x, const char *end, weight begin)
{
    return op_rms_norms(g, y, *x, norm_scale(g, h, end), begin, h->norm_eps, x);
}

static void record(struct graph *g, const struct hyper *h, const struct session_shape *s)
{
    const val none = {0};
    const int last = (int)h->layers - 1;
    weight embd = matrix(g, "token_embd", h->vocab, h->embd);
    val x = op_embed(g, embd, sqrtf((float)h->embd)), n = none;
    for (g->layer = 0; g->layer <= last; g->layer++) {
        if (!g->layer) n = op_rms_norm(g, x, none, norm_scale(g, h, "attn_norm"), h->norm_eps);
        n = next_branch(g, h, attention(g, h, s, n), &x, "post_attention_norm", norm_scale(g, h, "ffn_norm"));
        val y = mlp(g, h, n);
        if (g->layer == last) {
            x = op_rms_norm(g, y, x, norm_scale(g, h, "post_ffw_norm"), h->norm_eps);
            continue;
        }
        g->layer++;
        weight begin = norm_scale(g, h, "attn_norm");
        g->layer--;
        n = next_branch(g, h, y, &x, "post_ffw_norm", begin);
    }
    g->layer = -1;
    x = op_rms_norm(g, op_select(g, x), none, norm_scale(g, h, "output_norm"), h->norm_eps);
    weight head = has_tensor(g, "output") ? matrix(g, "output", h->vocab, h->embd) : embd;
    g->logits = op_matmul(g, head, x, (struct matmul_args){.act = ACT_NONE});
}

static bool read(const struct model_file *f, struct hyper *h, struct error *err)
{
    const char *a = "gemma3";
    if (!arch_read_common(f, a, "attention.layer_norm_rms_epsilon", h, err) ||
        !arch_need(f, a, "attention.head_count", 1, 1024, &h->heads, err) ||
        !arch_need(f, a, "attention.head_count_kv", 1, 1024, &h->kv_heads, err) ||
        !arch_need(f, a, "attention.key_length", 8, 256, &h->head_dim, err) ||
        !arch_need(f, a, "attention.sliding_window", 1, 1 << 20, &h->window, err) ||
        !arch_need(f, a, "context_length", 1, 1 << 24, &h->train_context, err) ||
        !arch_f32(f, a, "rope.freq_base", 1e6f, &h->rope_base, err) ||
        !arch_f32(f, a, "rope.local.freq_base", 1e4f, &h->local_rope_base, err) ||
        !arch_f32(f, a, "rope.scaling.factor", 1, &h->rope_scale, err))
        return false;
    if (!(h->rope_base > 1) || !(h->local_rope_base > 1) || !(h->rope_scale > 0))
        return fail(err, ERR_FORMAT, "gemma3.rope.*: a base or scaling factor is not positive");
    if (h->heads % h->kv_heads)
        return fail(err, ERR_FORMAT, "gemma3.attention.head_count %u is no multiple of head_count_kv %u", h->heads,
                    h->kv_heads);
    h->global_every = GLOBAL_EVERY;
    /* the 27B model scales by its width a head, the others by the head size (config.json: query_pre_attn_scalar) */
    h->attention_scale = 1 / sqrtf((float)(h->layers == LAYERS_OF_27B ? h->embd / h->heads : h->head_dim));
    return true;
}

const struct arch arch_gemma3 = {"gemma3", false, read, record};
