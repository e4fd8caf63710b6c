/* heap.h - a priority queue: the largest rank first; of equal ranks the smallest a, then the smallest b.
 * Zero-initialise; heap_free when done. Not thread-safe. */
#ifndef CORVID_TEXT_HEAP_H
#define CORVID_TEXT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
    float rank; /* not NaN */
    int32_t a;
    uint32_t b;
};

struct heap {
    struct heap_item *items;
    size_t count, capacity;
};

bool heap_push(struct heap *h, struct heap_item item); /* false: out of memory */
bool heap_pop(struct heap *h, struct heap_item *item); /* false: empty */
void heap_free(struct heap *h);

#endif
