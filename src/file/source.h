/* source.h - where a model file's bytes come from: a memory-mapped file or a block of memory.
 * The bytes stay valid and unchanged until source_close. Reading is thread-safe. */
#ifndef CORVID_FILE_SOURCE_H
#define CORVID_FILE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct source {
    const uint8_t *data;
    uint64_t size;
    void *handle; /* the mapping's, NULL for memory */
};

/* Maps the file read-only. Fails with ERR_IO for a missing or unreadable file, a directory, an empty file. */
bool source_open(struct source *s, const char *path, struct error *err);

/* Looks at the caller's memory, which must outlive the source. */
struct source source_memory(const void *data, uint64_t size);

/* The range [at, at + bytes) will not be read again soon: its pages may leave memory. A hint. */
void source_forget(const struct source *s, uint64_t at, uint64_t bytes);

void source_close(struct source *s); /* accepts a zeroed source */

#endif
