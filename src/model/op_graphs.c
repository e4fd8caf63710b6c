/* op_graphs.c - see op_graphs.h */
#include "model/op_graphs.h"

#include <math.h>

void record_embed(struct op_bench *b, const uint32_t *n)
{
    b->vocabulary = n[1];
    op_embed(&b->graph, case_matrix(b, "w", quant_find(n[0]), n[1], n[2]), 1.5f);
}

void record_select(struct op_bench *b, const uint32_t *n) { op_select(&b->graph, case_input(b, n[0], -1, 1)); }

/* the op's output is wanted in int8 form (only) */
static void to_int8(struct op_bench *b, val y, uint32_t wanted)
{
    if (wanted) op_quantize(&b->graph, y);
}

void record_layer_norm(struct op_bench *b, const uint32_t *n)
{
    val x = case_input(b, n[0], 2, 6); /* a large mean shows a one-pass variance */
    if (n[1]) x = op_select(&b->graph, x);
    weight scale = case_vector(b, "scale", 1, n[0], -2, 2), bias = case_vector(b, "bias", 1, n[0], -1, 1);
    to_int8(b, op_layer_norm(&b->graph, x, scale, bias, 1e-5f), n[2]);
}

void record_rms_norm(struct op_bench *b, const uint32_t *n)
{
    val x = case_input(b, n[0], -3, 3), residual = n[1] ? case_input(b, n[0], -1, 1) : (val){0};
    if (n[2]) x = op_select(&b->graph, x);
    weight scale = case_vector(b, "scale", 1, n[0], -2, 2);
    val z;
    to_int8(b,
            n[4] ? op_rms_norms(&b->graph, x, residual, scale, case_vector(b, "scale_2", 1, n[0], -2, 2), 1e-6f, &z)
                 : op_rms_norm(&b->graph, x, residual, scale, 1e-6f),
            n[3]);
}

void record_token_shift(struct op_bench *b, const uint32_t *n)
{
    val x = case_input(b, n[0], -1, 3);
    weight scale = case_vector(b, "scale", 1, n[0], -2, 2), bias = case_vector(b, "bias", 1, n[0], -1, 1);
    weight lerp = case_vector(b, "lerp", n[1], n[0], 0, 1);
    to_int8(b, op_token_shift(&b->graph, x, scale, bias, lerp, case_memory(b, 2, n[0], false, -1, 1), 1e-5f), n[2]);
}

void record_quantize(struct op_bench *b, const uint32_t *n) { op_quantize(&b->graph, case_input(b, n[0], -1, 1)); }

void record_matmul(struct op_bench *b, const uint32_t *n)
{
    val x = n[5] & MATMUL_INT8 ? case_input_q8(b, n[2], -1, 1) : case_input(b, n[2], -1, 1);
    val other = n[4] ? case_input(b, n[1], -1, 1) : (val){0};
    if (n[5] & MATMUL_OF_OUTPUTS) {
        x = op_select(&b->graph, x);
        if (n[4]) other = op_select(&b->graph, other);
    }
    weight bias = n[5] & MATMUL_BIAS ? case_vector(b, "bias", 1, n[1], -1, 1) : (weight){0};
    struct matmul_args a = {.bias = bias, .act = n[3], .combine = n[4], .other = other};
    val y = op_matmul(&b->graph, case_matrix(b, "w", quant_find(n[0]), n[1], n[2]), x, a);
    to_int8(b, y, n[5] & MATMUL_TO_INT8);
}

/* product i takes the columns from i * apart on */
static void products_apart(struct op_bench *b, const uint32_t *n, uint32_t apart, bool int8)
{
    static const enum act kinds[] = {ACT_TANH, ACT_NONE, ACT_SIGMOID, ACT_RELU2};
    struct product p[CASE_PRODUCTS];
    uint32_t count = 0, widest = 0;
    for (; count < CASE_PRODUCTS && n[count] != PRODUCTS_END; count++) {
        const struct quant_info *q = quant_find(n[count]);
        char name[] = {'w', (char)('0' + count), 0}, bias[] = {'b', (char)('0' + count), 0};
        uint32_t rows = n[4] + 4 * count, cols = q->items == 1 && !int8 ? n[5] + 20 * count : n[5];
        p[count] =
            (struct product){.w = case_matrix(b, name, q, rows, cols), .x_at = apart * count, .act = kinds[count]};
        if (count != 1 && !int8) p[count].bias = case_vector(b, bias, 1, rows, -1, 1);
        if (widest < apart * count + cols) widest = apart * count + cols;
    }
    widest = (widest + 31) / 32 * 32;
    op_products(&b->graph, int8 ? case_input_q8(b, widest, -1, 1) : case_input(b, widest, -1, 1), p, count);
}

