/* graph.c - records ops: checks shapes, resolves tensors, keeps lifetimes. See graph.h. */
#include "model/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ops/attention_work.h"
#include "ops/matmul_plan.h"
#include "ops/wkv7_work.h"
#include "quant/q8_row.h"

void graph_init(struct graph *g, bool (*find)(void *user, const char *name, struct tensor_info *out), void *user)
{
    *g = (struct graph){.find = find, .find_user = user, .layer = -1, .n_values = 1, .n_weights = 1, .n_states = 1};
}

void graph_free(struct graph *g)
{
    arena_free(&g->arena);
    *g = (struct graph){0};
}

bool graph_ok(const struct graph *g, struct error *err)
{
    if (g->error.code && err) *err = g->error;
    return !g->error.code;
}

void graph_fail(struct graph *g, enum error_code code, const char *format, ...)
{
    if (g->error.code) return;
    va_list args;
    va_start(args, format);
    char text[sizeof g->error.message];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail(&g->error, code, "%s", text);
}

/* a list grows to the next power of two; what it leaves stays in the arena until graph_free */
static void *grow(struct graph *g, void *items, uint32_t n, size_t size)
{
    if (items && (n & (n - 1))) return items;
    void *larger = arena_alloc(&g->arena, n ? 2 * (size_t)n : 2, size);
    if (!larger) {
        graph_fail(g, ERR_MEMORY, "out of memory while the model is recorded");
        return items;
    }
    if (items) memcpy(larger, items, n * size);
    return larger;
}

/* true if the item n may be written */
#define GROW(g, list, n) ((g)->list = grow(g, (g)->list, (n), sizeof *(g)->list), !(g)->error.code)

static const char *full_name(struct graph *g, const char *name, char *out, size_t capacity)
{
    size_t n = strlen(name);
    bool suffixed = (n > 7 && !strcmp(name + n - 7, ".weight")) || (n > 5 && !strcmp(name + n - 5, ".bias"));
    const char *suffix = suffixed ? "" : ".weight";
    if (g->layer >= 0) snprintf(out, capacity, "blk.%d.%s%s", g->layer, name, suffix);
    else snprintf(out, capacity, "%s%s", name, suffix);
    return out;
}

bool has_tensor(const struct graph *g, const char *name)
{
    char full[TENSOR_MAX_NAME + 32];
    struct tensor_info t;
    return g->find(g->find_user, full_name((struct graph *)g, name, full, sizeof full), &t);
}

static weight add_weight(struct graph *g, const char *name, uint32_t rows, uint32_t cols, bool is_vector)
{
    char full[TENSOR_MAX_NAME + 32];
    struct tensor_info t;
    if (g->error.code) return (weight){0};
    full_name(g, name, full, sizeof full);
    /* tied weights are one */
    for (uint32_t i = 1; g->layer < 0 && i < g->n_weights; i++)
        if (g->weights[i].vector == is_vector && !strcmp(g->weights[i].name, full)) return (weight){i};
    if (!g->find(g->find_user, full, &t)) {
        graph_fail(g, ERR_FORMAT, "the file has no tensor %s, which the architecture needs", full);
        return (weight){0};
    }
    const struct quant_info *q = quant_find(t.type);
    if (!q) {
        graph_fail(g, ERR_UNSUPPORTED, "tensor %s has type number %u, which this version does not read", full, t.type);
        return (weight){0};
    }
    uint64_t found_cols = t.dims[0], found_rows = t.n_items / t.dims[0];
    bool fits =
        is_vector ? t.n_items == (uint64_t)rows * cols : (!cols || found_cols == cols) && (!rows || found_rows == rows);
    if (!fits) {
        graph_fail(g, ERR_FORMAT, "tensor %s is [%llu, %llu], expected [%u, %u]", full, (unsigned long long)found_rows,
                   (unsigned long long)found_cols, rows, cols);
        return (weight){0};
    }
    if (found_rows > INT32_MAX || found_cols > INT32_MAX || (!is_vector && found_cols % 4)) {
        graph_fail(g, ERR_UNSUPPORTED, "tensor %s is [%llu, %llu]: rows must be a multiple of 4 long", full,
                   (unsigned long long)found_rows, (unsigned long long)found_cols);
        return (weight){0};
    }
    const char *kept = arena_copy(&g->arena, full, strlen(full));
    if (!kept || !GROW(g, weights, g->n_weights)) return (weight){0};
    g->weights[g->n_weights] = (struct graph_weight){.name = kept,
                                                     .q = q,
                                                     .data = t.data,
                                                     .vector = is_vector,
                                                     .rows = is_vector ? rows : (uint32_t)found_rows,
                                                     .cols = is_vector ? cols : (uint32_t)found_cols};
    return (weight){g->n_weights++};
}

