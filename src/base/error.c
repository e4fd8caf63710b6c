/* error.c - see error.h */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool fail(struct error *err, enum error_code code, const char *format, ...)
{
    if (!err) return false;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

bool fail_memory(struct error *err, const char *what)
{
    return fail(err, ERR_MEMORY, "out of memory for %s: close other programs or use a smaller model", what);
}

bool fail_in(struct error *err, const char *format, ...)
{
    if (!err) return false;
    char context[256], rest[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(rest, err->message, sizeof rest);
    /* the context is the shorter part; what does not fit is cut from the end */
    int at = snprintf(err->message, sizeof err->message, "%s: ", context);
    size_t room = sizeof err->message - (size_t)at - 1;
    size_t length = strlen(rest);
    if (length > room) length = room;
    memcpy(err->message + at, rest, length);
    err->message[(size_t)at + length] = 0;
    return false;
}

const char *error_text(enum error_code code)
{
    static const char *const names[] = {
#define X(name, text) text,
        ERROR_CODES(X)
#undef X
    };
    return (unsigned)code < ERR_COUNT ? names[code] : "unknown error";
}
