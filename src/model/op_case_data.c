/* op_case_data.c - the random data of op cases. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/op_case.h"

static float uniform(struct rng *r, float low, float high)
{
    return low + (high - low) * (float)(rng_next(r) >> 40) * 0x1p-24f;
}

void case_fill(struct rng *r, float *out, size_t n, float low, float high)
{
    for (size_t i = 0; i < n; i++) out[i] = isnan(low) ? low : uniform(r, low, high);
}

/* where a block's f16 scales lie, and how large they may be so that weights stay about 1 */
static const struct block_scales {
    enum quant_type type;
    int d_at, minimum_at; /* minimum_at -1: none */
    float largest;
} block_scales[] = {
    {QUANT_Q4_0, 0, -1, 0.1f},  {QUANT_Q4_1, 0, 2, 0.1f},   {QUANT_Q5_0, 0, -1, 0.06f},  {QUANT_Q5_1, 0, 2, 0.06f},
    {QUANT_Q8_0, 0, -1, 0.01f}, {QUANT_Q4_K, 0, 2, 0.001f}, {QUANT_Q5_K, 0, 2, 0.0005f}, {QUANT_Q6_K, 208, -1, 0.0003f},
};

static void write_half(uint8_t *at, float f)
{
    uint16_t half = f32_to_f16(f);
    at[0] = (uint8_t)(half & 255);
    at[1] = (uint8_t)(half >> 8);
}

/* any bytes are a block, but its scales must be finite */
static void random_block(struct rng *r, const struct quant_info *q, uint8_t *block)
{
    for (uint32_t i = 0; i < q->block_bytes; i++) block[i] = (uint8_t)rng_next(r);
    for (size_t i = 0; i < sizeof block_scales / sizeof *block_scales; i++) {
        const struct block_scales *s = &block_scales[i];
        if (s->type != q->type) continue;
        write_half(block + s->d_at, uniform(r, -s->largest, s->largest));
        if (s->minimum_at >= 0) write_half(block + s->minimum_at, uniform(r, -s->largest, s->largest));
        return;
    }
    float f = uniform(r, -1, 1);
    if (q->type == QUANT_F16) write_half(block, f);
    else memcpy(block, (uint8_t *)&f + (q->type == QUANT_BF16 ? 2 : 0), q->block_bytes);
}

/* The new tensor's memory, zeroed; NULL after a failure. */
static uint8_t *add_tensor(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows,
                           uint32_t cols, size_t *bytes)
{
    size_t n = (size_t)rows * cols;
    *bytes = n / q->items * q->block_bytes;
    uint8_t *data = b->n_tensors < CASE_TENSORS && cols % q->items == 0 ? arena_alloc(&b->arena, *bytes, 1) : NULL;
    if (!data) {
        graph_fail(&b->graph, ERR_MEMORY, "a test's tensor %s [%u, %u] cannot be made", name, rows, cols);
        return NULL;
    }
    snprintf(b->names[b->n_tensors], sizeof b->names[0], "%s.weight", name);
    struct tensor_info *t = &b->tensors[b->n_tensors];
    *t = (struct tensor_info){.name = b->names[b->n_tensors++],
                              .type = q->type,
                              .n_dims = 2,
                              .dims = {cols, rows, 1, 1},
                              .n_items = n,
                              .size = *bytes,
                              .data = data};
    return data;
}

weight case_vector(struct op_bench *b, const char *name, uint32_t rows, uint32_t cols, float low, float high)
{
    size_t bytes;
    float *data = (void *)add_tensor(b, name, quant_find(QUANT_F32), rows, cols, &bytes);
    if (data) case_fill(&b->rng, data, bytes / sizeof *data, low, high);
    return vector(&b->graph, name, rows, cols);
}

weight case_matrix(struct op_bench *b, const char *name, const struct quant_info *q, uint32_t rows, uint32_t cols)
{
    size_t bytes;
    uint8_t *data = add_tensor(b, name, q, rows, cols, &bytes);
    for (size_t at = 0; data && at < bytes; at += q->block_bytes) random_block(&b->rng, q, data + at);
    return matrix(&b->graph, name, rows, cols);
}

val case_blocks(struct op_bench *b, uint32_t cols, const struct case_range *blocks, uint32_t n)
{
    val v = op_input(&b->graph, cols);
    struct case_value *c = &b->inputs[b->n_inputs++];
    *c = (struct case_value){.v = v, .n_blocks = n};
    for (uint32_t i = 0; i < n; i++) c->blocks[i] = blocks[i];
    return v;
}

val case_input(struct op_bench *b, uint32_t cols, float low, float high)
{
    return case_blocks(b, cols, &(struct case_range){low, high}, 1);
}

val case_input_coarse(struct op_bench *b, uint32_t cols)
{
    val v = case_input(b, cols, -1, 1);
    b->inputs[b->n_inputs - 1].step = 0x1p-6f;
    return v;
}

val case_input_q8(struct op_bench *b, uint32_t cols, float low, float high)
{
    val x = case_input(b, cols, low, high), q = case_input(b, cols, low, high);
    if (!graph_ok(&b->graph, NULL)) return x;
    b->graph.int8 = true;
    b->graph.values[q.id].q8 = true;
    b->graph.values[x.id].as_q8 = q;
    return x;
}

state case_memory(struct op_bench *b, uint32_t rows, uint32_t cols, bool positions, float low, float high)
{
    b->state = (struct case_state){memory(&b->graph, "state", rows, cols, positions), low, high};
    return b->state.s;
}

state case_cache(struct op_bench *b, uint32_t rows, uint32_t cols, enum kv_type type, float low, float high)
{
    b->state = (struct case_state){kv_cache(&b->graph, "state", rows, cols, type), low, high};
    return b->state.s;
}

static bool find(void *user, const char *name, struct tensor_info *out)
{
    const struct op_bench *b = user;
    for (uint32_t i = 0; i < b->n_tensors; i++) {
        if (strcmp(b->tensors[i].name, name) != 0) continue;
        *out = b->tensors[i];
        return true;
    }
    return false;
}

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

void case_begin(struct op_bench *b, const char *name)
{
    *b = (struct op_bench){0};
    rng_seed(&b->rng, hash(name));
    graph_init(&b->graph, find, b);
}

void case_end(struct op_bench *b)
{
    graph_free(&b->graph);
    arena_free(&b->arena);
}
