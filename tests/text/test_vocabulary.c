/* test_vocabulary.c - tokenizers of small vocabularies made by hand: what each kind does with them, SentencePiece
 * against a naive version, and vocabularies that are damaged or hostile. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "gguf_image.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

struct opened {
    struct image image;
    struct model_file *file;
    struct tokenizer *t;
    struct error err;
};

static void close_all(struct opened *o)
{
    tokenizer_destroy(o->t);
    model_file_close(o->file);
    builder_free(&o->image.bytes);
}

static struct token_list encode(const struct tokenizer *t, const char *text, size_t length, int flags)
{
    struct token_list list = {0};
    struct error err = {0};
    if (!tokenizer_encode(t, text, length, flags, &list, &err)) fail_msg("%s", err.message);
    return list;
}

struct token {
    const char *text;
    int32_t type;
    float score;
};

static void add_tokens(struct image *g, const struct token *tokens, size_t n)
{
    image_array(g, "tokenizer.ggml.tokens", VALUE_STRING, n);
    for (size_t i = 0; i < n; i++) image_string(g, tokens[i].text, strlen(tokens[i].text));
    image_array(g, "tokenizer.ggml.token_type", VALUE_I32, n);
    for (size_t i = 0; i < n; i++) image_number(g, (uint32_t)tokens[i].type, 4);
}

static void add_scores(struct image *g, const struct token *tokens, size_t n)
{
    image_array(g, "tokenizer.ggml.scores", VALUE_F32, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &tokens[i].score, 4);
        image_number(g, bits, 4);
    }
}

static void open_image(struct opened *o)
{
    o->file = image_open(&o->image, &o->err);
    if (!o->file) fail_msg("%s", o->err.message);
    o->t = tokenizer_create(o->file, &o->err);
}

static void begin(struct opened *o, const char *kind, const struct token *tokens, size_t n)
{
    *o = (struct opened){0};
    image_text(&o->image, "tokenizer.ggml.model", kind);
    add_tokens(&o->image, tokens, n);
    if (!strcmp(kind, "llama")) add_scores(&o->image, tokens, n);
}

static void assert_refused(struct opened *o, enum error_code code, const char *part)
{
    open_image(o);
    assert_null(o->t);
    assert_int_equal(o->err.code, code);
    if (!strstr(o->err.message, part)) fail_msg("found \"%s\", expected \"%s\" in it", o->err.message, part);
    close_all(o);
}

static void assert_tokens(const struct tokenizer *t, const char *text, int flags, const int32_t *tokens, size_t n)
{
    struct token_list list = encode(t, text, strlen(text), flags);
    assert_int_equal(list.count, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(list.tokens[i], tokens[i]);
    token_list_free(&list);
}
#define TOKENS(...) (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

static const struct token escaped[] = {
    {"<s>", 3, 0},   {"\\x00", 1, 0},           {"\\n", 1, 0}, {"\\n\\n", 1, 0}, {"\\t\\r", 1, 0}, {"\\\\", 1, 0},
    {"\\'\"", 1, 0}, {"\\xe6\\x9D\\xb1", 1, 0}, {"a", 1, 0},   {"abc", 1, 0},    {"b", 1, 0},      {"zz", 5, 0},
};

static void test_rwkv_escapes(void **state)
{
    (void)state;
    struct opened o;
    begin(&o, "rwkv", escaped, 12);
    open_image(&o);
    assert_non_null(o.t);
    assert_tokens(o.t, "\n\n\n\t\r\\'\"東", 0, TOKENS(3, 2, 4, 5, 6, 7));
    assert_tokens(o.t, "abcabab", 0, TOKENS(9, 8, 10, 8, 10));
    assert_tokens(o.t, "a<s>b", TOKENIZE_SPECIAL | TOKENIZE_BOS, TOKENS(8, 0, 10));
    assert_int_equal(tokenizer_piece(o.t, 1, false).length, 1);
    assert_int_equal(tokenizer_piece(o.t, 0, false).length, 0);
    assert_int_equal(tokenizer_piece(o.t, 12, true).length, 0);
    assert_int_equal(tokenizer_piece(o.t, -1, true).length, 0);
    assert_int_equal(tokenizer_eos(o.t), 0); /* token 0 ends a text in every World vocabulary */
    assert_true(tokenizer_ends_text(o.t, 0));
    struct token_list list = {0};
    assert_false(tokenizer_encode(o.t, "ac", 2, 0, &list, &o.err)); /* c has no token */
    assert_int_equal(o.err.code, ERR_FORMAT);
    assert_non_null(strstr(o.err.message, "0x63"));
    assert_false(tokenizer_encode(o.t, "azz", 3, 0, &list, &o.err)); /* unused tokens are not for text */
    token_list_free(&list);
    close_all(&o);
}

