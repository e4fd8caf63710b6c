/* arena.c - see arena.h */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, BLOCK_BYTES = 64 << 10 };

struct arena_block {
    struct arena_block *older;
    size_t used, capacity;
    _Alignas(ALIGNMENT) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX - sizeof(struct arena_block) - ALIGNMENT) / size) return NULL;
    size_t bytes = (count * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_block *b = a->newest;
    if (!b || b->capacity - b->used < bytes) {
        size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        b = calloc(1, sizeof *b + capacity);
        if (!b) return NULL;
        b->capacity = capacity;
        b->older = a->newest;
        a->newest = b;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    return p;
}

char *arena_copy(struct arena *a, const void *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(a, length + 1, 1) : NULL;
    if (copy && length) memcpy(copy, bytes, length);
    return copy;
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->newest, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    a->newest = NULL;
}
