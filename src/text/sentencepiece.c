/* sentencepiece.c - the tokenizer of "llama" vocabularies (SentencePiece with scores), as llama.cpp does it.
 *
 * Spaces become U+2581. The text starts as a chain of characters. Of all neighbours that together are a token, the
 * pair with the best score is merged, the leftmost on ties, until there is none. What is then no token is written
 * as bytes. A queue holds the pairs; one that has changed since then no longer has the size it was queued with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "text/heap.h"
#include "text/tokenizer_kind.h"
#include "text/utf8.h"

static const char space[] = "\xE2\x96\x81"; /* U+2581 */
enum { SPACE_BYTES = sizeof space - 1, NONE = -1 };

struct sentencepiece {
    struct map tokens; /* of the tokens that may come out of text */
    float *scores;
    size_t longest;           /* token */
    int32_t byte_tokens[256]; /* NO_TOKEN: none */
    bool adds_space;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static const char *decode(struct bytes text, enum token_type type, char *out, size_t *length)
{
    size_t n = 0;
    if (type == TOKEN_BYTE) {
        bool framed = text.length == 6 && !memcmp(text.data, "<0x", 3) && text.data[5] == '>';
        int high = framed ? hex_digit(text.data[3]) : -1, low = framed ? hex_digit(text.data[4]) : -1;
        if (high < 0 || low < 0) return "a byte token like \"<0x0A>\"";
        out[n++] = (char)(high * 16 + low);
    } else if (type == TOKEN_NORMAL) {
        for (size_t i = 0; i < text.length;) {
            bool is_space = text.length - i >= SPACE_BYTES && !memcmp(text.data + i, space, SPACE_BYTES);
            out[n++] = is_space ? ' ' : text.data[i];
            i += is_space ? SPACE_BYTES : 1;
        }
    } else if (text.length) {
        memcpy(out, text.data, n = text.length);
    }
    *length = n;
    return NULL;
}

static bool read_scores(struct sentencepiece *s, const struct vocabulary *v, const struct model_file *file,
                        struct error *err)
{
    const struct metadata *m = model_file_find(file, "tokenizer.ggml.scores");
    if (!m || m->type != VALUE_ARRAY || m->item_type != VALUE_F32)
        return fail(err, ERR_FORMAT,
                    "tokenizer.ggml.scores: found %s, expected an array of f32: tokenizer model "
                    "\"llama\" needs it",
                    m ? value_type_name(m->item_type) : "nothing");
    if (m->count != (uint64_t)v->size)
        return fail(err, ERR_FORMAT, "tokenizer.ggml.scores: found %llu items for %d tokens, expected one each",
                    (unsigned long long)m->count, (int)v->size);
    s->scores = malloc((size_t)v->size * sizeof *s->scores);
    if (!s->scores) return fail_memory(err, "the vocabulary's scores");
    for (int32_t i = 0; i < v->size; i++) {
        s->scores[i] = (float)metadata_number(m, (uint64_t)i);
        if (isnan(s->scores[i]))
            return fail(err, ERR_FORMAT, "tokenizer.ggml.scores: token %d has no number, expected one", (int)i);
    }
    return true;
}

static int32_t find_token(const struct sentencepiece *s, const char *text, size_t length)
{
    int64_t token = NO_TOKEN;
    if (length <= s->longest) map_get(&s->tokens, text, length, &token);
    return (int32_t)token;
}

static bool index_tokens(struct sentencepiece *s, const struct vocabulary *v, struct error *err)
{
    if (!map_reserve(&s->tokens, (size_t)v->size)) return fail_memory(err, "the vocabulary's index");
    for (int b = 0; b < 256; b++) s->byte_tokens[b] = NO_TOKEN;
    for (int32_t i = v->size - 1; i >= 0; i--) { /* backwards: of equal tokens the last one counts, as in llama.cpp */
        struct bytes text = v->texts[i];
        if (v->types[i] == TOKEN_BYTE) s->byte_tokens[(unsigned char)v->pieces[i].data[0]] = i;
        if ((v->types[i] != TOKEN_NORMAL && v->types[i] != TOKEN_USER) || !text.length) continue;
        if (map_add(&s->tokens, text.data, text.length, i) == MAP_NO_MEMORY)
            return fail_memory(err, "the vocabulary's index");
        if (text.length > s->longest) s->longest = text.length;
    }
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        if (s->byte_tokens[b] == NO_TOKEN) s->byte_tokens[b] = find_token(s, &byte, 1);
    }
    return true;
}

static bool create(void **state, const struct vocabulary *v, const struct model_file *file, struct error *err)
{
    struct sentencepiece *s = calloc(1, sizeof *s);
    *state = s;
    if (!s) return fail_memory(err, "the tokenizer");
    return read_scores(s, v, file, err) && index_tokens(s, v, err) &&
           metadata_bool(file, "tokenizer.ggml.add_space_prefix", true, &s->adds_space, err);
}

static void destroy(void *state)
{
    struct sentencepiece *s = state;
    if (!s) return;
    map_free(&s->tokens);
    free(s->scores);
    free(s);
}

