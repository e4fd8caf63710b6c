/* out.h - what the program says: results on standard output, one-line messages for people on standard error.
 * The first failed write is remembered, later ones do nothing; out_finish turns it into the exit code. */
#ifndef CORVID_CLI_OUT_H
#define CORVID_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

void out_write(const char *bytes, size_t n);
void out_text(const char *text);
void out_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* Text that comes from a file or a driver: control characters and broken UTF-8 cannot reach the terminal. Shows
 * max_bytes at most and says how many there are. */
void out_escaped(const char *text, size_t n, size_t max_bytes);

/* What was written so far reaches its reader now; false if nobody reads any more. */
bool out_flush(void);

/* Prints the object on a line of its own and releases it. */
void out_json(json_t *object);

/* The JSON string of bytes that may not be UTF-8. */
json_t *out_json_text(const char *text, size_t n);

/* "corvid: ..." with a line break to standard error; control characters are replaced. */
void out_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* Flushes. Returns code, or EXIT_FAILED with a message if the output could not be written; a reader that closed its
 * pipe has seen enough: EXIT_OK. */
int out_finish(int code);

#endif