weight matrix(struct graph *g, const char *name, uint32_t rows, uint32_t cols)
{
    return add_weight(g, name, rows, cols, false);
}

weight vector(struct graph *g, const char *name, uint32_t rows, uint32_t cols)
{
    return add_weight(g, name, rows, cols, true);
}

uint32_t weight_rows(const struct graph *g, weight w) { return w.id ? g->weights[w.id].rows : 0; }
uint32_t weight_cols(const struct graph *g, weight w) { return w.id ? g->weights[w.id].cols : 0; }

state memory(struct graph *g, const char *name, uint32_t rows, uint32_t cols, bool positions)
{
    char full[TENSOR_MAX_NAME + 32];
    snprintf(full, sizeof full, "blk.%d.%s", g->layer, name);
    const char *kept = arena_copy(&g->arena, full, strlen(full));
    if (!kept || !GROW(g, states, g->n_states)) return (state){0};
    g->states[g->n_states] = (struct graph_state){kept, rows, cols, positions, KV_F32};
    return (state){g->n_states++};
}

state kv_cache(struct graph *g, const char *name, uint32_t rows, uint32_t cols, enum kv_type type)
{
    if (type == KV_Q8 && cols % (2 * Q8_BLOCK))
        graph_fail(g, ERR_UNSUPPORTED,
                   "layer %d: %u key columns cannot be kept as %s, which takes multiples of %d: use f16", g->layer,
                   cols / 2, kv_type_name(type), Q8_BLOCK);
    state s = memory(g, name, rows, cols, true);
    if (s.id) g->states[s.id].type = type;
    return s;
}

static val add_value(struct graph *g, uint32_t cols, enum rows_of rows)
{
    if (!cols || cols % 4) graph_fail(g, ERR_UNSUPPORTED, "an activation of %u values, expected a multiple of 4", cols);
    if (g->error.code || !GROW(g, values, g->n_values)) return (val){0};
    g->values[g->n_values] = (struct graph_value){.cols = cols, .rows = rows, .made = g->n_calls, .last = g->n_calls};
    return (val){g->n_values++};
}

static val add_scratch(struct graph *g, uint32_t cols, enum rows_of rows)
{
    val scratch = cols ? add_value(g, cols, rows) : (val){0};
    if (scratch.id) g->values[scratch.id].scratch = true;
    return scratch;
}

size_t value_row_words(const struct graph_value *v) { return v->q8 ? q8_row_words(v->cols) : v->cols; }

static void record(struct graph *g, struct op_call call)
{
    if (g->error.code || !GROW(g, calls, g->n_calls)) return;
    call.layer = g->layer;
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        if (call.in[i].id) g->values[call.in[i].id].last = g->n_calls;
    g->calls[g->n_calls++] = call;
}

static uint32_t cols_of(const struct graph *g, val x) { return x.id ? g->values[x.id].cols : 0; }

