/* gguf_write.c - see gguf_write.h
 *
 * Metadata values are kept as the bytes that go into the file. gguf_writer_begin lays the tensors out one after the
 * other, writes everything up to the data, and from then on only the current tensor and its written bytes move. */
#include "file/gguf_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/builder.h"
#include "base/checked.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "base/map.h"
#include "file/gguf.h"

struct entry {
    const char *key;
    struct builder value; /* its type and its bytes */
};

struct gguf_writer {
    struct arena arena;
    struct entry *entries;
    size_t n_entries, entries_capacity;
    struct map by_key;
    struct tensor_info *tensors; /* at: offset in the data, from gguf_writer_begin on */
    size_t n_tensors, tensors_capacity;
    struct map by_name;

    uint64_t alignment;
    const char *path, *part; /* part: the file to remove unless it is finished */
    FILE *file;
    size_t current;   /* tensor that gguf_writer_data continues */
    uint64_t written; /* its bytes so far */
};

static const char zeros[GGUF_MAX_ALIGNMENT];

/* ---- metadata --------------------------------------------------------------------------------------------- */

static void append_u32(struct builder *b, uint32_t value)
{
    char bytes[4];
    store_u32(bytes, value);
    builder_append(b, bytes, sizeof bytes);
}

static void append_u64(struct builder *b, uint64_t value)
{
    char bytes[8];
    store_u64(bytes, value);
    builder_append(b, bytes, sizeof bytes);
}

static void append_string(struct builder *b, const char *data, size_t length)
{
    append_u64(b, length);
    builder_append(b, data, length);
}

/* what the reader would refuse is not written */
static bool append_value(struct builder *b, const char *key, struct bytes s, struct error *err)
{
    if (s.length > GGUF_MAX_STRING_BYTES)
        return fail(err, ERR_ARGUMENT, "key %s: a string of %zu bytes, expected at most %d", key, s.length,
                    GGUF_MAX_STRING_BYTES);
    append_string(b, s.data, s.length);
    return true;
}

/* room for one more item of a list */
static bool grow(void **list, size_t count, size_t item_bytes, size_t *capacity)
{
    if (count < *capacity) return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *bigger = wanted <= SIZE_MAX / item_bytes ? realloc(*list, wanted * item_bytes) : NULL;
    if (!bigger) return false;
    *list = bigger;
    *capacity = wanted;
    return true;
}

/* the key's value, emptied but for its type */
static struct builder *value_of(struct gguf_writer *w, const char *key, enum value_type type, struct error *err)
{
    size_t length = strlen(key);
    int64_t index = (int64_t)w->n_entries;
    if (w->file || !gguf_name_valid(key, length, GGUF_MAX_KEY_BYTES)) {
        fail(err, ERR_ARGUMENT,
             w->file ? "metadata was added after gguf_writer_begin"
                     : "the key is not 1 to 256 bytes of UTF-8 without control characters");
        return NULL;
    }
    if (!map_get(&w->by_key, key, length, &index)) {
        void *list = w->entries;
        char *copy = arena_copy(&w->arena, key, length);
        bool grown = grow(&list, w->n_entries, sizeof *w->entries, &w->entries_capacity);
        w->entries = list;
        if (!copy || !grown || map_add(&w->by_key, copy, length, index) != MAP_ADDED) {
            fail_memory(err, "metadata");
            return NULL;
        }
        w->entries[w->n_entries++] = (struct entry){copy, {0}};
    }
    struct builder *value = &w->entries[index].value;
    builder_clear(value);
    append_u32(value, (uint32_t)type);
    return value;
}

static bool complete(const struct builder *value, struct error *err)
{
    return !value->failed || fail_memory(err, "metadata");
}

/* ---- layout ----------------------------------------------------------------------------------------------- */

static bool find_alignment(struct gguf_writer *w, struct error *err)
{
    int64_t index;
    w->alignment = GGUF_DEFAULT_ALIGNMENT;
    if (!map_get(&w->by_key, GGUF_ALIGNMENT_KEY, strlen(GGUF_ALIGNMENT_KEY), &index)) return true;
    const struct builder *value = &w->entries[index].value;
    bool is_u32 = value->length == 8 && load_u32(value->data) == VALUE_U32;
    w->alignment = is_u32 ? load_u32(value->data + 4) : 0;
    if (gguf_alignment_valid(w->alignment)) return true;
    return fail(err, ERR_ARGUMENT, "key %s is not a u32 that is a power of two from %d to %d", GGUF_ALIGNMENT_KEY,
                GGUF_MIN_ALIGNMENT, GGUF_MAX_ALIGNMENT);
}

