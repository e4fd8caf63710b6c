/* graph_products.c - records matrix products, and stacks of matrices that one kernel reads as one. See graph.h. */
#include "model/graph_internal.h"
#include "ops/matmul_plan.h"
#include "quant/q8_row.h"

static bool is_integer(const struct graph *g, weight w) { return w.id && !quant_is_float(g->weights[w.id].q); }

/* a matrix of integers, in a model whose products take int8 activations, and columns of x that are whole blocks */
static bool takes_q8(const struct graph *g, weight w, val x, uint32_t x_at)
{
    return g->int8 && is_integer(g, w) && graph_cols(g, x) % Q8_BLOCK == 0 && x_at % Q8_BLOCK == 0;
}

/* the call takes the blends of a token shift: it knows what they are made of */
static void know_shift(const struct graph *g, struct op_call *c, val x)
{
    if (g->error.code || !x.id || g->values[x.id].made >= g->n_calls) return;
    const struct op_call *maker = &g->calls[g->values[x.id].made];
    if (maker->op != OP_TOKEN_SHIFT || maker->out[0].id != x.id) return;
    c->in[IN_UNSHIFTED] = maker->in[0];
    c->w[W_SHIFT] = maker->w[0];
    c->s = maker->s;
    c->args.eps = maker->args.eps;
}

/* Scratch for matrix units (ops/units_plan.c): a product of `tiles` tiles of rows in n segments, up to `cols` wide */
static void want_scratch(const struct graph *g, val x, uint32_t tiles, uint32_t n, uint32_t cols, uint32_t *sums,
                         uint32_t *halves)
{
    const uint32_t rows = graph_rows_like(g, x) == ROWS_TOKENS ? g->units_tokens : g->units_outputs;
    if (!rows) return;
    const uint64_t wanted = (units_sums(tiles, rows) + rows - 1) / rows;
    const uint32_t words = units_halves(tiles, n, cols, graph_cols(g, x));
    if (!wanted || wanted > INT32_MAX) return;
    if (wanted > *sums) *sums = (uint32_t)(wanted + 3) / 4 * 4;
    if (words > *halves) *halves = words;
}

static void add_units_scratch(struct graph *g, struct op_call *c, enum rows_of rows, uint32_t sums, uint32_t halves)
{
    c->out[OUT_MORE] = graph_add_scratch(g, sums, rows);
    c->out[OUT_HALVES] = graph_add_scratch(g, halves, rows);
}

val op_matmul(struct graph *g, weight w, val x, struct matmul_args args)
{
    uint32_t M = weight_rows(g, w);
    if (w.id) graph_expect(g, g->weights[w.id].name, "its input", x, weight_cols(g, w));
    if (args.bias.id) graph_expect_vector(g, "matmul", "bias", args.bias, M);
    if (args.combine != COMBINE_NONE) graph_expect(g, "matmul", "the other operand", args.other, M);
    const bool q8 = takes_q8(g, w, x, 0);
    struct op_call call = {.op = OP_MATMUL,
                           .in = {q8 ? (val){0} : x, args.other, q8 ? op_quantize(g, x) : (val){0}},
                           .w = {w, args.bias},
                           .args = {.act = args.act, .combine = args.combine}};
    know_shift(g, &call, x);
    uint32_t sums = 0, halves = 0;
    want_scratch(g, x, units_tiles(M), 1, weight_cols(g, w), &sums, &halves);
    add_units_scratch(g, &call, graph_rows_like(g, x), sums, halves);
    return graph_one_output(g, call, M, graph_rows_like(g, x));
}

/* matrices that kernels for any float type and width can do well enough */
static bool is_thin(const struct graph_weight *w)
{
    return quant_is_float(w->q) && (w->rows <= w->cols / 4 || w->cols <= w->rows / 4);
}

/* a stack can hold both: rows of the same type and width, or thin floats */
static bool stackable(const struct graph_weight *a, const struct graph_weight *b)
{
    return (a->q == b->q && a->cols == b->cols) || (is_thin(a) && is_thin(b));
}

/* a mixed stack lies in one binding, which devices promise 128 MiB for */
enum { MIXED_MAX_WEIGHTS = 16 << 20 };

