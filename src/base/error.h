/* error.h - how every fallible function of Corvid reports failure.
 *
 *   bool f(..., struct error *err)      returns true, or fills err and returns false.
 *   return fail(err, ERR_FORMAT, "tensor %s: found %d dimensions, expected 2", name, n);
 *
 * A message says what was found, what was expected and, where it helps, what to do.
 * err may be NULL. No function of the library prints or exits. Thread-safe: errors are values. */
#ifndef CORVID_BASE_ERROR_H
#define CORVID_BASE_ERROR_H

#include <stdbool.h>

/* code, and what the code means to a caller; the public CORVID_ERROR_* values are these */
#define ERROR_CODES(X)                                                                                                 \
    X(NONE, "no error")                                                                                                \
    X(ARGUMENT, "an argument is wrong")                                                                                \
    X(IO, "a file cannot be opened, read or written")                                                                  \
    X(FORMAT, "a file's content is damaged or hostile")                                                                \
    X(UNSUPPORTED, "a valid input that this version does not support")                                                 \
    X(MEMORY, "out of host memory")                                                                                    \
    X(NO_DEVICE, "no usable GPU, driver or WebGPU library")                                                            \
    X(DEVICE, "the GPU or its driver reported an error")                                                               \
    X(DEVICE_LOST, "the GPU was lost; the model must be opened anew")                                                  \
    X(LIMIT, "a limit of the model, session or device is exceeded")

enum error_code {
#define X(name, text) ERR_##name,
    ERROR_CODES(X)
#undef X
        ERR_COUNT
};

struct error {
    enum error_code code;
    char message[496];
};

#if defined(__GNUC__)
#define PRINTF_LIKE(text_at, values_at) __attribute__((format(printf, text_at, values_at)))
#else
#define PRINTF_LIKE(text_at, values_at)
#endif

/* Fills err (may be NULL) and returns false. A message longer than the buffer is cut. */
bool fail(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* fail() for a failed host allocation of `what`. */
bool fail_memory(struct error *err, const char *what);

/* Puts "context: " in front of err's message and returns false. */
bool fail_in(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* What the code means, e.g. "out of host memory". */
const char *error_text(enum error_code code);

#endif