static bool place_tensors(struct gguf_writer *w, struct error *err)
{
    uint64_t at = 0;
    for (size_t i = 0; i < w->n_tensors; i++) {
        struct tensor_info *t = &w->tensors[i];
        t->at = at;
        if (!checked_add(at, t->size, &at) || !checked_align(at, w->alignment, &at))
            return fail(err, ERR_ARGUMENT, "tensor %s: the file's size does not fit in 64 bits", t->name);
    }
    return true;
}

static void append_header(const struct gguf_writer *w, struct builder *b)
{
    builder_text(b, GGUF_MAGIC);
    append_u32(b, GGUF_VERSION);
    append_u64(b, w->n_tensors);
    append_u64(b, w->n_entries);
    for (size_t i = 0; i < w->n_entries; i++) {
        const struct entry *e = &w->entries[i];
        append_string(b, e->key, strlen(e->key));
        builder_append(b, e->value.data, e->value.length);
    }
    for (size_t i = 0; i < w->n_tensors; i++) {
        const struct tensor_info *t = &w->tensors[i];
        append_string(b, t->name, strlen(t->name));
        append_u32(b, t->n_dims);
        for (uint32_t d = 0; d < t->n_dims; d++) append_u64(b, t->dims[d]);
        append_u32(b, t->type);
        append_u64(b, t->at);
    }
    builder_append(b, zeros, (size_t)(round_up(b->length, w->alignment) - b->length));
}

static bool write_bytes(struct gguf_writer *w, const void *data, size_t bytes, struct error *err)
{
    errno = 0;
    if (!bytes || fwrite(data, 1, bytes, w->file) == bytes) return true;
    return fail(err, ERR_IO, "cannot write %s: %s; expected room for %zu more bytes on the disk", w->part,
                strerror(errno), bytes);
}

/* ---- public ----------------------------------------------------------------------------------------------- */

struct gguf_writer *gguf_writer_create(struct error *err)
{
    struct gguf_writer *w = calloc(1, sizeof *w);
    if (!w) fail_memory(err, "a writer");
    return w;
}

void gguf_writer_destroy(struct gguf_writer *w)
{
    if (!w) return;
    if (w->file) fclose(w->file);
    if (w->part) file_remove(w->part, NULL);
    for (size_t i = 0; i < w->n_entries; i++) builder_free(&w->entries[i].value);
    free(w->entries);
    free(w->tensors);
    map_free(&w->by_key);
    map_free(&w->by_name);
    arena_free(&w->arena);
    free(w);
}

bool gguf_writer_copy(struct gguf_writer *w, const struct metadata *m, struct error *err)
{
    if (m->type == VALUE_ARRAY) return gguf_writer_array(w, m->key, m->item_type, m->items, m->count, err);
    if (m->type == VALUE_STRING) return gguf_writer_string(w, m->key, *(const struct bytes *)m->items, err);
    struct builder *value = value_of(w, m->key, m->type, err);
    if (!value) return false;
    builder_append(value, m->items, gguf_value_bytes(m->type));
    return complete(value, err);
}

bool gguf_writer_u32(struct gguf_writer *w, const char *key, uint32_t value, struct error *err)
{
    char bytes[4];
    store_u32(bytes, value);
    struct metadata m = {key, VALUE_U32, VALUE_U32, 1, bytes};
    return gguf_writer_copy(w, &m, err);
}

bool gguf_writer_f32(struct gguf_writer *w, const char *key, float value, struct error *err)
{
    uint32_t bits;
    char bytes[4];
    memcpy(&bits, &value, sizeof bits);
    store_u32(bytes, bits);
    struct metadata m = {key, VALUE_F32, VALUE_F32, 1, bytes};
    return gguf_writer_copy(w, &m, err);
}

bool gguf_writer_bool(struct gguf_writer *w, const char *key, bool value, struct error *err)
{
    char byte = value;
    struct metadata m = {key, VALUE_BOOL, VALUE_BOOL, 1, &byte};
    return gguf_writer_copy(w, &m, err);
}

bool gguf_writer_string(struct gguf_writer *w, const char *key, struct bytes s, struct error *err)
{
    struct builder *value = value_of(w, key, VALUE_STRING, err);
    return value && append_value(value, key, s, err) && complete(value, err);
}

bool gguf_writer_array(struct gguf_writer *w, const char *key, enum value_type item_type, const void *items,
                       uint64_t count, struct error *err)
{
    size_t item_bytes = gguf_value_bytes(item_type);
    if (item_type != VALUE_STRING && (!item_bytes || count > SIZE_MAX / item_bytes))
        return fail(err, ERR_ARGUMENT, "key %s: an array of %" PRIu64 " items of type %s cannot be written", key, count,
                    value_type_name(item_type));
    struct builder *value = value_of(w, key, VALUE_ARRAY, err);
    if (!value) return false;
    append_u32(value, (uint32_t)item_type);
    append_u64(value, count);
    if (item_type != VALUE_STRING) {
        builder_append(value, items, (size_t)count * item_bytes);
        return complete(value, err);
    }
    const struct bytes *strings = items;
    for (uint64_t i = 0; i < count; i++)
        if (!append_value(value, key, strings[i], err)) return false;
    return complete(value, err);
}