/* the value is there and has that many columns */
static void expect(struct graph *g, const char *op, const char *what, val x, uint32_t cols)
{
    if (g->error.code) return;
    if (cols_of(g, x) != cols)
        graph_fail(g, ERR_FORMAT, "layer %d, %s: %s has %u columns, expected %u", g->layer, op, what, cols_of(g, x),
                   cols);
}

static void expect_at_least(struct graph *g, const char *op, const char *what, val x, uint32_t cols)
{
    if (cols_of(g, x) < cols) expect(g, op, what, x, cols);
}

static void expect_vector(struct graph *g, const char *op, const char *what, weight w, uint32_t n)
{
    uint32_t found = weight_rows(g, w) * weight_cols(g, w);
    if (!g->error.code && found != n)
        graph_fail(g, ERR_FORMAT, "layer %d, %s: %s has %u values, expected %u", g->layer, op, what, found, n);
}

static val one_output(struct graph *g, struct op_call call, uint32_t cols, enum rows_of rows)
{
    val y = add_value(g, cols, rows);
    call.out[0] = y;
    record(g, call);
    return y;
}

static enum rows_of rows_like(const struct graph *g, val x) { return x.id ? g->values[x.id].rows : ROWS_TOKENS; }

val op_input(struct graph *g, uint32_t cols) { return add_value(g, cols, ROWS_TOKENS); }

val op_embed(struct graph *g, weight w, float scale)
{
    return one_output(g, (struct op_call){.op = OP_EMBED, .w = {w}, .args = {.scale = scale}}, weight_cols(g, w),
                      ROWS_TOKENS);
}

val op_select(struct graph *g, val x)
{
    return one_output(g, (struct op_call){.op = OP_SELECT, .in = {x}}, cols_of(g, x), ROWS_OUTPUTS);
}

val op_layer_norm(struct graph *g, val x, weight scale, weight bias, float eps)
{
    expect_vector(g, "layer_norm", "scale", scale, cols_of(g, x));
    expect_vector(g, "layer_norm", "bias", bias, cols_of(g, x));
    struct op_call call = {.op = OP_LAYER_NORM, .in = {x}, .w = {scale, bias}, .args = {.eps = eps}};
    return one_output(g, call, cols_of(g, x), rows_like(g, x));
}

val op_rms_norm(struct graph *g, val x, val residual, weight scale, float eps)
{
    expect_vector(g, "rms_norm", "scale", scale, cols_of(g, x));
    if (residual.id) expect(g, "rms_norm", "residual", residual, cols_of(g, x));
    struct op_call call = {.op = OP_RMS_NORM, .in = {x, residual}, .w = {scale}, .args = {.eps = eps}};
    return one_output(g, call, cols_of(g, x), rows_like(g, x));
}

val op_rms_norms(struct graph *g, val x, val residual, weight scale, weight scale_2, float eps, val *z)
{
    expect_vector(g, "rms_norm", "scale", scale, cols_of(g, x));
    expect_vector(g, "rms_norm", "scale_2", scale_2, cols_of(g, x));
    if (residual.id) expect(g, "rms_norm", "residual", residual, cols_of(g, x));
    struct op_call call = {.op = OP_RMS_NORM, .in = {x, residual}, .w = {scale, scale_2}, .args = {.eps = eps}};
    call.out[OUT_MORE] = *z = add_value(g, cols_of(g, x), rows_like(g, x));
    return one_output(g, call, cols_of(g, x), rows_like(g, x));
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
    val y = add_value(g, from.cols, from.rows);
    if (!y.id) return y;
    g->values[y.id].q8 = true;
    g->values[x.id].as_q8 = y;
    if (has_maker && writes_q8(&g->calls[from.made])) {
        g->values[y.id].made = from.made;
        g->calls[from.made].out[OUT_Q8] = y;
    } else {
        record(g, (struct op_call){.op = OP_QUANTIZE, .in = {x}, .out = {y}});
    }
    return y;
}