static void test_rwkv_twice(void **state)
{
    (void)state;
    struct opened o;
    begin(&o, "rwkv", (const struct token[]){{"a", 1, 0}, {"a", 1, 0}, {"b", 1, 0}}, 3);
    open_image(&o);
    assert_tokens(o.t, "ab", 0, TOKENS(1, 2)); /* the last one counts */
    close_all(&o);
}

static void test_hostile_rwkv(void **state)
{
    (void)state;
    static const char *const bad[] = {"\\", "\\x", "\\x1", "\\xg0", "\\x0g", "ab\\x 1"};
    struct opened o;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(&o, "rwkv", (const struct token[]){{"a", 1, 0}, {bad[i], 1, 0}}, 2);
        assert_refused(&o, ERR_FORMAT, "token 1");
    }
    begin(&o, "rwkv", escaped, 12);
    image_u32(&o.image, "tokenizer.ggml.eos_token_id", 12);
    assert_refused(&o, ERR_FORMAT, "eos_token_id: found token 12");
    begin(&o, "rwkv", escaped, 12);
    image_u32(&o.image, "tokenizer.ggml.eot_token_id", 0xFFFFFFFE);
    assert_refused(&o, ERR_FORMAT, "eot_token_id");
    begin(&o, "rwkv", (const struct token[]){{"a", 7, 0}}, 1);
    assert_refused(&o, ERR_FORMAT, "type 7");
    begin(&o, "rwkv", (const struct token[]){{"a", -1, 0}}, 1);
    assert_refused(&o, ERR_FORMAT, "type -1");
    begin(&o, "rwkv", (const struct token[]){{"", 1, 0}, {"", 3, 0}}, 2); /* empty tokens are harmless */
    open_image(&o);
    assert_non_null(o.t);
    assert_tokens(o.t, "", TOKENIZE_SPECIAL, NULL, 0);
    close_all(&o);
}

static void test_hostile_lengths(void **state)
{
    (void)state;
    struct opened o = {0};
    image_text(&o.image, "tokenizer.ggml.model", "rwkv");
    assert_refused(&o, ERR_FORMAT, "no tokenizer.ggml.tokens");
    o = (struct opened){0};
    image_text(&o.image, "general.name", "x");
    assert_refused(&o, ERR_FORMAT, "tokenizer.ggml.model: found nothing");
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "gpt2");
    assert_refused(&o, ERR_UNSUPPORTED, "\"gpt2\", expected one of \"rwkv\", \"llama\"");
    o = (struct opened){0};
    image_u32(&o.image, "tokenizer.ggml.model", 1);
    open_image(&o);
    assert_null(o.t);
    close_all(&o);
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "rwkv");
    image_array(&o.image, "tokenizer.ggml.tokens", VALUE_U32, 1);
    image_number(&o.image, 1, 4);
    assert_refused(&o, ERR_FORMAT, "expected an array of strings");
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "rwkv");
    image_array(&o.image, "tokenizer.ggml.tokens", VALUE_STRING, 1);
    static char huge[(64 << 10) + 1];
    memset(huge, 'a', sizeof huge);
    image_string(&o.image, huge, sizeof huge);
    assert_refused(&o, ERR_FORMAT, "65537 bytes");
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "rwkv");
    image_array(&o.image, "tokenizer.ggml.tokens", VALUE_STRING, 2);
    image_string(&o.image, "a", 1);
    image_string(&o.image, "b", 1);
    image_array(&o.image, "tokenizer.ggml.token_type", VALUE_I32, 3);
    for (int i = 0; i < 3; i++) image_number(&o.image, 1, 4);
    assert_refused(&o, ERR_FORMAT, "3 items for 2 tokens");
}