bool gguf_writer_tensor(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dims,
                        uint64_t size, struct error *err)
{
    struct tensor_info t = {.type = type, .n_dims = n_dims, .dims = {1, 1, 1, 1}};
    size_t length = strlen(name);
    if (w->file) return fail(err, ERR_ARGUMENT, "a tensor was added after gguf_writer_begin");
    if (!gguf_name_valid(name, length, GGUF_MAX_NAME_BYTES))
        return fail(err, ERR_ARGUMENT, "the tensor's name is not 1 to %d bytes of UTF-8 without control characters",
                    GGUF_MAX_NAME_BYTES);
    if (n_dims < 1 || n_dims > TENSOR_MAX_DIMS)
        return fail(err, ERR_ARGUMENT, "tensor %s: %" PRIu32 " dimensions, expected 1 to %d", name, n_dims,
                    TENSOR_MAX_DIMS);
    memcpy(t.dims, dims, n_dims * sizeof *dims);
    if (!gguf_tensor_measure(&t, err)) return fail_in(err, "tensor %s", name);
    if (!size || (t.size && t.size != size))
        return fail(err, ERR_ARGUMENT, "tensor %s: %" PRIu64 " bytes, expected %" PRIu64, name, size, t.size);
    t.size = size;

    void *list = w->tensors;
    char *copy = arena_copy(&w->arena, name, length);
    bool grown = grow(&list, w->n_tensors, sizeof *w->tensors, &w->tensors_capacity);
    w->tensors = list;
    if (!copy || !grown) return fail_memory(err, "a tensor's description");
    enum map_result added = map_add(&w->by_name, copy, length, (int64_t)w->n_tensors);
    if (added == MAP_NO_MEMORY) return fail_memory(err, "a tensor's description");
    if (added == MAP_PRESENT) return fail(err, ERR_ARGUMENT, "tensor %s was added twice", name);
    t.name = copy;
    w->tensors[w->n_tensors++] = t;
    return true;
}

bool gguf_writer_begin(struct gguf_writer *w, const char *path, struct error *err)
{
    if (w->path) return fail(err, ERR_ARGUMENT, "gguf_writer_begin was called twice");
    if (!find_alignment(w, err) || !place_tensors(w, err)) return false;
    struct builder part = {0}, header = {0};
    builder_printf(&part, "%s.part", path);
    append_header(w, &header);
    w->path = arena_copy(&w->arena, path, strlen(path));
    const char *name = part.failed ? NULL : arena_copy(&w->arena, part.data, part.length);
    bool ok = (w->path && name && !header.failed) || fail_memory(err, "the file's header");
    if (ok) w->file = file_create(name, err);
    if (w->file) w->part = name;
    ok = w->file && write_bytes(w, header.data, header.length, err);
    builder_free(&part);
    builder_free(&header);
    return ok;
}

bool gguf_writer_data(struct gguf_writer *w, const void *data, size_t bytes, struct error *err)
{
    if (!w->file || w->current >= w->n_tensors)
        return fail(err, ERR_ARGUMENT, "%zu bytes of data, but no tensor waits for data", bytes);
    const struct tensor_info *t = &w->tensors[w->current];
    if (bytes > t->size - w->written)
        return fail(err, ERR_ARGUMENT, "tensor %s: %zu bytes of data, expected at most %" PRIu64 " more", t->name,
                    bytes, t->size - w->written);
    if (!write_bytes(w, data, bytes, err)) return false;
    w->written += bytes;
    if (w->written < t->size) return true;
    w->current++;
    w->written = 0;
    return write_bytes(w, zeros, (size_t)(round_up(t->size, w->alignment) - t->size), err);
}

bool gguf_writer_finish(struct gguf_writer *w, struct error *err)
{
    if (!w->file) return fail(err, ERR_ARGUMENT, "gguf_writer_finish before gguf_writer_begin");
    if (w->current < w->n_tensors)
        return fail(err, ERR_ARGUMENT, "tensor %s: %" PRIu64 " bytes of data are missing", w->tensors[w->current].name,
                    w->tensors[w->current].size - w->written);
    if (!file_sync(w->file, err)) return fail_in(err, "%s", w->part);
    FILE *file = w->file;
    w->file = NULL;
    if (fclose(file)) return fail(err, ERR_IO, "cannot write %s: %s", w->part, strerror(errno));
    if (!file_replace(w->part, w->path, err)) return false;
    w->part = NULL;
    return true;
}
