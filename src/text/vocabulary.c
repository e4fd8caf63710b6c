/* vocabulary.c - see vocabulary.h */
#include "text/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { MAX_TOKENS = 1 << 22, MAX_TOKEN_BYTES = 64 << 10 };

/* Names that mark turns and ends: control tokens also where the file calls them user-defined, as some converters do;
 * anybody's text could then contain them. */
static const struct {
    const char *name;
    bool ends;
} markers[] = {
    {"<end_of_turn>", true},
    {"<eos>", true},
    {"</s>", true},
    {"<|im_end|>", true},
    {"<|eot_id|>", true},
    {"<|eom_id|>", true},
    {"<|end|>", true},
    {"<|endoftext|>", true},
    {"<|end_of_text|>", true},
    {"<start_of_turn>", false},
    {"<|im_start|>", false},
    {"<|start_header_id|>", false},
    {"<|end_header_id|>", false},
};

static bool read_texts(struct vocabulary *v, const struct model_file *file, struct error *err)
{
    const struct metadata *m = model_file_find(file, "tokenizer.ggml.tokens");
    if (!m) return fail(err, ERR_FORMAT, "found no tokenizer.ggml.tokens; the file has no vocabulary: use another one");
    if (m->type != VALUE_ARRAY || m->item_type != VALUE_STRING)
        return fail(err, ERR_FORMAT, "tokenizer.ggml.tokens: found %s of %s, expected an array of strings",
                    value_type_name(m->type), value_type_name(m->item_type));
    if (m->count < 1 || m->count > MAX_TOKENS)
        return fail(err, ERR_FORMAT, "tokenizer.ggml.tokens: found %llu tokens, expected 1 to %d",
                    (unsigned long long)m->count, MAX_TOKENS);
    v->size = (int32_t)m->count;
    v->texts = m->items;
    for (int32_t i = 0; i < v->size; i++)
        if (v->texts[i].length > MAX_TOKEN_BYTES)
            return fail(err, ERR_FORMAT, "tokenizer.ggml.tokens: token %d has %zu bytes, expected at most %d", (int)i,
                        v->texts[i].length, MAX_TOKEN_BYTES);
    return true;
}

static bool read_types(struct vocabulary *v, const struct model_file *file, struct error *err)
{
    v->types = malloc((size_t)v->size);
    if (!v->types) return fail_memory(err, "the vocabulary");
    memset(v->types, TOKEN_NORMAL, (size_t)v->size);
    const struct metadata *m = model_file_find(file, "tokenizer.ggml.token_type");
    if (!m) return true;
    if (m->type != VALUE_ARRAY || (m->item_type != VALUE_I32 && m->item_type != VALUE_U32))
        return fail(err, ERR_FORMAT, "tokenizer.ggml.token_type: found %s of %s, expected an array of i32",
                    value_type_name(m->type), value_type_name(m->item_type));
    if (m->count != (uint64_t)v->size)
        return fail(err, ERR_FORMAT, "tokenizer.ggml.token_type: found %llu items for %d tokens, expected one each",
                    (unsigned long long)m->count, (int)v->size);
    for (int32_t i = 0; i < v->size; i++) {
        int64_t type = metadata_integer(m, (uint64_t)i);
        if (type < TOKEN_NORMAL || type >= TOKEN_TYPES)
            return fail(err, ERR_FORMAT, "tokenizer.ggml.token_type: token %d has type %lld, expected 1 to %d", (int)i,
                        (long long)type, TOKEN_TYPES - 1);
        v->types[i] = (uint8_t)type;
    }
    return true;
}

