/* tiny_gemma.c - see tiny_gemma.h */
#include "support/tiny_gemma.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "file/gguf_write.h"
#include "support/temporary.h"

#include <cmocka.h>

enum { EMBD = 32, FF = 64, HEADS = 2, HEAD_DIM = 32, MAX_TENSORS = 128, CONTROL_TOKEN = 3, NORMAL_TOKEN = 1 };

struct tensor {
    char name[48];
    uint64_t rows, cols; /* rows 1: a norm */
};

struct tensors {
    struct tensor items[MAX_TENSORS];
    size_t n;
};

static void must(bool ok, const struct error *err)
{
    if (!ok) fail_msg("%s", err->message);
}

static void add(struct tensors *t, int layer, const char *name, uint64_t rows, uint64_t cols)
{
    assert_in_range(t->n, 0, MAX_TENSORS - 1);
    struct tensor *x = &t->items[t->n++];
    if (layer >= 0) snprintf(x->name, sizeof x->name, "blk.%d.%s.weight", layer, name);
    else snprintf(x->name, sizeof x->name, "%s.weight", name);
    x->rows = rows;
    x->cols = cols;
}

static void list_tensors(struct tensors *t, uint32_t layers)
{
    add(t, -1, "token_embd", TINY_VOCABULARY, EMBD);
    add(t, -1, "output_norm", 1, EMBD);
    for (int i = 0; i < (int)layers; i++) {
        add(t, i, "attn_norm", 1, EMBD);
        add(t, i, "attn_q", HEADS * HEAD_DIM, EMBD);
        add(t, i, "attn_k", HEAD_DIM, EMBD);
        add(t, i, "attn_v", HEAD_DIM, EMBD);
        add(t, i, "attn_q_norm", 1, HEAD_DIM);
        add(t, i, "attn_k_norm", 1, HEAD_DIM);
        add(t, i, "attn_output", EMBD, HEADS * HEAD_DIM);
        add(t, i, "post_attention_norm", 1, EMBD);
        add(t, i, "ffn_norm", 1, EMBD);
        add(t, i, "ffn_gate", FF, EMBD);
        add(t, i, "ffn_up", FF, EMBD);
        add(t, i, "ffn_down", EMBD, FF);
        add(t, i, "post_ffw_norm", 1, EMBD);
    }
}

static void write_metadata(struct gguf_writer *w, uint32_t layers, struct error *err)
{
    static const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {
        {"gemma3.context_length", TINY_CONTEXT},     {"gemma3.embedding_length", EMBD},
        {"gemma3.feed_forward_length", FF},          {"gemma3.attention.head_count", HEADS},
        {"gemma3.attention.head_count_kv", 1},       {"gemma3.attention.key_length", HEAD_DIM},
        {"gemma3.attention.value_length", HEAD_DIM}, {"gemma3.attention.sliding_window", TINY_WINDOW},
        {"tokenizer.ggml.bos_token_id", 1},          {"tokenizer.ggml.eos_token_id", 2},
    };
    must(gguf_writer_string(w, "general.architecture", (struct bytes){"gemma3", 6}, err), err);
    must(gguf_writer_string(w, "tokenizer.ggml.model", (struct bytes){"llama", 5}, err), err);
    must(gguf_writer_u32(w, "gemma3.block_count", layers, err), err);
    must(gguf_writer_f32(w, "gemma3.attention.layer_norm_rms_epsilon", 1e-6f, err), err);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        must(gguf_writer_u32(w, numbers[i].key, numbers[i].value, err), err);
}