void record_products(struct op_bench *b, const uint32_t *n) { products_apart(b, n, 12, false); }
void record_products_int8(struct op_bench *b, const uint32_t *n) { products_apart(b, n, 32, true); }

void record_products_thin(struct op_bench *b, const uint32_t *n)
{
    static const enum quant_type types[] = {QUANT_F32, QUANT_F16, QUANT_BF16};
    static const enum act acts[] = {ACT_TANH, ACT_NONE, ACT_SIGMOID};
    struct product p[CASE_PRODUCTS];
    uint32_t count = 0;
    if (n[0] != PRODUCTS_END) p[count++] = (struct product){.w = case_matrix(b, "w", quant_find(n[0]), n[1], n[2])};
    for (uint32_t i = 0; i < 3; i++) {
        char name[] = {'t', (char)('0' + i), 0}, bias[] = {'b', (char)('0' + i), 0};
        uint32_t rows = n[3] + 4 * i, cols = n[2] + 20 * i;
        p[count] = (struct product){
            .w = case_matrix(b, name, quant_find(types[i]), rows, cols), .x_at = 32 * i, .act = acts[i]};
        float *floats = (void *)b->tensors[b->n_tensors - 1].data;
        for (uint32_t k = 0; types[i] == QUANT_F32 && k < rows * cols; k++) floats[k] = ldexpf(floats[k], (int)n[4]);
        if (n[5] && i != 1) p[count].bias = case_vector(b, bias, 1, rows, -1, 1);
        count++;
    }
    op_products(&b->graph, case_input_q8(b, (n[2] + 40 + 64 + 31) / 32 * 32, -1, 1), p, count);
}

void record_gated(struct op_bench *b, const uint32_t *n)
{
    const struct quant_info *q = quant_find(n[0]), *q_up = quant_find(n[5] ? n[5] : n[0]);
    val x = n[3] ? case_input_q8(b, n[2], -1, 1) : case_input(b, n[2], -1, 1);
    weight gate = case_matrix(b, "gate", q, n[1], n[2]), up = case_matrix(b, "up", q_up, n[1], n[2]);
    to_int8(b, op_gated(&b->graph, gate, up, ACT_GELU, x), n[4]);
}

void record_shifted(struct op_bench *b, const uint32_t *n)
{
    const uint32_t M = n[1], C = n[2], thin = n[4] % SHIFTED_F32;
    const struct quant_info *q = quant_find(n[0]), *thin_type = quant_find(n[4] & SHIFTED_F32 ? QUANT_F32 : QUANT_F16);
    val x = case_input(b, C, -1, 3);
    b->graph.int8 = (n[5] & MATMUL_INT8) != 0;
    weight scale = case_vector(b, "scale", 1, C, -2, 2), bias = case_vector(b, "bias", 1, C, -1, 1);
    weight lerp = case_vector(b, "lerp", thin ? 5 : 1, C, 0, 1);
    val blends = op_token_shift(&b->graph, x, scale, bias, lerp, case_memory(b, 2, C, false, -1, 1), 1e-5f);
    if (!thin) {
        val y = op_matmul(&b->graph, case_matrix(b, "w", q, M, C), blends, (struct matmul_args){.act = n[3]});
        to_int8(b, y, n[5] & MATMUL_TO_INT8);
        return;
    }
    const struct product p[] = {{.w = case_matrix(b, "r", q, M, C), .x_at = 0, .act = n[3]},
                                {.w = case_matrix(b, "k", q, M, C), .x_at = 3 * C},
                                {.w = case_matrix(b, "v", q, M, C), .x_at = C},
                                {.w = case_matrix(b, "w1", thin_type, thin, C), .x_at = 2 * C, .act = ACT_TANH},
                                {.w = case_matrix(b, "a1", thin_type, 2 * thin, C), .x_at = 4 * C}};
    op_products(&b->graph, blends, p, sizeof p / sizeof *p);
}

static weight wkv7_vectors(struct op_bench *b, uint32_t C)
{
    const weight vectors[] = {case_vector(b, "k_k", 1, C, 0.5f, 1), case_vector(b, "k_a", 1, C, 0, 1),
                              case_vector(b, "r_k", 1, C, -1, 1), case_vector(b, "ln", 1, C, -2, 2),
                              case_vector(b, "ln_b", 1, C, -1, 1)};
    return vector_stack(&b->graph, vectors, 5, C);
}