static bool decode_texts(struct vocabulary *v, const struct vocabulary_rules *rules, struct error *err)
{
    size_t n = (uint32_t)v->size;
    uint64_t total = 1;
    bool fits = true;
    for (int32_t i = 0; i < v->size; i++) fits = fits && checked_add(total, v->texts[i].length, &total);
    if (!fits || total > SIZE_MAX) return fail_memory(err, "the vocabulary");
    v->pieces = calloc(n, sizeof *v->pieces);
    v->piece_bytes = malloc((size_t)total);
    if (!v->pieces || !v->piece_bytes) return fail_memory(err, "the vocabulary");
    char *out = v->piece_bytes;
    for (int32_t i = 0; i < v->size; i++) {
        size_t length = 0;
        const char *expected = rules->decode(v->texts[i], (enum token_type)v->types[i], out, &length);
        if (expected)
            return fail(err, ERR_FORMAT, "tokenizer.ggml.tokens: token %d is \"%.*s\", expected %s", (int)i,
                        (int)(v->texts[i].length < 40 ? v->texts[i].length : 40),
                        v->texts[i].length ? v->texts[i].data : "", expected);
        v->pieces[i] = (struct bytes){out, length};
        out += length;
    }
    return true;
}

static bool read_id(const struct vocabulary *v, const struct model_file *file, const char *key, int32_t fallback,
                    int32_t *token, struct error *err)
{
    uint32_t id = UINT32_MAX; /* also what some writers store for "none" */
    if (!metadata_u32(file, key, UINT32_MAX, &id, err)) return false;
    *token = fallback < 0 || fallback >= v->size || vocabulary_is_text(v, fallback) ? NO_TOKEN : fallback;
    if (id == UINT32_MAX) return true;
    if (id >= (uint32_t)v->size)
        return fail(err, ERR_FORMAT, "%s: found token %lu, expected one of the vocabulary's 0 to %d", key,
                    (unsigned long)id, (int)v->size - 1);
    *token = (int32_t)id;
    return true;
}

static void apply_markers(struct vocabulary *v)
{
    for (int32_t i = 0; i < v->size; i++) {
        if (v->pieces[i].length < 4 || v->pieces[i].data[0] != '<') continue;
        for (size_t k = 0; k < sizeof markers / sizeof *markers; k++) {
            if (v->pieces[i].length != strlen(markers[k].name)) continue;
            if (memcmp(v->pieces[i].data, markers[k].name, v->pieces[i].length)) continue;
            if (v->types[i] != TOKEN_USER && v->types[i] != TOKEN_CONTROL) continue;
            v->types[i] = TOKEN_CONTROL;
            v->ends[i] = markers[k].ends;
        }
    }
}

static bool read_ids(struct vocabulary *v, const struct vocabulary_rules *rules, const struct model_file *file,
                     struct error *err)
{
    static const char *const end_keys[] = {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id",
                                           "tokenizer.ggml.eog_token_id"};
    if (!read_id(v, file, "tokenizer.ggml.bos_token_id", rules->bos, &v->bos, err)) return false;
    if (!read_id(v, file, "tokenizer.ggml.eos_token_id", rules->eos, &v->eos, err)) return false;
    if (!read_id(v, file, "tokenizer.ggml.unknown_token_id", rules->unknown, &v->unknown, err)) return false;
    if (v->eos != NO_TOKEN) v->ends[v->eos] = true;
    for (size_t k = 0; k < sizeof end_keys / sizeof *end_keys; k++) {
        int32_t token;
        if (!read_id(v, file, end_keys[k], NO_TOKEN, &token, err)) return false;
        /* RWKV's World files name "\n\n" here, which is text like any other: chat_stop is the place for it */
        if (token != NO_TOKEN && v->types[token] == TOKEN_CONTROL) v->ends[token] = true;
    }
    return true;
}

bool vocabulary_create(struct vocabulary *v, const struct vocabulary_rules *rules, const struct model_file *file,
                       struct error *err)
{
    *v = (struct vocabulary){0};
    if (!read_texts(v, file, err) || !read_types(v, file, err) || !decode_texts(v, rules, err)) return false;
    v->ends = calloc((size_t)v->size, sizeof *v->ends);
    if (!v->ends) return fail_memory(err, "the vocabulary");
    apply_markers(v);
    return read_ids(v, rules, file, err);
}

void vocabulary_destroy(struct vocabulary *v)
{
    free(v->pieces);
    free(v->piece_bytes);
    free(v->types);
    free(v->ends);
    *v = (struct vocabulary){0};
}

bool vocabulary_is_text(const struct vocabulary *v, int32_t token)
{
    return v->types[token] == TOKEN_NORMAL || v->types[token] == TOKEN_USER || v->types[token] == TOKEN_BYTE;
}
