/* bench_op.c - times the operations between the matrices of a layer, many dispatches in a row:
 *
 *   bench_op OP C TOKENS SEQS ...     OP: wkv7, token_shift6, token_shift1, layer_norm; steps of TOKENS tokens in SEQS
 *                                     sequences of equal length
 *   attention:H/KV@POSITION[:TYPE]    H heads of size C that share KV key-value heads, after POSITION tokens; TYPE of the
 *                                     cache: f32, f16, q8_0
 *
 * prints microseconds for one call of the operation in each step. A graph has CALLS of them, each with a state of its
 * own; every one waits for the one before it, as in a model. The values are zeros, which cost as much time as others.
 * CORVID_WEBGPU names the runtime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/exec.h"

enum { CALLS = 24, HEAD = 64 };

static uint8_t *zeros; /* what every tensor holds */
static uint32_t vector_rows, vector_cols;

static bool find(void *user, const char *name, struct tensor_info *out)
{
    (void)user;
    *out = (struct tensor_info){.name = name,
                                .type = QUANT_F32,
                                .n_dims = 2,
                                .dims = {vector_cols, vector_rows, 1, 1},
                                .n_items = (uint64_t)vector_rows * vector_cols,
                                .size = (uint64_t)vector_rows * vector_cols * sizeof(float),
                                .data = zeros};
    return true;
}

static weight zero_vector(struct graph *g, uint32_t rows, uint32_t cols)
{
    vector_rows = rows;
    vector_cols = cols;
    char name[32];
    snprintf(name, sizeof name, "v%ux%u", rows, cols); /* a tensor is found by its name */
    return vector(g, name, rows, cols);
}

static void record_wkv7(struct graph *g, uint32_t C)
{
    for (int i = 0; i < CALLS; i++) {
        struct wkv7_args a = {.head_dim = HEAD, .eps = 64e-5f};
        a.rkv = op_input(g, 3 * C);
        a.wagv = op_input(g, 4 * C);
        a.first_rkv = op_input(g, 3 * C);
        a.vectors = zero_vector(g, 5, C);
        a.s = memory(g, "s", C, HEAD, false);
        op_wkv7(g, &a);
    }
}

static void record_token_shift(struct graph *g, uint32_t C, uint32_t n)
{
    for (int i = 0; i < CALLS; i++) {
        val x = op_input(g, C);
        weight scale = zero_vector(g, 1, C), bias = zero_vector(g, 1, C), lerp = zero_vector(g, n, C);
        op_token_shift(g, x, scale, bias, lerp, memory(g, "x", 2, C, false), 1e-5f);
    }
}

static void record_layer_norm(struct graph *g, uint32_t C)
{
    val x = op_input(g, C);
    for (int i = 0; i < CALLS; i++) x = op_layer_norm(g, x, zero_vector(g, 1, C), zero_vector(g, 1, C), 1e-5f);
}

/* what an OP "attention:H/KV@POSITION:TYPE" says */
struct attention_shape {
    uint32_t heads, kv_heads, position;
    enum kv_type type;
};

static bool is_attention(const char *op, struct attention_shape *a)
{
    char type[8] = "";
    int found = sscanf(op, "attention:%u/%u@%u:%7s", &a->heads, &a->kv_heads, &a->position, type);
    for (a->type = KV_F32; found == 4 && a->type < KV_TYPES && strcmp(kv_type_name(a->type), type) != 0;) a->type++;
    return found >= 3 && a->type < KV_TYPES;
}

static void record_attention(struct graph *g, const struct attention_shape *a, uint32_t D, uint32_t tokens)
{
    val y = op_input(g, a->heads * D);
    for (int i = 0; i < CALLS; i++) {
        state cache = kv_cache(g, "kv", a->position + tokens, 2 * a->kv_heads * D, a->type);
        y = op_attention(g, y, cache, &(struct attention_args){D, 0, 0.1f});
    }
}

