/* graph_ops.c - records the operations other than products. See graph.h. */
#include <string.h>

#include "model/graph_internal.h"
#include "ops/attention_work.h"
#include "ops/wkv7_work.h"
#include "quant/q8_row.h"

val op_input(struct graph *g, uint32_t cols) { return graph_add_value(g, cols, ROWS_TOKENS); }

val op_embed(struct graph *g, weight w, float scale)
{
    return graph_one_output(g, (struct op_call){.op = OP_EMBED, .w = {w}, .args = {.scale = scale}}, weight_cols(g, w),
                            ROWS_TOKENS);
}

val op_select(struct graph *g, val x)
{
    return graph_one_output(g, (struct op_call){.op = OP_SELECT, .in = {x}}, graph_cols(g, x), ROWS_OUTPUTS);
}

val op_layer_norm(struct graph *g, val x, weight scale, weight bias, float eps)
{
    graph_expect_vector(g, "layer_norm", "scale", scale, graph_cols(g, x));
    graph_expect_vector(g, "layer_norm", "bias", bias, graph_cols(g, x));
    struct op_call call = {.op = OP_LAYER_NORM, .in = {x}, .w = {scale, bias}, .args = {.eps = eps}};
    return graph_one_output(g, call, graph_cols(g, x), graph_rows_like(g, x));
}

val op_rms_norm(struct graph *g, val x, val residual, weight scale, float eps)
{
    graph_expect_vector(g, "rms_norm", "scale", scale, graph_cols(g, x));
    if (residual.id) graph_expect(g, "rms_norm", "residual", residual, graph_cols(g, x));
    struct op_call call = {.op = OP_RMS_NORM, .in = {x, residual}, .w = {scale}, .args = {.eps = eps}};
    return graph_one_output(g, call, graph_cols(g, x), graph_rows_like(g, x));
}

val op_rms_norms(struct graph *g, val x, val residual, weight scale, weight scale_2, float eps, val *z)
{
    graph_expect_vector(g, "rms_norm", "scale", scale, graph_cols(g, x));
    graph_expect_vector(g, "rms_norm", "scale_2", scale_2, graph_cols(g, x));
    if (residual.id) graph_expect(g, "rms_norm", "residual", residual, graph_cols(g, x));
    struct op_call call = {.op = OP_RMS_NORM, .in = {x, residual}, .w = {scale, scale_2}, .args = {.eps = eps}};
    call.out[OUT_MORE] = *z = graph_add_value(g, graph_cols(g, x), graph_rows_like(g, x));
    return graph_one_output(g, call, graph_cols(g, x), graph_rows_like(g, x));
}

/* the call's kernels write the int8 form themselves */
static bool writes_q8(const struct op_call *c)
{
    switch (c->op) {
    case OP_MATMUL:
    case OP_GATED:
    case OP_LAYER_NORM:
    case OP_RMS_NORM:
    case OP_TOKEN_SHIFT: return true;
    case OP_ATTENTION:
    case OP_WKV7: return c->args.head_dim % Q8_BLOCK == 0;
    default: return false;
    }
}

val op_quantize(struct graph *g, val x)
{
    if (!x.id || g->error.code) return (val){0};
    if (g->values[x.id].as_q8.id) return g->values[x.id].as_q8;
    const struct graph_value from = g->values[x.id];
    const bool has_maker = from.made < g->n_calls && g->calls[from.made].out[0].id == x.id;
    val y = graph_add_value(g, from.cols, from.rows);
    if (!y.id) return y;
    g->values[y.id].q8 = true;
    g->values[x.id].as_q8 = y;
    if (has_maker && writes_q8(&g->calls[from.made])) {
        g->values[y.id].made = from.made;
        g->calls[from.made].out[OUT_Q8] = y;
    } else {
        graph_record(g, (struct op_call){.op = OP_QUANTIZE, .in = {x}, .out = {y}});
    }
    return y;
}

val op_token_shift(struct graph *g, val x, weight scale, weight bias, weight lerp, state last, float eps)
{
    uint32_t C = graph_cols(g, x), n = weight_rows(g, lerp);
    graph_expect_vector(g, "token_shift", "lerp", lerp, n * C);
    weight vectors = vector_stack(g, (weight[]){scale, bias}, 2, C);
    if (vectors.id) graph_push_part(g, vectors, lerp, n, C);
    struct op_call call = {.op = OP_TOKEN_SHIFT, .in = {x}, .w = {vectors}, .s = last, .args = {.eps = eps}};
    return graph_one_output(g, call, n * C, ROWS_TOKENS);
}