static void write_vocabulary(struct gguf_writer *w, struct error *err)
{
    char texts[TINY_VOCABULARY][8];
    struct bytes tokens[TINY_VOCABULARY];
    float scores[TINY_VOCABULARY];
    int32_t types[TINY_VOCABULARY];
    for (int i = 0; i < TINY_VOCABULARY; i++) {
        snprintf(texts[i], sizeof texts[i], i < 4 ? "<t%d>" : "%c", i < 4 ? i : 'A' + i - 4);
        tokens[i] = (struct bytes){texts[i], strlen(texts[i])};
        scores[i] = -(float)i;
        types[i] = i < 4 ? CONTROL_TOKEN : NORMAL_TOKEN;
    }
    must(gguf_writer_array(w, "tokenizer.ggml.tokens", VALUE_STRING, tokens, TINY_VOCABULARY, err), err);
    must(gguf_writer_array(w, "tokenizer.ggml.scores", VALUE_F32, scores, TINY_VOCABULARY, err), err);
    must(gguf_writer_array(w, "tokenizer.ggml.token_type", VALUE_I32, types, TINY_VOCABULARY, err), err);
}

/* norms about 1; matrices that keep the size of what goes through them */
static void write_data(struct gguf_writer *w, const struct tensor *t, struct rng *rng, struct error *err)
{
    float *data = new_floats((size_t)(t->rows * t->cols));
    double middle = t->rows == 1, spread = t->rows == 1 ? 0.5 : sqrt(3.0 / (double)t->cols);
    for (size_t i = 0; i < t->rows * t->cols; i++)
        data[i] = (float)(middle + spread * ((double)(rng_next(rng) >> 11) / (1ll << 52) - 1));
    must(gguf_writer_data(w, data, (size_t)(t->rows * t->cols) * sizeof *data, err), err);
    free(data);
}

struct path tiny_gemma_write(uint32_t layers)
{
    char name[32];
    snprintf(name, sizeof name, "tiny-gemma-%u.gguf", layers);
    struct path path = temporary(name);
    struct error err = {0};
    struct tensors t = {.n = 0};
    struct rng rng;
    rng_seed(&rng, layers);
    struct gguf_writer *w = gguf_writer_create(&err);
    must(w, &err);
    write_metadata(w, layers, &err);
    write_vocabulary(w, &err);
    list_tensors(&t, layers);
    for (size_t i = 0; i < t.n; i++) {
        uint64_t dims[] = {t.items[i].cols, t.items[i].rows};
        uint64_t bytes = t.items[i].cols * t.items[i].rows * sizeof(float);
        must(gguf_writer_tensor(w, t.items[i].name, 0, t.items[i].rows == 1 ? 1 : 2, dims, bytes, &err), &err);
    }
    must(gguf_writer_begin(w, path.text, &err), &err);
    for (size_t i = 0; i < t.n; i++) write_data(w, &t.items[i], &rng, &err);
    must(gguf_writer_finish(w, &err), &err);
    gguf_writer_destroy(w);
    return path;
}

/* whether the logits after the last token change with token `at` */
static bool sees(corvid_session *session, int32_t *tokens, size_t n, size_t at)
{
    float before[TINY_VOCABULARY], after[TINY_VOCABULARY];
    int32_t old = tokens[at];
    reset(session);
    feed(session, tokens, n, before, NULL);
    tokens[at] = (old + 1) % TINY_VOCABULARY;
    reset(session);
    feed(session, tokens, n, after, NULL);
    tokens[at] = old;
    double difference = max_difference(before, after, TINY_VOCABULARY);
    assert_true(isfinite(difference));
    return difference > 0;
}

void tiny_gemma_check_windows(corvid_device *device)
{
    enum { N = 40, STEP = 16 };
    for (uint32_t layers = 1; layers <= TINY_LAYERS; layers += TINY_LAYERS - 1) {
        int32_t tokens[N];
        for (int i = 0; i < N; i++) tokens[i] = i * 7 % TINY_VOCABULARY;
        corvid_model *model = open_model(device, tiny_gemma_write(layers).text, 1, TINY_CONTEXT, STEP);
        corvid_session *session = new_session(model);
        for (size_t at = 0; at < N; at += at < N - TINY_WINDOW - 2 ? 5 : 1)
            assert_int_equal(sees(session, tokens, N, at), layers > 1 || at >= N - TINY_WINDOW);
        corvid_session_destroy(session);
        corvid_model_close(model);
    }
}
