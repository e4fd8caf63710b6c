/* utf8.c - see utf8.h
 *
 * A sequence is legal if its first byte is C2 .. F4 and the second lies in the range that the first allows (table 3-7
 * of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF); later bytes are 80 .. BF.
 * The longest legal beginning of a broken sequence becomes one U+FFFD, as the standard recommends. */
#include "text/utf8.h"

#include <string.h>

/* May `byte` stand at place `at` >= 1 of a character that starts with `first`? */
static bool continues(unsigned char first, unsigned at, unsigned char byte)
{
    unsigned low = 0x80, high = 0xBF;
    if (at == 1) {
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    }
    return byte >= low && byte <= high;
}

static size_t put_replacement(char *out)
{
    memcpy(out, "\xEF\xBF\xBD", 3);
    return 3;
}

size_t utf8_stream_feed(struct utf8_stream *s, const char *bytes, size_t n, char *out)
{
    size_t written = 0;
    if (!bytes) {
        if (s->n_pending) written = put_replacement(out);
        s->n_pending = 0;
        return written;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (s->n_pending && !continues((unsigned char)s->pending[0], s->n_pending, byte)) {
            written += put_replacement(out + written);
            s->n_pending = 0;
        }
        if (!s->n_pending && byte >= 0x80 && utf8_length(byte) == 1) { /* starts no character */
            written += put_replacement(out + written);
            continue;
        }
        s->pending[s->n_pending++] = (char)byte;
        if (s->n_pending == utf8_length((unsigned char)s->pending[0])) {
            memcpy(out + written, s->pending, s->n_pending);
            written += s->n_pending;
            s->n_pending = 0;
        }
    }
    return written;
}

unsigned utf8_length(unsigned char first)
{
    if (first < 0xC2 || first > 0xF4) return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t utf8_character(const char *text, size_t length)
{
    unsigned n = utf8_length((unsigned char)text[0]);
    if (n > length) return 1;
    for (unsigned i = 1; i < n; i++)
        if (!continues((unsigned char)text[0], i, (unsigned char)text[i])) return 1;
    return n;
}
