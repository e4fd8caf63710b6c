/* test_utf8.c - the stream against the examples of the Unicode standard and against a one-shot decoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "text/utf8.h"

#include <cmocka.h>

/* Feeds `in` in parts of `step` bytes and ends the text. */
static size_t feed(const char *in, size_t n, size_t step, char *out)
{
    struct utf8_stream s = {0};
    size_t written = 0;
    for (size_t at = 0; at < n; at += step)
        written += utf8_stream_feed(&s, in + at, n - at < step ? n - at : step, out + written);
    return written + utf8_stream_feed(&s, NULL, 0, out + written);
}

static void assert_decodes(const char *in, size_t n, const char *expected)
{
    for (size_t step = 1; step <= n + 1; step++) {
        char out[256] = {0};
        assert_int_equal(feed(in, n, step, out), strlen(expected));
        assert_string_equal(out, expected);
    }
}
#define R "\xEF\xBF\xBD"

static void test_examples(void **state)
{
    (void)state;
    assert_decodes("", 0, "");
    assert_decodes("naïve 東京 😀", strlen("naïve 東京 😀"), "naïve 東京 😀");
    /* Unicode 15, tables 3-8 to 3-11 */
    assert_decodes("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 9, R R R R R R R R "A");
    assert_decodes("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", 9, R R R R R R R R "A");
    assert_decodes("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9, R R R R R "A" R R "B");
    assert_decodes("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9, R R R R "A");
    assert_decodes("\xF0\x9F\x98", 3, R); /* the text ends inside a character */
    assert_decodes("a\xC3", 2, "a" R);
}

static void test_holds_back(void **state)
{
    (void)state;
    struct utf8_stream s = {0};
    char out[64];
    assert_int_equal(utf8_stream_feed(&s, "a\xE6\x9D", 3, out), 1);
    assert_int_equal(utf8_stream_feed(&s, "", 0, out), 0);
    assert_int_equal(utf8_stream_feed(&s, "\xB1", 1, out), 3);
    assert_memory_equal(out, "東", 3);
    assert_int_equal(utf8_stream_feed(&s, NULL, 0, out), 0);
}

/* One code point by its value, as RFC 3629 defines it; 0: not legal */
static size_t decode_by_value(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (!length || length > n) return 0;
    uint32_t value = length == 1 ? p[0] : p[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2) return 0;
        value = value << 6 | (p[i] & 63);
    }
    return value >= least[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF) ? length : 0;
}

static void test_characters(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 5);
    for (int round = 0; round < 300000; round++) {
        static const unsigned char edges[] = {0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
                                              0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF3, 0xF4, 0xF5, 0xFF, 0x41};
        unsigned char text[4];
        for (int i = 0; i < 4; i++) text[i] = edges[rng_below(&rng, sizeof edges)];
        size_t expected = decode_by_value(text, 4);
        assert_int_equal(utf8_character((const char *)text, 4), expected ? expected : 1);
        char out[64];
        struct utf8_stream s = {0};
        size_t n = utf8_stream_feed(&s, (const char *)text, expected ? expected : 1, out);
        if (expected) assert_true(n == expected && !memcmp(out, text, n));
        else assert_true(n == 0 || !memcmp(out, R, 3)); /* held back, or known to be wrong */
    }
    assert_int_equal(utf8_character("\xC3", 1), 1);
}

/* The room that utf8.h asks for is enough, and the output is always legal. */
static void test_random(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 6);
    for (int round = 0; round < 3000; round++) {
        char in[40], out[3 * sizeof in + 12];
        size_t n = rng_below(&rng, sizeof in);
        for (size_t i = 0; i < n; i++) in[i] = (char)(0x70 | rng_next(&rng));
        struct utf8_stream s = {0};
        utf8_stream_feed(&s, "\xF0\x9F\x98", 3, out);
        size_t written = utf8_stream_feed(&s, in, n, out);
        assert_true(written <= 3 * n + 12);
        for (size_t at = 0, bytes; at < written; at += bytes) {
            bytes = decode_by_value((const unsigned char *)out + at, written - at);
            assert_true(bytes > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_holds_back),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
