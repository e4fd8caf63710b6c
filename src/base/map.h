/* map.h - byte string -> integer. Open addressing with linear probing, FNV-1a, at most 3/4 full.
 *
 * The map keeps pointers to its keys, not copies: they must outlive it. Zero-initialise before use; map_free when
 * done. A map that is no longer added to may be read from any thread. */
#ifndef CORVID_BASE_MAP_H
#define CORVID_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    const void *key; /* NULL: free */
    size_t length;
    uint64_t hash;
    int64_t value;
};

struct map {
    struct map_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* Makes room for `count` entries in all, so that adding them cannot run out of memory. False if memory runs out. */
bool map_reserve(struct map *m, size_t count);

enum map_result { MAP_ADDED, MAP_PRESENT, MAP_NO_MEMORY };

/* Adds an entry unless the key is there already: then the old value stays. `key` is not NULL, `length` may be 0. */
enum map_result map_add(struct map *m, const void *key, size_t length, int64_t value);

/* False, and *value unchanged, if the key is absent. */
bool map_get(const struct map *m, const void *key, size_t length, int64_t *value);

void map_free(struct map *m);

#endif