static bool joins(const struct graph *g, weight stack, weight w)
{
    const struct graph_weight *s = &g->weights[stack.id], *m = &g->weights[w.id];
    const uint64_t cols = s->cols > m->cols ? s->cols : m->cols, rows = (uint64_t)s->rows + m->rows;
    const bool mixed = s->mixed || s->q != m->q || s->cols != m->cols;
    bool fits = !mixed || rows <= MIXED_MAX_WEIGHTS / cols;
    for (uint32_t i = 0; i < s->n_parts; i++) fits &= stackable(&g->weights[s->parts[i].w.id], &g->weights[w.id]);
    return fits;
}

/* the biases of all products as one vector; absent if none has one */
static weight bias_stack(struct graph *g, const struct product *p, uint32_t n)
{
    bool any = false;
    for (uint32_t i = 0; i < n; i++) any |= p[i].bias.id != 0;
    weight stack = any ? graph_add_stack(g, true) : (weight){0};
    for (uint32_t i = 0; stack.id && i < n; i++) {
        uint32_t M = weight_rows(g, p[i].w);
        if (p[i].bias.id) graph_expect_vector(g, "products", "bias", p[i].bias, M);
        graph_push_part(g, stack, p[i].bias, M, 1);
    }
    return stack;
}

static bool integers_take_q8(const struct graph *g, val x, const struct product *p, uint32_t n)
{
    bool all = true;
    for (uint32_t i = 0; i < n; i++) all &= !is_integer(g, p[i].w) || takes_q8(g, p[i].w, x, p[i].x_at);
    return all;
}

static void want_stack_scratch(struct graph *g, val x, struct op_call *c)
{
    uint32_t sums = 0, halves = 0;
    for (uint32_t i = PRODUCTS_STACKS; i < OP_MAX_WEIGHTS && c->w[i].id; i++) {
        const struct graph_weight *stack = &g->weights[c->w[i].id];
        uint32_t tiles = 0;
        for (uint32_t k = 0; k < stack->n_parts; k++) tiles += units_tiles(stack->parts[k].rows);
        want_scratch(g, x, tiles, stack->n_parts, stack->cols, &sums, &halves);
    }
    add_units_scratch(g, c, ROWS_TOKENS, sums, halves);
}

val op_products(struct graph *g, val x, const struct product *p, uint32_t n)
{
    struct op_call call = {.op = OP_PRODUCTS, .args = {.n_products = n}};
    uint32_t cols = 0, n_stacks = 0;
    weight stack = {0};
    const bool q8 = integers_take_q8(g, x, p, n);
    for (uint32_t i = 0; i < n && !g->error.code; i++) {
        uint32_t M = weight_rows(g, p[i].w), K = weight_cols(g, p[i].w);
        if (p[i].x_at % 4 || p[i].x_at > graph_cols(g, x) || K > graph_cols(g, x) - p[i].x_at)
            graph_fail(g, ERR_FORMAT, "%s: reads columns %u to %u of %u", g->weights[p[i].w.id].name, p[i].x_at,
                       p[i].x_at + K, graph_cols(g, x));
        call.w[i] = p[i].w;
        call.args.products[i] = (struct product_args){p[i].x_at, p[i].act};
        if (!i || !joins(g, stack, p[i].w)) call.w[PRODUCTS_STACKS + n_stacks++] = stack = graph_add_stack(g, false);
        if (!g->error.code) graph_push_part(g, stack, p[i].w, M, K);
        cols += M;
        if (q8 && is_integer(g, p[i].w)) call.in[IN_Q8] = op_quantize(g, x);
        else call.in[0] = x;
    }
    call.w[PRODUCTS_BIAS] = bias_stack(g, p, n);
    know_shift(g, &call, x);
    want_stack_scratch(g, x, &call);
    return graph_one_output(g, call, cols, ROWS_TOKENS);
}

val op_gated(struct graph *g, weight gate, weight up, enum act act, val x)
{
    const struct product products[] = {{.w = gate, .act = act}, {.w = up}};
    if (!g->error.code && weight_rows(g, gate) != weight_rows(g, up))
        graph_fail(g, ERR_FORMAT, "layer %d, gated: a gate of %u rows for %u", g->layer, weight_rows(g, gate),
                   weight_rows(g, up));
    val v = op_products(g, x, products, 2);
    return graph_one_output(g, (struct op_call){.op = OP_GATED, .in = {v}}, weight_rows(g, gate), ROWS_TOKENS);
}
