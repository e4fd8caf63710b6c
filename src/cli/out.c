/* out.c - see out.h */
#include "cli/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "corvid.h"

/* errno of the first write that failed, -1 if it had none */
static int write_error;

static void remember_error(void)
{
    if (!write_error) write_error = errno ? errno : -1;
}

void out_write(const char *bytes, size_t n)
{
    if (write_error || !n) return;
    errno = 0;
    if (fwrite(bytes, 1, n, stdout) != n) remember_error();
}

void out_text(const char *text) { out_write(text, strlen(text)); }

void out_printf(const char *format, ...)
{
    if (write_error) return;
    va_list args;
    va_start(args, format);
    errno = 0;
    if (vfprintf(stdout, format, args) < 0) remember_error();
    va_end(args);
}

bool out_flush(void)
{
    errno = 0;
    if (!write_error && fflush(stdout) != 0) remember_error();
    return !write_error;
}

/* C0 and C1 controls, DEL, and the characters that turn the direction of text: they rewrite what a terminal shows */
static bool is_control(const unsigned char *c, size_t length)
{
    if (length == 1) return c[0] < 0x20 || c[0] == 0x7f;
    if (length == 2) return c[0] == 0xc2 && c[1] < 0xa0;
    if (length != 3 || c[0] != 0xe2) return false;
    if (c[1] == 0x80) return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae);
    return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9;
}

static size_t character_length(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Writes one character of valid UTF-8; returns its bytes. */
static size_t write_escaped(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t length = character_length(c[0]);
    if (c[0] == '\n') out_text("\\n");
    else if (c[0] == '\t') out_text("\\t");
    else if (c[0] == '\\') out_text("\\\\");
    else if (!is_control(c, length)) out_write(text, length);
    else
        for (size_t i = 0; i < length; i++) out_printf("\\x%02x", c[i]);
    return length;
}

void out_escaped(const char *text, size_t n, size_t max_bytes)
{
    size_t shown = n < max_bytes ? n : max_bytes, length = 0;
    corvid_utf8 stream = {.n_pending = 0};
    for (size_t i = 0; i <= shown; i++) {
        char clean[16];
        length = i < shown || shown == n ? corvid_utf8_feed(&stream, i < shown ? text + i : NULL, i < shown, clean) : 0;
        for (size_t at = 0; at < length;) at += write_escaped(clean + at);
    }
    if (shown < n) out_printf("... (%zu bytes)", n);
}

json_t *out_json_text(const char *text, size_t n)
{
    char *clean = n < SIZE_MAX / 3 - 24 ? malloc(3 * n + 24) : NULL;
    if (!clean) return NULL;
    corvid_utf8 stream = {.n_pending = 0};
    size_t length = n ? corvid_utf8_feed(&stream, text, n, clean) : 0;
    length += corvid_utf8_feed(&stream, NULL, 0, clean + length);
    json_t *string = json_stringn(clean, length);
    free(clean);
    return string;
}

static int write_chunk(const char *bytes, size_t n, void *unused)
{
    (void)unused;
    out_write(bytes, n);
    return write_error ? -1 : 0;
}

void out_json(json_t *object)
{
    if (!object || (json_dump_callback(object, write_chunk, NULL, JSON_REAL_PRECISION(9)) != 0 && !write_error)) {
        write_error = ENOMEM;
    }
    out_text("\n");
    json_decref(object);
}

void out_error(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    fflush(stdout);
    fprintf(stderr, "corvid: %s\n", line);
}

int out_finish(int code)
{
    if (out_flush()) return code;
    if (write_error == EPIPE) return EXIT_OK;
    out_error("cannot write the output: %s", write_error > 0 ? strerror(write_error) : "unknown error");
    return EXIT_FAILED;
}
