/* map.c - see map.h */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

static uint64_t hash_bytes(const void *key, size_t length)
{
    const unsigned char *p = key;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

/* the slot that holds the key, or the free one where it belongs; capacity > count */
static struct map_slot *slot_of(const struct map *m, const void *key, size_t length, uint64_t hash)
{
    for (size_t i = (size_t)hash;; i++) {
        struct map_slot *s = &m->slots[i & (m->capacity - 1)];
        if (!s->key) return s;
        if (s->hash == hash && s->length == length && !memcmp(s->key, key, length)) return s;
    }
}

bool map_reserve(struct map *m, size_t count)
{
    size_t capacity = m->capacity ? m->capacity : FIRST_CAPACITY;
    while (capacity / 4 * 3 < count) {
        if (capacity > SIZE_MAX / 2) return false;
        capacity *= 2;
    }
    if (capacity == m->capacity) return true;
    struct map bigger = {calloc(capacity, sizeof *bigger.slots), capacity, m->count};
    if (!bigger.slots) return false;
    for (size_t i = 0; i < m->capacity; i++) {
        const struct map_slot *s = &m->slots[i];
        if (s->key) *slot_of(&bigger, s->key, s->length, s->hash) = *s;
    }
    free(m->slots);
    *m = bigger;
    return true;
}

enum map_result map_add(struct map *m, const void *key, size_t length, int64_t value)
{
    if (!map_reserve(m, m->count + 1)) return MAP_NO_MEMORY;
    uint64_t hash = hash_bytes(key, length);
    struct map_slot *s = slot_of(m, key, length, hash);
    if (s->key) return MAP_PRESENT;
    *s = (struct map_slot){key, length, hash, value};
    m->count++;
    return MAP_ADDED;
}

bool map_get(const struct map *m, const void *key, size_t length, int64_t *value)
{
    if (!m->count) return false;
    const struct map_slot *s = slot_of(m, key, length, hash_bytes(key, length));
    if (s->key) *value = s->value;
    return s->key != NULL;
}

void map_free(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}