void record_wkv7_ups(struct op_bench *b, const uint32_t *n)
{
    static const char *const names[][2] = {{"w2", "w0"}, {"a2", "a0"}, {"g2", NULL}, {"v2", "v0"}};
    static const enum act acts[] = {ACT_NONE, ACT_SIGMOID, ACT_NONE, ACT_SIGMOID};
    const uint32_t N = n[0], C = n[0] * n[1], n_ups = n[2] ? 4 : 3;
    struct product ups[4];
    uint32_t at = 3 * C;
    for (uint32_t i = 0; i < n_ups; i++) {
        const uint32_t rank = n[4] + 8 * i;
        ups[i] =
            (struct product){.w = case_matrix(b, names[i][0], quant_find(n[3]), C, rank), .x_at = at, .act = acts[i]};
        if (names[i][1]) ups[i].bias = case_vector(b, names[i][1], 1, C, -1, 1);
        at += rank;
    }
    /* the recurrence would amplify what matrix units round */
    struct wkv7_args a = {.rkv = case_input_coarse(b, at), .vectors = wkv7_vectors(b, C), .head_dim = N, .eps = 64e-5f};
    if (n[2])
        a.first_rkv = case_input(b, 3 * C, -1, 1); /* an input of later than the products could lie in their scratch */
    a.wagv = op_products(&b->graph, a.rkv, ups, n_ups);
    a.s = case_memory(b, C, N, false, -1, 1);
    to_int8(b, op_wkv7(&b->graph, &a), n[5]);
}

void record_wkv7(struct op_bench *b, const uint32_t *n)
{
    uint32_t N = n[0], C = n[0] * n[1];
    float k = n[3] ? 1e-13f : 1;
    struct case_range rkv[] = {{-1, 1}, {-k, k}, {-1, 1}}, wagv[] = {{-6, 6}, {0, 1}, {-1, 1}, {0, 1}};
    if (n[5]) { /* all that a key reads is removed; with the strongest decay, or none and keys that are alike */
        wagv[0] = n[5] == 1 ? (struct case_range){10, 40} : (struct case_range){-40, -10};
        wagv[1] = (struct case_range){0.99f, 1};
        if (n[5] == 2) rkv[1] = (struct case_range){0.9f, 1};
    }
    struct wkv7_args a = {
        .rkv = case_blocks(b, 3 * C, rkv, 3),
        .wagv = case_blocks(b, (n[2] ? 4 : 3) * C, wagv, n[2] ? 4 : 3),
        .vectors = wkv7_vectors(b, C),
        .s = case_memory(b, C, N, false, -1, 1),
        .head_dim = N,
        .eps = 64e-5f,
    };
    if (n[2]) a.first_rkv = case_blocks(b, 3 * C, rkv, 3);
    to_int8(b, op_wkv7(&b->graph, &a), n[4]);
}

void record_rope_kv(struct op_bench *b, const uint32_t *n)
{
    const bool norm = n[5] & ROPE_NORM;
    struct rope_args a = {.scale_q = norm ? case_vector(b, "scale_q", 1, n[0], -2, 2) : (weight){0},
                          .scale_k = norm ? case_vector(b, "scale_k", 1, n[0], -2, 2) : (weight){0},
                          .head_dim = n[0],
                          .eps = 1e-6f,
                          .base = (float)n[4],
                          .rotate_scale = n[5] & ROPE_SCALED ? 8 : 1};
    val qkv = case_input(b, n[0] * (n[1] + 2 * n[2]), -1, 1);
    op_rope_kv(&b->graph, qkv, case_cache(b, n[3], 2 * n[0] * n[2], n[5] % ROPE_NORM, -1, 1), &a);
}

void record_attention(struct op_bench *b, const uint32_t *n)
{
    struct attention_args a = {.head_dim = n[0], .window = n[4], .scale = 1 / sqrtf((float)n[0])};
    val q = case_input(b, n[0] * n[1], -4, 4);
    state cache = case_cache(b, n[3], 2 * n[0] * n[2], n[5] % CASE_TO_INT8, -2, 2);
    to_int8(b, op_attention(&b->graph, q, cache, &a), n[5] & CASE_TO_INT8);
}

void record_attention_written(struct op_bench *b, const uint32_t *n)
{
    struct attention_args a = {.head_dim = n[0], .window = n[4], .scale = 1 / sqrtf((float)n[0])};
    state cache = case_cache(b, n[3], 2 * n[0] * n[2], n[5] % CASE_TO_INT8, NAN, NAN);
    struct rope_args rope = {.head_dim = n[0], .base = 10000, .rotate_scale = 1};
    val q = op_rope_kv(&b->graph, case_input(b, n[0] * (n[1] + 2 * n[2]), -2, 2), cache, &rope);
    to_int8(b, op_attention(&b->graph, q, cache, &a), n[5] & CASE_TO_INT8);
}
