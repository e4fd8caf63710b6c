/* heap.c - see heap.h */
#include "text/heap.h"

#include <stdlib.h>

static bool is_before(const struct heap_item *x, const struct heap_item *y)
{
    if (x->rank > y->rank || x->rank < y->rank) return x->rank > y->rank;
    return x->a != y->a ? x->a < y->a : x->b < y->b;
}

bool heap_push(struct heap *h, struct heap_item item)
{
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? h->capacity * 2 : 256;
        if (capacity > SIZE_MAX / sizeof item) return false;
        struct heap_item *items = realloc(h->items, capacity * sizeof item);
        if (!items) return false;
        h->items = items;
        h->capacity = capacity;
    }
    size_t at = h->count++;
    for (size_t parent; at > 0 && is_before(&item, &h->items[parent = (at - 1) / 2]); at = parent)
        h->items[at] = h->items[parent];
    h->items[at] = item;
    return true;
}

bool heap_pop(struct heap *h, struct heap_item *item)
{
    if (!h->count) return false;
    *item = h->items[0];
    struct heap_item last = h->items[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && is_before(&h->items[child + 1], &h->items[child])) child++;
        if (!is_before(&h->items[child], &last)) break;
        h->items[at] = h->items[child];
    }
    if (h->count) h->items[at] = last;
    return true;
}

void heap_free(struct heap *h)
{
    free(h->items);
    *h = (struct heap){0};
}