static bool record(struct graph *g, const char *op, uint32_t C, uint32_t tokens)
{
    struct attention_shape a;
    if (is_attention(op, &a)) return record_attention(g, &a, C, tokens), true;
    if (!strcmp(op, "wkv7")) return record_wkv7(g, C), true;
    if (!strcmp(op, "token_shift6")) return record_token_shift(g, C, 6), true;
    if (!strcmp(op, "token_shift1")) return record_token_shift(g, C, 1), true;
    if (!strcmp(op, "layer_norm")) return record_layer_norm(g, C), true;
    return false;
}

static void fill(struct step *s, uint32_t tokens, uint32_t seqs, uint32_t position)
{
    step_clear(s);
    s->n_tokens = tokens;
    s->n_seqs = seqs;
    for (uint32_t i = 0; i < seqs; i++) {
        s->first[i] = i * (tokens / seqs);
        s->count[i] = tokens / seqs;
        s->slot[i] = i;
        for (uint32_t t = s->first[i]; t < s->first[i] + s->count[i]; t++) {
            s->seq[t] = i;
            s->position[t] = position + t - s->first[i];
        }
    }
}

/* seconds of `runs` steps */
static double measure(struct gpu *gpu, struct exec *e, struct step *s, int runs, struct error *err)
{
    uint64_t start = clock_ns();
    for (int i = 0; i < runs; i++)
        if (!exec_run(e, s, NULL, err)) return -1;
    return gpu_finish(gpu, err) ? (double)(clock_ns() - start) * 1e-9 : -1;
}

static bool run(struct gpu *gpu, struct exec *e, struct step *s, double *us, struct error *err)
{
    double once = measure(gpu, e, s, 3, err), best = 1e9;
    int runs = once > 0 ? (int)(0.04 / once) : 0;
    if (runs < 2) runs = 2;
    if (runs > 100) runs = 100;
    for (int i = 0; i < 3; i++) {
        double t = measure(gpu, e, s, runs, err);
        if (t < 0) return false;
        if (t < best) best = t;
    }
    *us = best / runs / CALLS * 1e6;
    return true;
}

static bool bench(struct gpu *gpu, const char *op, uint32_t C, uint32_t tokens, uint32_t seqs, double *us,
                  struct error *err)
{
    struct step_limits limits = {tokens, seqs, 1};
    struct graph g;
    struct step step = {0};
    struct attention_shape a = {0};
    is_attention(op, &a);
    if (!seqs || tokens % seqs) return fail(err, ERR_ARGUMENT, "%u tokens in %u sequences", tokens, seqs);
    graph_init(&g, find, NULL);
    if (!record(&g, op, C, tokens / seqs)) graph_fail(&g, ERR_ARGUMENT, "%s is not to be measured", op);
    struct exec *e = NULL;
    bool ok = graph_ok(&g, err) && step_init(&step, limits, err) &&
              (e = exec_gpu_create(gpu, &g, limits, seqs, NULL, NULL, err));
    if (ok) fill(&step, tokens, seqs, a.position);
    ok = ok && run(gpu, e, &step, us, err);
    exec_destroy(e);
    step_free(&step);
    graph_free(&g);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc % 2 == 0) return fputs("usage: bench_op OP C TOKENS SEQS [TOKENS SEQS ...]\n", stderr), 2;
    uint32_t C = (uint32_t)atoi(argv[2]);
    struct error err = {0};
    zeros = calloc(6 * (size_t)C, sizeof(float));
    struct gpu *gpu = zeros ? gpu_open(&(struct gpu_options){0}, &err) : NULL;
    bool ok = gpu != NULL;
    for (int i = 3; ok && i < argc; i += 2) {
        double us = 0;
        ok = bench(gpu, argv[1], C, (uint32_t)atoi(argv[i]), (uint32_t)atoi(argv[i + 1]), &us, &err);
        if (ok) printf("%9.2f", us);
    }
    puts("");
    if (!ok) fprintf(stderr, "bench_op: %s\n", err.message);
    gpu_close(gpu);
    free(zeros);
    return !ok;
}
