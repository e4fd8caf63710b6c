/* builder.h - a growing byte string. Failure to allocate sticks: `failed` is set and appends do nothing.
 * Zero-initialise before use; builder_free when done. The content is always 0-terminated. Not thread-safe. */
#ifndef CORVID_BASE_BUILDER_H
#define CORVID_BASE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct builder {
    char *data; /* NULL until the first append */
    size_t length, capacity;
    bool failed;
};

void builder_append(struct builder *b, const void *bytes, size_t length);
void builder_text(struct builder *b, const char *text);
void builder_printf(struct builder *b, const char *format, ...) PRINTF_LIKE(2, 3);
void builder_clear(struct builder *b); /* keeps the memory */
void builder_free(struct builder *b);

#endif
