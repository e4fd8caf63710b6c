/* builder.c - see builder.h */
#include "base/builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct builder *b, size_t extra)
{
    if (b->failed) return false;
    if (extra < b->capacity - b->length) return true;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity - b->length <= extra) {
        if (capacity > (size_t)-1 / 2) return b->failed = true, false;
        capacity *= 2;
    }
    char *data = realloc(b->data, capacity);
    if (!data) return b->failed = true, false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

void builder_append(struct builder *b, const void *bytes, size_t length)
{
    if (!reserve(b, length)) return;
    if (length) memcpy(b->data + b->length, bytes, length);
    b->length += length;
    b->data[b->length] = 0;
}

void builder_text(struct builder *b, const char *text) { builder_append(b, text, strlen(text)); }

void builder_printf(struct builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(b, (size_t)length)) return;
    va_start(args, format);
    vsnprintf(b->data + b->length, (size_t)length + 1, format, args);
    va_end(args);
    b->length += (size_t)length;
}

void builder_clear(struct builder *b)
{
    b->length = 0;
    if (b->data) b->data[0] = 0;
}

void builder_free(struct builder *b)
{
    free(b->data);
    *b = (struct builder){0};
}
