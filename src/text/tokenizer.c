/* tokenizer.c - see tokenizer.h
 *
 * The text is cut at the special tokens in it (special.h); what is between them goes to the kind of tokenizer that
 * tokenizer.ggml.model names. */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "text/special.h"
#include "text/tokenizer_kind.h"

enum { MAX_TEXT_BYTES = INT32_MAX / 4 }; /* so that offsets fit 32 bits with U+2581 for every space */

static const struct tokenizer_kind *const kinds[] = {&rwkv_tokenizer, &llama_tokenizer};

struct tokenizer {
    const struct tokenizer_kind *kind;
    struct vocabulary vocabulary;
    struct special special;
    void *state; /* of the kind */
    bool adds_bos;
};

static const struct tokenizer_kind *find_kind(const struct model_file *file, struct error *err)
{
    struct bytes name;
    if (!metadata_string(file, "tokenizer.ggml.model", &name, err)) return NULL;
    struct builder known = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (name.length == strlen(kinds[i]->name) && !memcmp(name.data, kinds[i]->name, name.length)) {
            builder_free(&known);
            return kinds[i];
        }
        builder_printf(&known, "%s\"%s\"", i ? ", " : "", kinds[i]->name);
    }
    fail(err, name.data ? ERR_UNSUPPORTED : ERR_FORMAT, "tokenizer.ggml.model: found %s%.*s%s, expected one of %s",
         name.data ? "\"" : "nothing", (int)(name.length < 40 ? name.length : 40), name.data ? name.data : "",
         name.data ? "\"" : "", known.data ? known.data : "the known kinds");
    builder_free(&known);
    return NULL;
}

static bool read_adds_bos(struct tokenizer *t, const struct model_file *file, struct error *err)
{
    bool wanted = false;
    if (!metadata_bool(file, "tokenizer.ggml.add_bos_token", t->kind->adds_bos, &wanted, err)) return false;
    /* llama.cpp never adds BOS for RWKV, whatever the file says, and the models were trained without it */
    t->adds_bos = wanted && t->kind->adds_bos && t->vocabulary.bos != NO_TOKEN;
    if (wanted && t->kind->adds_bos && !t->adds_bos && model_file_find(file, "tokenizer.ggml.add_bos_token"))
        return fail(err, ERR_FORMAT,
                    "tokenizer.ggml.add_bos_token is true, but found no tokenizer.ggml.bos_token_id, "
                    "expected a token's id");
    return true;
}

struct tokenizer *tokenizer_create(const struct model_file *file, struct error *err)
{
    const struct tokenizer_kind *kind = find_kind(file, err);
    if (!kind) return NULL;
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        fail_memory(err, "the tokenizer");
        return NULL;
    }
    t->kind = kind;
    if (vocabulary_create(&t->vocabulary, &kind->rules, file, err) && read_adds_bos(t, file, err) &&
        special_create(&t->special, &t->vocabulary, err) && kind->create(&t->state, &t->vocabulary, file, err))
        return t;
    tokenizer_destroy(t);
    return NULL;
}

void tokenizer_destroy(struct tokenizer *t)
{
    if (!t) return;
    t->kind->destroy(t->state);
    special_destroy(&t->special);
    vocabulary_destroy(&t->vocabulary);
    free(t);
}

int32_t tokenizer_size(const struct tokenizer *t) { return t->vocabulary.size; }
int32_t tokenizer_bos(const struct tokenizer *t) { return t->vocabulary.bos; }
int32_t tokenizer_eos(const struct tokenizer *t) { return t->vocabulary.eos; }
bool tokenizer_adds_bos(const struct tokenizer *t) { return t->adds_bos; }

static bool is_token(const struct tokenizer *t, int32_t token) { return token >= 0 && token < t->vocabulary.size; }

bool tokenizer_ends_text(const struct tokenizer *t, int32_t token)
{
    return is_token(t, token) && t->vocabulary.ends[token];
}

bool tokenizer_encode(const struct tokenizer *t, const char *text, size_t length, int flags, struct token_list *list,
                      struct error *err)
{
    if (length > MAX_TEXT_BYTES)
        return fail(err, ERR_LIMIT, "found a text of %zu bytes, expected at most %d: tokenise it in parts", length,
                    MAX_TEXT_BYTES);
    if (flags & TOKENIZE_BOS && t->adds_bos && !token_list_push(list, t->vocabulary.bos))
        return fail_memory(err, "the text's tokens");
    struct fragment *fragments;
    size_t n;
    if (!special_split(&t->special, text, length, flags & TOKENIZE_SPECIAL, &fragments, &n, err)) return false;
    bool ok = true, first = true;
    for (size_t i = 0; ok && i < n; i++) {
        if (fragments[i].token != NO_TOKEN) {
            ok = token_list_push(list, fragments[i].token) || fail_memory(err, "the text's tokens");
        } else {
            struct bytes part = {text + fragments[i].at, fragments[i].length};
            ok = t->kind->encode(t->state, &t->vocabulary, part, first, list, err);
        }
        first = fragments[i].token != NO_TOKEN;
    }
    free(fragments);
    return ok;
}

bool token_list_push(struct token_list *list, int32_t token)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        if (capacity > SIZE_MAX / sizeof token) return false;
        int32_t *tokens = realloc(list->tokens, capacity * sizeof token);
        if (!tokens) return false;
        list->tokens = tokens;
        list->capacity = capacity;
    }
    list->tokens[list->count++] = token;
    return true;
}

void token_list_free(struct token_list *list)
{
    free(list->tokens);
    *list = (struct token_list){0};
}

struct bytes tokenizer_piece(const struct tokenizer *t, int32_t token, bool special)
{
    bool shown = is_token(t, token) && (special || vocabulary_is_text(&t->vocabulary, token));
    return shown ? t->vocabulary.pieces[token] : (struct bytes){NULL, 0};
}

size_t tokenizer_control_name(const struct tokenizer *t, const char *text, size_t length)
{
    size_t bytes;
    trie_longest(&t->special.control, text, length, &bytes);
    return bytes;
}
