/* arena.h - memory with one lifetime: many allocations, one free.
 *
 *   [block: used ----> | free] -> [older block: full] -> ...
 *
 * Zero-initialise before use. Memory comes zeroed and aligned to 16. Not thread-safe. */
#ifndef CORVID_BASE_ARENA_H
#define CORVID_BASE_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *newest;
};

/* `count` zeroed items of `size` bytes; NULL if memory runs out or count * size overflows. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* A 0-terminated copy of `length` bytes; NULL if memory runs out. */
char *arena_copy(struct arena *a, const void *bytes, size_t length);

void arena_free(struct arena *a);

#endif