/* thin products of columns of rkv make wagv: the call knows them */
static void know_ups(const struct graph *g, struct op_call *c)
{
    const val rkv = c->in[0], wagv = c->in[1];
    if (g->error.code || !wagv.id || g->values[wagv.id].made >= g->n_calls) return;
    const struct op_call *maker = &g->calls[g->values[wagv.id].made];
    static const enum act acts[] = {ACT_NONE, ACT_SIGMOID, ACT_NONE, ACT_SIGMOID};
    bool known = maker->op == OP_PRODUCTS && maker->out[0].id == wagv.id && maker->in[0].id == rkv.id &&
                 !maker->in[IN_Q8].id && maker->args.n_products <= sizeof acts / sizeof *acts &&
                 !maker->w[PRODUCTS_STACKS + 1].id;
    for (uint32_t i = 0; known && i < maker->args.n_products; i++)
        known = maker->args.products[i].act == acts[i] &&
                g->weights[maker->w[i].id].rows == g->weights[maker->w[0].id].rows;
    if (!known) return;
    c->w[WKV7_UP_BIAS] = maker->w[PRODUCTS_BIAS];
    c->w[WKV7_UP] = maker->w[PRODUCTS_STACKS];
    c->args.n_products = maker->args.n_products;
    memcpy(c->args.products, maker->args.products, sizeof c->args.products);
    for (uint32_t i = 0; i < maker->args.n_products; i++) c->w[WKV7_UPS + i] = maker->w[i];
}

val op_wkv7(struct graph *g, const struct wkv7_args *a)
{
    uint32_t C = graph_cols(g, a->wagv) / (a->first_rkv.id ? 4 : 3), N = a->head_dim;
    graph_expect_at_least(g, "wkv7", "rkv", a->rkv, 3 * C);
    graph_expect(g, "wkv7", "wagv", a->wagv, a->first_rkv.id ? 4 * C : 3 * C);
    if (a->first_rkv.id) graph_expect_at_least(g, "wkv7", "first_rkv", a->first_rkv, 3 * C);
    graph_expect_vector(g, "wkv7", "vectors", a->vectors, 5 * C);
    if (!N || N % 4 || N > 128 || C % N)
        graph_fail(g, ERR_UNSUPPORTED, "head size %u of width %u: expected a divisor, a multiple of 4, at most 128", N,
                   C);
    struct op_call call = {.op = OP_WKV7,
                           .in = {a->rkv, a->wagv, a->first_rkv},
                           .w = {a->vectors},
                           .s = a->s,
                           .args = {.head_dim = N, .eps = a->eps}};
    know_ups(g, &call);
    if (!g->error.code) call.out[OUT_MORE] = graph_add_scratch(g, wkv7_work(N, C), ROWS_TOKENS);
    return graph_one_output(g, call, C, ROWS_TOKENS);
}

val op_rope_kv(struct graph *g, val qkv, state cache, const struct rope_args *a)
{
    const uint32_t D = a->head_dim, cols = graph_cols(g, qkv), row = cache.id ? g->states[cache.id].cols : 0;
    const bool whole = !cache.id || g->states[cache.id].type != KV_Q8 || D % Q8_BLOCK == 0;
    if (!D || D % 8 || !row || row % (2 * D) || cols % D || cols <= row || !whole)
        graph_fail(g, ERR_UNSUPPORTED,
                   "layer %d: head size %u of %u columns, %u of them keys and values, in a %s cache", g->layer, D, cols,
                   row, kv_type_name(cache.id ? g->states[cache.id].type : KV_F32));
    if (a->scale_q.id) graph_expect_vector(g, "rope_kv", "scale_q", a->scale_q, D);
    if (a->scale_q.id || a->scale_k.id) graph_expect_vector(g, "rope_kv", "scale_k", a->scale_k, D);
    if (g->error.code) return (val){0};
    struct op_call call = {.op = OP_ROPE_KV,
                           .in = {qkv},
                           .w = {a->scale_q, a->scale_k},
                           .s = cache,
                           .args = {.head_dim = D, .eps = a->eps, .base = a->base, .rotate_scale = a->rotate_scale}};
    return graph_one_output(g, call, cols - row, ROWS_TOKENS);
}

val op_attention(struct graph *g, val q, state cache, const struct attention_args *a)
{
    uint32_t D = a->head_dim, kv = cache.id ? g->states[cache.id].cols / 2 : 0;
    if (!D || D % 4 || D > 256 || graph_cols(g, q) % D || !kv || kv % D || (graph_cols(g, q) / D) % (kv / D))
        graph_fail(g, ERR_UNSUPPORTED,
                   "layer %d: attention with head size %u, %u query and %u key columns is not supported", g->layer, D,
                   graph_cols(g, q), kv);
    struct op_call call = {
        .op = OP_ATTENTION, .in = {q}, .s = cache, .args = {.head_dim = D, .window = a->window, .scale = a->scale}};
    if (!g->error.code)
        call.out[OUT_MORE] =
            graph_add_scratch(g, attention_work(graph_cols(g, q) / D, kv / D, D, g->states[cache.id].rows), ROWS_NONE);
    return graph_one_output(g, call, graph_cols(g, q), ROWS_TOKENS);
}
