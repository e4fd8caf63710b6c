/* utf8.h - UTF-8 characters in bytes of any kind; streaming output that never splits a character. */
#ifndef CORVID_TEXT_UTF8_H
#define CORVID_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Holds back the bytes of a character that is not complete yet. Zero-initialise. */
struct utf8_stream {
    char pending[4];
    unsigned n_pending;
};

/* Feeds n bytes; writes whole characters to out (room for 3 * n + 12) and returns their bytes. Bytes that are not
 * UTF-8 (Unicode 15, table 3-7) become U+FFFD. bytes = NULL ends the text: what was held back becomes U+FFFD. */
size_t utf8_stream_feed(struct utf8_stream *s, const char *bytes, size_t n, char *out);

/* Bytes of the character that starts with `first`; 1 for bytes that start none. */
unsigned utf8_length(unsigned char first);

/* Bytes of the whole legal character at text[0 .. length), length >= 1; 1 if there is none. */
size_t utf8_character(const char *text, size_t length);

#endif