static void test_hostile_llama(void **state)
{
    (void)state;
    static const char *const bad[] = {"<0x0G>", "<0x1>", "<0x001>", "0x0A", "", "<0x-1>", "<0X0A>", "<0x0A]", "<0x 1>"};
    struct opened o;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(&o, "llama", (const struct token[]){{"<unk>", 2, 0}, {bad[i], 6, 0}}, 2);
        assert_refused(&o, ERR_FORMAT, "expected a byte token");
    }
    const struct token one[] = {{"<unk>", 2, 0}};
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "llama");
    add_tokens(&o.image, one, 1);
    assert_refused(&o, ERR_FORMAT, "scores: found nothing");
    o = (struct opened){0};
    image_text(&o.image, "tokenizer.ggml.model", "llama");
    add_tokens(&o.image, one, 1);
    add_scores(&o.image, (const struct token[]){{"", 0, 0}, {"", 0, 0}}, 2);
    assert_refused(&o, ERR_FORMAT, "scores: found 2 items for 1 tokens");
    begin(&o, "llama", (const struct token[]){{"<unk>", 2, 0.0f}, {"a", 1, NAN}}, 2);
    assert_refused(&o, ERR_FORMAT, "token 1 has no number");
    begin(&o, "llama", one, 1);
    image_bool(&o.image, "tokenizer.ggml.add_bos_token", true);
    assert_refused(&o, ERR_FORMAT, "bos_token_id");
    begin(&o, "llama", one, 1);
    image_u32(&o.image, "tokenizer.ggml.bos_token_id", 1);
    assert_refused(&o, ERR_FORMAT, "bos_token_id: found token 1");
    begin(&o, "llama", one, 1); /* nothing but <unk>: everything is unknown */
    open_image(&o);
    assert_non_null(o.t);
    assert_tokens(o.t, "é", 0, TOKENS(0, 0)); /* the space in front, and é */
    assert_false(tokenizer_adds_bos(o.t));
    close_all(&o);
    begin(&o, "llama", (const struct token[]){{"a", 1, 0}}, 1); /* not even that */
    open_image(&o);
    struct token_list list = {0};
    assert_false(tokenizer_encode(o.t, "b", 1, 0, &list, &o.err));
    assert_int_equal(o.err.code, ERR_FORMAT);
    token_list_free(&list);
    close_all(&o);
}

/* ---- SentencePiece against a naive version: again and again search all pairs for the best ---- */

enum { N_SMALL = 300 };
static char small_texts[N_SMALL][16];
static struct token small_tokens[N_SMALL];

static int find_small(const char *text, size_t length)
{
    for (int i = 0; i < N_SMALL; i++)
        if (small_tokens[i].type == 1 && strlen(small_texts[i]) == length && !memcmp(small_texts[i], text, length))
            return i;
    return -1;
}

static void naive_encode(const char *text, struct token_list *list)
{
    size_t starts[256], n = 0;
    for (size_t at = 0; text[at]; at += utf8_length((unsigned char)text[at])) starts[n++] = at;
    starts[n] = strlen(text);
    for (;;) {
        size_t best = n;
        for (size_t i = 0; i + 1 < n; i++) {
            int token = find_small(text + starts[i], starts[i + 2] - starts[i]);
            if (token < 0) continue;
            if (best < n) {
                int best_token = find_small(text + starts[best], starts[best + 2] - starts[best]);
                if (small_tokens[token].score <= small_tokens[best_token].score) continue;
            }
            best = i;
        }
        if (best == n) break;
        memmove(&starts[best + 1], &starts[best + 2], (n - best - 1) * sizeof *starts);
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        int token = find_small(text + starts[i], starts[i + 1] - starts[i]);
        if (token >= 0) token_list_push(list, token);
        for (size_t k = starts[i]; token < 0 && k < starts[i + 1]; k++)
            token_list_push(list, 3 + (unsigned char)text[k]);
    }
}