static bool is_integer(const struct graph *g, weight w) { return w.id && !quant_is_float(g->weights[w.id].q); }

/* a matrix of integers, in a model whose products take int8 activations, and columns of x that are whole blocks */
static bool takes_q8(const struct graph *g, weight w, val x, uint32_t x_at)
{
    return g->int8 && is_integer(g, w) && cols_of(g, x) % Q8_BLOCK == 0 && x_at % Q8_BLOCK == 0;
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
    const uint32_t rows = rows_like(g, x) == ROWS_TOKENS ? g->units_tokens : g->units_outputs;
    if (!rows) return;
    const uint64_t wanted = (units_sums(tiles, rows) + rows - 1) / rows;
    const uint32_t words = units_halves(tiles, n, cols, cols_of(g, x));
    if (!wanted || wanted > INT32_MAX) return;
    if (wanted > *sums) *sums = (uint32_t)(wanted + 3) / 4 * 4;
    if (words > *halves) *halves = words;
}

static void add_units_scratch(struct graph *g, struct op_call *c, enum rows_of rows, uint32_t sums, uint32_t halves)
{
    c->out[OUT_MORE] = add_scratch(g, sums, rows);
    c->out[OUT_HALVES] = add_scratch(g, halves, rows);
}

val op_matmul(struct graph *g, weight w, val x, struct matmul_args args)
{
    uint32_t M = weight_rows(g, w);
    if (w.id) expect(g, g->weights[w.id].name, "its input", x, weight_cols(g, w));
    if (args.bias.id) expect_vector(g, "matmul", "bias", args.bias, M);
    if (args.combine != COMBINE_NONE) expect(g, "matmul", "the other operand", args.other, M);
    const bool q8 = takes_q8(g, w, x, 0);
    struct op_call call = {.op = OP_MATMUL,
                           .in = {q8 ? (val){0} : x, args.other, q8 ? op_quantize(g, x) : (val){0}},
                           .w = {w, args.bias},
                           .args = {.act = args.act, .combine = args.combine}};
    know_shift(g, &call, x);
    uint32_t sums = 0, halves = 0;
    want_scratch(g, x, units_tiles(M), 1, weight_cols(g, w), &sums, &halves);
    add_units_scratch(g, &call, rows_like(g, x), sums, halves);
    return one_output(g, call, M, rows_like(g, x));
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

static weight add_stack(struct graph *g, bool is_vector)
{
    if (g->error.code || !GROW(g, weights, g->n_weights)) return (weight){0};
    g->weights[g->n_weights] = (struct graph_weight){.name = "stack", .vector = is_vector, .q = quant_find(QUANT_F32)};
    return (weight){g->n_weights++};
}

static void push_part(struct graph *g, weight stack, weight part, uint32_t rows, uint32_t cols)
{
    struct graph_weight *s = &g->weights[stack.id];
    if (part.id && !s->vector) {
        if (!s->n_parts) s->q = g->weights[part.id].q;
        s->mixed |= s->q != g->weights[part.id].q || (s->n_parts && s->cols != cols);
    }
    if (part.id) g->weights[part.id].stacked = true;
    if (part.id && !s->n_parts) s->name = g->weights[part.id].name; /* stands for the stack in messages */
    s->parts[s->n_parts++] = (struct stack_part){part, rows};
    s->rows += rows;
    if (s->cols < cols) s->cols = cols;
}

weight vector_stack(struct graph *g, const weight *parts, uint32_t n, uint32_t cols)
{
    weight stack = add_stack(g, true);
    for (uint32_t i = 0; stack.id && i < n && i < STACK_MAX_PARTS; i++) {
        expect_vector(g, "vectors", "a vector", parts[i], cols);
        push_part(g, stack, parts[i], 1, cols);
    }
    return stack;
}

val op_token_shift(struct graph *g, val x, weight scale, weight bias, weight lerp, state last, float eps)
{
    uint32_t C = cols_of(g, x), n = weight_rows(g, lerp);
    expect_vector(g, "token_shift", "lerp", lerp, n * C);
    weight vectors = vector_stack(g, (weight[]){scale, bias}, 2, C);
    if (vectors.id) push_part(g, vectors, lerp, n, C);
    struct op_call call = {.op = OP_TOKEN_SHIFT, .in = {x}, .w = {vectors}, .s = last, .args = {.eps = eps}};
    return one_output(g, call, n * C, ROWS_TOKENS);
}

void vector_read(const struct graph *g, const struct graph_weight *w, float *out)
{
    if (!w->n_parts) w->q->decode(w->data, out, (size_t)w->rows * w->cols);
    for (uint32_t i = 0; i < w->n_parts; i++) {
        size_t n = (size_t)w->parts[i].rows * w->cols;
        const struct graph_weight *part = &g->weights[w->parts[i].w.id];
        if (w->parts[i].w.id) part->q->decode(part->data, out, n);
        else memset(out, 0, n * sizeof *out);
        out += n;
    }
}

/* the biases of all products as one vector; absent if none has one */
static weight bias_stack(struct graph *g, const struct product *p, uint32_t n)
{
    bool any = false;
    for (uint32_t i = 0; i < n; i++) any |= p[i].bias.id != 0;
    weight stack = any ? add_stack(g, true) : (weight){0};
    for (uint32_t i = 0; stack.id && i < n; i++) {
        uint32_t M = weight_rows(g, p[i].w);
        if (p[i].bias.id) expect_vector(g, "products", "bias", p[i].bias, M);
        push_part(g, stack, p[i].bias, M, 1);
    }
    return stack;
}

/* weights of the call: [0 .. n) the matrices, [MAX_PRODUCTS] the biases, then stacks of neighbours of one kind */
enum { PRODUCTS_BIAS = MAX_PRODUCTS, PRODUCTS_STACKS = MAX_PRODUCTS + 1 };

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
        if (p[i].x_at % 4 || p[i].x_at > cols_of(g, x) || K > cols_of(g, x) - p[i].x_at)
            graph_fail(g, ERR_FORMAT, "%s: reads columns %u to %u of %u", g->weights[p[i].w.id].name, p[i].x_at,
                       p[i].x_at + K, cols_of(g, x));
        call.w[i] = p[i].w;
        call.args.products[i] = (struct product_args){p[i].x_at, p[i].act};
        if (!i || !joins(g, stack, p[i].w)) call.w[PRODUCTS_STACKS + n_stacks++] = stack = add_stack(g, false);
        if (!g->error.code) push_part(g, stack, p[i].w, M, K);
        cols += M;
        if (q8 && is_integer(g, p[i].w)) call.in[IN_Q8] = op_quantize(g, x);
        else call.in[0] = x;
    }
    call.w[PRODUCTS_BIAS] = bias_stack(g, p, n);
    know_shift(g, &call, x);
    want_stack_scratch(g, x, &call);
    return one_output(g, call, cols, ROWS_TOKENS);
}

