/* rwkv_trie.c - the tokenizer of RWKV's World vocabularies: the longest token that matches, again and again.
 *
 * The file holds a token's bytes as Python's repr(bytes) without b'': "\t \n \r \xhh", a backslash before a quote or
 * a backslash. Control and unused tokens are never found in text. */
#include <stdlib.h>

#include "text/tokenizer_kind.h"
#include "text/trie.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static const char *unescape(struct bytes text, enum token_type type, char *out, size_t *length)
{
    (void)type;
    size_t n = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '\\') {
            if (++i == text.length) return "a character after the last backslash";
            c = text.data[i];
            if (c == 't') c = '\t';
            else if (c == 'n') c = '\n';
            else if (c == 'r') c = '\r';
            else if (c == 'x') {
                int high = text.length - i > 2 ? hex_digit(text.data[i + 1]) : -1;
                int low = text.length - i > 2 ? hex_digit(text.data[i + 2]) : -1;
                if (high < 0 || low < 0) return "two hexadecimal digits after \\x";
                c = (char)(high * 16 + low);
                i += 2;
            }
        }
        out[n++] = c;
    }
    *length = n;
    return NULL;
}

static bool create(void **state, const struct vocabulary *v, const struct model_file *file, struct error *err)
{
    (void)file;
    struct trie *trie = calloc(1, sizeof *trie);
    struct trie_key *keys = malloc((size_t)v->size * sizeof *keys);
    size_t n = 0;
    *state = trie;
    for (int32_t i = 0; keys && i < v->size; i++)
        if (vocabulary_is_text(v, i)) keys[n++] = (struct trie_key){v->pieces[i], i};
    bool ok = trie && keys ? trie_create(trie, keys, n, err) : fail_memory(err, "the vocabulary's trie");
    free(keys);
    return ok;
}

static void destroy(void *state)
{
    if (state) trie_destroy(state);
    free(state);
}

static bool encode(const void *state, const struct vocabulary *v, struct bytes text, bool first,
                   struct token_list *list, struct error *err)
{
    (void)v;
    (void)first;
    for (size_t at = 0, bytes; at < text.length; at += bytes) {
        int32_t token = trie_longest(state, text.data + at, text.length - at, &bytes);
        if (token == NO_TOKEN)
            return fail(err, ERR_FORMAT,
                        "found no token for byte 0x%02X in the text, expected the vocabulary to have "
                        "all 256: use another model file",
                        (unsigned)(unsigned char)text.data[at]);
        if (!token_list_push(list, token)) return fail_memory(err, "the text's tokens");
    }
    return true;
}

const struct tokenizer_kind rwkv_tokenizer = {
    .name = "rwkv",
    .rules = {.bos = NO_TOKEN, .eos = 0, .unknown = NO_TOKEN, .decode = unescape},
    .adds_bos = false,
    .create = create,
    .destroy = destroy,
    .encode = encode,
};
