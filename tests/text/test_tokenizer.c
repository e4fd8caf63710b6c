/* test_tokenizer.c - real vocabularies: against llama.cpp's tokens (tokens-*.json, made by make_golden.py), and round
 * trips. Small and hostile vocabularies: test_vocabulary.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/builder.h"
#include "base/rng.h"
#include "text/tokenizer.h"

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

static const char *source_path(const char *name)
{
    static char path[1024];
    const char *root = getenv("CORVID_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

struct opened {
    struct model_file *file;
    struct tokenizer *t;
    struct error err;
};

static void close_all(struct opened *o)
{
    tokenizer_destroy(o->t);
    model_file_close(o->file);
}

/* Skips the test if the file is not there. */
static void open_model(struct opened *o, const char *name)
{
    *o = (struct opened){0};
    FILE *f = fopen(source_path(name), "rb");
    if (!f) {
        print_message("skipped: %s is not there\n", name);
        skip();
    }
    fclose(f);
    o->file = model_file_open(source_path(name), &o->err);
    if (!o->file) fail_msg("%s", o->err.message);
    o->t = tokenizer_create(o->file, &o->err);
    if (!o->t) fail_msg("%s", o->err.message);
}

static struct token_list encode(const struct tokenizer *t, const char *text, size_t length, int flags)
{
    struct token_list list = {0};
    struct error err = {0};
    if (!tokenizer_encode(t, text, length, flags, &list, &err)) fail_msg("%s", err.message);
    return list;
}

static void decode(const struct tokenizer *t, const struct token_list *list, struct builder *out)
{
    builder_clear(out);
    for (size_t i = 0; i < list->count; i++) {
        struct bytes piece = tokenizer_piece(t, list->tokens[i], false);
        builder_append(out, piece.data, piece.length);
    }
}

static void assert_round_trip(const struct tokenizer *t, const char *text, size_t length)
{
    struct token_list list = encode(t, text, length, 0);
    struct builder out = {0};
    decode(t, &list, &out);
    assert_int_equal(out.length, length);
    if (length) assert_memory_equal(out.data, text, length);
    token_list_free(&list);
    builder_free(&out);
}

static void compare_tokens(const struct tokenizer *t, const json_t *row, const char *column, int flags)
{
    const char *text = json_string_value(json_object_get(row, "text"));
    const json_t *expected = json_object_get(row, column);
    struct token_list list = encode(t, text, json_string_length(json_object_get(row, "text")), flags);
    bool equal = list.count == json_array_size(expected);
    for (size_t i = 0; equal && i < list.count; i++)
        equal = list.tokens[i] == json_integer_value(json_array_get(expected, i));
    if (!equal) {
        print_error("\"%s\" (%s)\nfound   ", text, column);
        for (size_t i = 0; i < list.count; i++) print_error(" %d", (int)list.tokens[i]);
        print_error("\nexpected");
        for (size_t i = 0; i < json_array_size(expected); i++)
            print_error(" %d", (int)json_integer_value(json_array_get(expected, i)));
        fail_msg("the tokens differ");
    }
    token_list_free(&list);
}

static void compare_golden(const struct tokenizer *t, const char *name, const char *not_plain)
{
    json_error_t problem;
    json_t *rows = json_load_file(source_path(name), 0, &problem);
    if (!rows) fail_msg("%s: %s", name, problem.text);
    assert_true(json_array_size(rows) > 300);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        compare_tokens(t, row, "special", TOKENIZE_BOS | TOKENIZE_SPECIAL);
        if (not_plain && strstr(json_string_value(json_object_get(row, "text")), not_plain)) continue;
        compare_tokens(t, row, "plain", TOKENIZE_BOS);
    }
    json_decref(rows);
}

static void test_rwkv_golden(void **state)
{
    (void)state;
    struct opened o;
    open_model(&o, "models/rwkv7-tiny-q8_0.gguf");
    /* llama.cpp finds the control token <s> in plain text too; here only TOKENIZE_SPECIAL does */
    compare_golden(o.t, "tests/text/tokens-rwkv7-tiny.json", "<s>");
    assert_int_equal(tokenizer_size(o.t), 2560);
    assert_int_equal(tokenizer_eos(o.t), 0);
    assert_false(tokenizer_adds_bos(o.t));
    assert_true(tokenizer_ends_text(o.t, 0));
    assert_false(tokenizer_ends_text(o.t, 257)); /* "\n\n", the file's eot, is ordinary text */
    struct token_list list = encode(o.t, "<s>", 3, 0);
    assert_int_equal(list.count, 3);
    token_list_free(&list);
    close_all(&o);
}

static void test_rwkv_round_trip(void **state)
{
    (void)state;
    struct opened o;
    open_model(&o, "models/rwkv7-tiny-q8_0.gguf");
    struct rng rng;
    rng_seed(&rng, 1);
    for (int round = 0; round < 300; round++) {
        char text[200];
        size_t length = rng_below(&rng, sizeof text);
        for (size_t i = 0; i < length; i++) text[i] = (char)rng_next(&rng);
        assert_round_trip(o.t, text, length);
    }
    close_all(&o);
}

static void test_gemma_golden(void **state)
{
    (void)state;
    struct opened o;
    open_model(&o, "models/gemma-3-270m-q4_k_m.gguf");
    compare_golden(o.t, "tests/text/tokens-gemma3.json", NULL);
    assert_int_equal(tokenizer_size(o.t), 262144);
    assert_int_equal(tokenizer_bos(o.t), 2);
    assert_int_equal(tokenizer_eos(o.t), 1);
    assert_true(tokenizer_adds_bos(o.t));
    assert_true(tokenizer_ends_text(o.t, 1));
    assert_true(tokenizer_ends_text(o.t, 106)); /* <end_of_turn> */
    assert_false(tokenizer_ends_text(o.t, 105));
    assert_false(tokenizer_ends_text(o.t, 107));
    assert_int_equal(tokenizer_piece(o.t, 106, false).length, 0);
    assert_memory_equal(tokenizer_piece(o.t, 106, true).data, "<end_of_turn>", 13);
    close_all(&o);
}

/* Random bytes are mostly broken UTF-8, and must come back too. U+2581 itself stands for a space. */
static void test_gemma_round_trip(void **state)
{
    (void)state;
    struct opened o;
    open_model(&o, "models/gemma-3-270m-q4_k_m.gguf");
    struct rng rng;
    rng_seed(&rng, 2);
    for (int round = 0; round < 200; round++) {
        char text[200];
        size_t length = rng_below(&rng, sizeof text);
        bool ascii = rng_next(&rng) & 1;
        for (size_t i = 0; i < length; i++) {
            text[i] = (char)(rng_next(&rng) & (ascii ? 127 : 255));
            if (text[i] == '\x96') text[i] = 'x';
        }
        assert_round_trip(o.t, text, length);
    }
    assert_round_trip(o.t, "naïve 東京 😀\n\n\n\t x", strlen("naïve 東京 😀\n\n\n\t x"));
    size_t length = 300000; /* must not take quadratic time or deep recursion */
    char *text = malloc(length);
    memset(text, ' ', length / 2);
    memset(text + length / 2, 'a', length - length / 2);
    assert_round_trip(o.t, text, length);
    free(text);
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rwkv_golden),
        cmocka_unit_test(test_rwkv_round_trip),
        cmocka_unit_test(test_gemma_golden),
        cmocka_unit_test(test_gemma_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