val op_gated(struct graph *g, weight gate, weight up, enum act act, val x)
{
    const struct product products[] = {{.w = gate, .act = act}, {.w = up}};
    if (!g->error.code && weight_rows(g, gate) != weight_rows(g, up))
        graph_fail(g, ERR_FORMAT, "layer %d, gated: a gate of %u rows for %u", g->layer, weight_rows(g, gate),
                   weight_rows(g, up));
    val v = op_products(g, x, products, 2);
    if (g->error.code) return v;
    struct op_call *made = &g->calls[g->n_calls - 1];
    const bool stacked = !made->w[PRODUCTS_STACKS + 1].id && !g->weights[made->w[PRODUCTS_STACKS].id].mixed;
    made->args.gated = stacked;
    struct op_call call = {.op = OP_GATED, .in = {v, made->in[0], made->in[IN_Q8]}, .args = made->args};
    if (stacked) call.w[0] = made->w[PRODUCTS_STACKS];
    else call.in[1] = call.in[IN_Q8] = (val){0};
    call.args.n_products = 0;
    return one_output(g, call, weight_rows(g, gate), ROWS_TOKENS);
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
    uint32_t C = cols_of(g, a->wagv) / (a->first_rkv.id ? 4 : 3), N = a->head_dim;
    expect_at_least(g, "wkv7", "rkv", a->rkv, 3 * C);
    expect(g, "wkv7", "wagv", a->wagv, a->first_rkv.id ? 4 * C : 3 * C);
    if (a->first_rkv.id) expect_at_least(g, "wkv7", "first_rkv", a->first_rkv, 3 * C);
    expect_vector(g, "wkv7", "vectors", a->vectors, 5 * C);
    if (!N || N % 4 || N > 128 || C % N)
        graph_fail(g, ERR_UNSUPPORTED, "head size %u of width %u: expected a divisor, a multiple of 4, at most 128", N,
                   C);
    struct op_call call = {.op = OP_WKV7,
                           .in = {a->rkv, a->wagv, a->first_rkv},
                           .w = {a->vectors},
                           .s = a->s,
                           .args = {.head_dim = N, .eps = a->eps}};
    know_ups(g, &call);
    if (!g->error.code) call.out[OUT_MORE] = add_scratch(g, wkv7_work(N, C), ROWS_TOKENS);
    return one_output(g, call, C, ROWS_TOKENS);
}