static void test_sentencepiece_against_naive(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    for (int vocabulary = 0; vocabulary < 20; vocabulary++) {
        for (int i = 0; i < N_SMALL; i++) {
            char *text = small_texts[i];
            int type = i < 3 ? (i ? 3 : 2) : i < 259 ? 6 : 1;
            if (type == 6) snprintf(text, 16, "<0x%02X>", (unsigned)(i - 3));
            else if (type != 1) snprintf(text, 16, "<%d>", i);
            while (type == 1) { /* 1 to 4 characters that no token has yet; ties of scores are wanted */
                text[0] = 0;
                for (uint64_t n = 1 + rng_below(&rng, 4); n; n--)
                    strcat(text, (const char *const[]){"a", "b", "é", "\u2581"}[rng_below(&rng, 4)]);
                if (find_small(text, strlen(text)) < 0 || find_small(text, strlen(text)) >= i) break;
            }
            small_tokens[i] = (struct token){text, type, (float)rng_below(&rng, 12)};
        }
        struct opened o;
        begin(&o, "llama", small_tokens, N_SMALL);
        image_bool(&o.image, "tokenizer.ggml.add_space_prefix", false);
        open_image(&o);
        if (!o.t) fail_msg("%s", o.err.message);
        for (int round = 0; round < 50; round++) {
            char text[256] = "", escaped_text[256] = "";
            for (uint64_t n = rng_below(&rng, 40); n; n--) {
                uint64_t k = rng_below(&rng, 5);
                strcat(text, (const char *const[]){"a", "b", "é", " ", "ж"}[k]);
                strcat(escaped_text, (const char *const[]){"a", "b", "é", "\u2581", "ж"}[k]);
            }
            struct token_list list = {0};
            naive_encode(escaped_text, &list);
            assert_tokens(o.t, text, 0, list.tokens, list.count);
            token_list_free(&list);
        }
        close_all(&o);
    }
}

static void test_llama_special(void **state)
{
    (void)state;
    static const struct token tokens[] = {
        {"<unk>", 2, 0}, {"<s>", 3, 0}, {"</s>", 3, 0}, {"\u2581", 1, -1}, {"a", 1, -1},       {"b", 1, -1},
        {"ab", 1, -2},   {"bab", 4, 0}, {"aab", 4, 0},  {"baaba", 4, 0},   {"\u2581a", 1, -3}, {"<end_of_turn>", 4, 0},
        {"<", 1, -9},    {"c", 1, 0},   {"c", 1, 0}, /* twice: the last one counts */
    };
    struct opened o;
    begin(&o, "llama", tokens, 15);
    image_u32(&o.image, "tokenizer.ggml.eot_token_id", 4); /* an ordinary token: no end */
    open_image(&o);
    if (!o.t) fail_msg("%s", o.err.message);
    assert_tokens(o.t, "a", TOKENIZE_BOS, TOKENS(1, 10));
    assert_tokens(o.t, "", TOKENIZE_BOS, TOKENS(1));
    assert_tokens(o.t, "b<s>a</s>", TOKENIZE_SPECIAL, TOKENS(3, 5, 1, 10, 2)); /* a space after special tokens too */
    assert_tokens(o.t, "bab", 0, TOKENS(7));
    assert_tokens(o.t, "bc", 0, TOKENS(3, 5, 14));
    assert_tokens(o.t, "babaab", 0, TOKENS(7, 8));
    assert_tokens(o.t, "babaaba", 0, TOKENS(3, 5, 4, 9)); /* the longest first, not the leftmost */
    assert_tokens(o.t, "<end_of_turn>", TOKENIZE_SPECIAL, TOKENS(11));
    struct token_list list = encode(o.t, "<end_of_turn>", 13, 0); /* user-defined in the file, but it marks turns */
    for (size_t i = 0; i < list.count; i++) assert_int_not_equal(list.tokens[i], 11);
    token_list_free(&list);
    assert_true(tokenizer_ends_text(o.t, 11));
    assert_true(tokenizer_ends_text(o.t, 2));
    assert_false(tokenizer_ends_text(o.t, 4));
    assert_false(tokenizer_ends_text(o.t, 99));
    assert_int_equal(tokenizer_control_name(o.t, "</s>x", 5), 4);
    assert_int_equal(tokenizer_control_name(o.t, "</s", 3), 0);
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rwkv_escapes),
        cmocka_unit_test(test_rwkv_twice),
        cmocka_unit_test(test_hostile_rwkv),
        cmocka_unit_test(test_hostile_lengths),
        cmocka_unit_test(test_hostile_llama),
        cmocka_unit_test(test_llama_special),
        cmocka_unit_test(test_sentencepiece_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
