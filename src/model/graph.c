/* graph.c - a recording: weights, states, values, calls. See graph.h. */
#include "model/graph_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

val graph_add_value(struct graph *g, uint32_t cols, enum rows_of rows)
{
    if (!cols || cols % 4) graph_fail(g, ERR_UNSUPPORTED, "an activation of %u values, expected a multiple of 4", cols);
    if (g->error.code || !GROW(g, values, g->n_values)) return (val){0};
    g->values[g->n_values] = (struct graph_value){.cols = cols, .rows = rows, .made = g->n_calls, .last = g->n_calls};
    return (val){g->n_values++};
}

val graph_add_scratch(struct graph *g, uint32_t cols, enum rows_of rows)
{
    val scratch = cols ? graph_add_value(g, cols, rows) : (val){0};
    if (scratch.id) g->values[scratch.id].scratch = true;
    return scratch;
}

size_t value_row_words(const struct graph_value *v) { return v->q8 ? q8_row_words(v->cols) : v->cols; }

void graph_record(struct graph *g, struct op_call call)
{
    if (g->error.code || !GROW(g, calls, g->n_calls)) return;
    call.layer = g->layer;
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        if (call.in[i].id) g->values[call.in[i].id].last = g->n_calls;
    g->calls[g->n_calls++] = call;
}

uint32_t graph_cols(const struct graph *g, val x) { return x.id ? g->values[x.id].cols : 0; }

/* the value is there and has that many columns */
void graph_expect(struct graph *g, const char *op, const char *what, val x, uint32_t cols)
{
    if (g->error.code) return;
    if (graph_cols(g, x) != cols)
        graph_fail(g, ERR_FORMAT, "layer %d, %s: %s has %u columns, expected %u", g->layer, op, what, graph_cols(g, x),
                   cols);
}

void graph_expect_at_least(struct graph *g, const char *op, const char *what, val x, uint32_t cols)
{
    if (graph_cols(g, x) < cols) graph_expect(g, op, what, x, cols);
}

void graph_expect_vector(struct graph *g, const char *op, const char *what, weight w, uint32_t n)
{
    uint32_t found = weight_rows(g, w) * weight_cols(g, w);
    if (!g->error.code && found != n)
        graph_fail(g, ERR_FORMAT, "layer %d, %s: %s has %u values, expected %u", g->layer, op, what, found, n);
}

val graph_one_output(struct graph *g, struct op_call call, uint32_t cols, enum rows_of rows)
{
    val y = graph_add_value(g, cols, rows);
    call.out[0] = y;
    graph_record(g, call);
    return y;
}

enum rows_of graph_rows_like(const struct graph *g, val x) { return x.id ? g->values[x.id].rows : ROWS_TOKENS; }

weight graph_add_stack(struct graph *g, bool is_vector)
{
    if (g->error.code || !GROW(g, weights, g->n_weights)) return (weight){0};
    g->weights[g->n_weights] = (struct graph_weight){.name = "stack", .vector = is_vector, .q = quant_find(QUANT_F32)};
    return (weight){g->n_weights++};
}

void graph_push_part(struct graph *g, weight stack, weight part, uint32_t rows, uint32_t cols)
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
    weight stack = graph_add_stack(g, true);
    for (uint32_t i = 0; stack.id && i < n && i < STACK_MAX_PARTS; i++) {
        graph_expect_vector(g, "vectors", "a vector", parts[i], cols);
        graph_push_part(g, stack, parts[i], 1, cols);
    }
    return stack;
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