val op_rope_kv(struct graph *g, val qkv, state cache, const struct rope_args *a)
{
    const uint32_t D = a->head_dim, cols = cols_of(g, qkv), row = cache.id ? g->states[cache.id].cols : 0;
    const bool whole = !cache.id || g->states[cache.id].type != KV_Q8 || D % Q8_BLOCK == 0;
    if (!D || D % 8 || !row || row % (2 * D) || cols % D || cols <= row || !whole)
        graph_fail(g, ERR_UNSUPPORTED,
                   "layer %d: head size %u of %u columns, %u of them keys and values, in a %s cache", g->layer, D, cols,
                   row, kv_type_name(cache.id ? g->states[cache.id].type : KV_F32));
    if (a->scale_q.id) expect_vector(g, "rope_kv", "scale_q", a->scale_q, D);
    if (a->scale_q.id || a->scale_k.id) expect_vector(g, "rope_kv", "scale_k", a->scale_k, D);
    if (g->error.code) return (val){0};
    struct op_call call = {.op = OP_ROPE_KV,
                           .in = {qkv},
                           .w = {a->scale_q, a->scale_k},
                           .s = cache,
                           .args = {.head_dim = D, .eps = a->eps, .base = a->base, .rotate_scale = a->rotate_scale}};
    return one_output(g, call, cols - row, ROWS_TOKENS);
}

val op_attention(struct graph *g, val q, state cache, const struct attention_args *a)
{
    uint32_t D = a->head_dim, kv = cache.id ? g->states[cache.id].cols / 2 : 0;
    if (!D || D % 4 || D > 256 || cols_of(g, q) % D || !kv || kv % D || (cols_of(g, q) / D) % (kv / D))
        graph_fail(g, ERR_UNSUPPORTED,
                   "layer %d: attention with head size %u, %u query and %u key columns is not supported", g->layer, D,
                   cols_of(g, q), kv);
    struct op_call call = {
        .op = OP_ATTENTION, .in = {q}, .s = cache, .args = {.head_dim = D, .window = a->window, .scale = a->scale}};
    if (!g->error.code)
        call.out[OUT_MORE] =
            add_scratch(g, attention_work(cols_of(g, q) / D, kv / D, D, g->states[cache.id].rows), ROWS_NONE);
    return one_output(g, call, cols_of(g, q), ROWS_TOKENS);
}