struct symbol {
    int32_t previous, next; /* NONE at the ends */
    uint32_t at, bytes;     /* 0 bytes: merged into another */
};

struct chain {
    const struct sentencepiece *s;
    char *text;
    size_t length;
    struct symbol *symbols; /* symbols[0] is always the first of the chain */
    size_t count;
    struct heap pairs; /* rank: score, a: left symbol, b: bytes */
};

/* Writes the text with U+2581 for spaces and cuts it into characters; bytes that are no character stand alone. */
static bool cut_characters(struct chain *c, struct bytes text, bool space_first)
{
    c->text = malloc((text.length + 1) * SPACE_BYTES);
    if (!c->text) return false;
    for (size_t i = space_first ? 0 : 1; i <= text.length; i++) {
        char byte = i ? text.data[i - 1] : ' ';
        if (byte == ' ') memcpy(c->text + c->length, space, SPACE_BYTES);
        else c->text[c->length] = byte;
        c->length += byte == ' ' ? SPACE_BYTES : 1;
    }
    c->symbols = malloc((c->length + 1) * sizeof *c->symbols);
    if (!c->symbols) return false;
    for (size_t at = 0, bytes; at < c->length; at += bytes) {
        int32_t i = (int32_t)c->count++;
        bytes = utf8_character(c->text + at, c->length - at);
        c->symbols[i] = (struct symbol){i - 1, at + bytes < c->length ? i + 1 : NONE, (uint32_t)at, (uint32_t)bytes};
    }
    return true;
}

/* Queues two neighbours if they are a token together. */
static bool queue_pair(struct chain *c, int32_t left, int32_t right)
{
    if (left == NONE || right == NONE) return true;
    uint32_t bytes = c->symbols[left].bytes + c->symbols[right].bytes;
    int32_t token = find_token(c->s, c->text + c->symbols[left].at, bytes);
    return token == NO_TOKEN || heap_push(&c->pairs, (struct heap_item){c->s->scores[token], left, bytes});
}

static bool merge_pairs(struct chain *c)
{
    for (size_t i = 1; i < c->count; i++)
        if (!queue_pair(c, (int32_t)i - 1, (int32_t)i)) return false;
    for (struct heap_item pair; heap_pop(&c->pairs, &pair);) {
        struct symbol *left = &c->symbols[pair.a];
        if (!left->bytes || left->next == NONE) continue;
        struct symbol *right = &c->symbols[left->next];
        if (left->bytes + right->bytes != pair.b) continue;
        left->bytes = pair.b;
        right->bytes = 0;
        left->next = right->next;
        if (left->next != NONE) c->symbols[left->next].previous = pair.a;
        if (!queue_pair(c, left->previous, pair.a) || !queue_pair(c, pair.a, left->next)) return false;
    }
    return true;
}

/* A character that is no token becomes bytes; if one of them has no token either, the unknown token. */
static bool push_bytes(const struct sentencepiece *s, const struct vocabulary *v, const char *bytes, size_t n,
                       struct token_list *list, struct error *err)
{
    size_t known = 0;
    while (known < n && s->byte_tokens[(unsigned char)bytes[known]] != NO_TOKEN) known++;
    if (known < n && v->unknown == NO_TOKEN)
        return fail(err, ERR_FORMAT,
                    "found neither a token for byte 0x%02X in the text nor an unknown token, expected "
                    "the vocabulary to have one: use another model file",
                    (unsigned)(unsigned char)bytes[known]);
    bool ok = true;
    if (known < n) ok = token_list_push(list, v->unknown);
    else
        for (size_t i = 0; ok && i < n; i++) ok = token_list_push(list, s->byte_tokens[(unsigned char)bytes[i]]);
    return ok || fail_memory(err, "the text's tokens");
}

static bool push_symbols(const struct chain *c, const struct vocabulary *v, struct token_list *list, struct error *err)
{
    for (int32_t i = c->count ? 0 : NONE; i != NONE; i = c->symbols[i].next) {
        const char *text = c->text + c->symbols[i].at;
        int32_t token = find_token(c->s, text, c->symbols[i].bytes);
        if (token == NO_TOKEN) {
            if (!push_bytes(c->s, v, text, c->symbols[i].bytes, list, err)) return false;
        } else if (!token_list_push(list, token)) {
            return fail_memory(err, "the text's tokens");
        }
    }
    return true;
}

static bool encode(const void *state, const struct vocabulary *v, struct bytes text, bool first,
                   struct token_list *list, struct error *err)
{
    struct chain c = {.s = state};
    bool ok = cut_characters(&c, text, first && c.s->adds_space) && merge_pairs(&c);
    ok = ok ? push_symbols(&c, v, list, err) : fail_memory(err, "the text's tokens");
    free(c.text);
    free(c.symbols);
    heap_free(&c.pairs);
    return ok;
}

const struct tokenizer_kind llama_tokenizer = {
    .name = "llama",
    .rules = {.bos = 1, .eos = 2, .unknown = 0, .decode = decode},
    .adds_bos = true,
    .create = create,
    .destroy = destroy,
    .encode = encode,
};
