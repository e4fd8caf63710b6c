/* gguf.c - see gguf.h
 *
 * A cursor moves once over the header: head, metadata, tensors. Then the alignment is known, so each tensor is placed
 * in the file and checked against its end. */
#include "file/gguf.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/little_endian.h"
#include "file/model_file_internal.h"
#include "quant/quant.h"

struct cursor {
    const uint8_t *data;
    uint64_t size, at;
    struct arena *arena;
    struct error *err;
};

/* ---- primitives ------------------------------------------------------------------------------------------- */

static uint64_t remaining(const struct cursor *c) { return c->size - c->at; }

static bool need(const struct cursor *c, uint64_t bytes, const char *what)
{
    if (bytes <= remaining(c)) return true;
    return fail(c->err, ERR_FORMAT,
                "%s at byte %" PRIu64 " needs %" PRIu64 " bytes, but the file ends %" PRIu64 " bytes further on: it is "
                "truncated (download incomplete) or damaged",
                what, c->at, bytes, remaining(c));
}

static bool read_u32(struct cursor *c, const char *what, uint32_t *out)
{
    if (!need(c, 4, what)) return false;
    *out = load_u32(c->data + c->at);
    c->at += 4;
    return true;
}

static bool read_u64(struct cursor *c, const char *what, uint64_t *out)
{
    if (!need(c, 8, what)) return false;
    *out = load_u64(c->data + c->at);
    c->at += 8;
    return true;
}

static bool read_string(struct cursor *c, const char *what, struct bytes *out)
{
    uint64_t length;
    if (!read_u64(c, what, &length) || !need(c, length, what)) return false;
    if (length > GGUF_MAX_STRING_BYTES)
        return fail(c->err, ERR_UNSUPPORTED, "%s at byte %" PRIu64 " has %" PRIu64 " bytes, expected at most %d", what,
                    c->at, length, GGUF_MAX_STRING_BYTES);
    *out = (struct bytes){(const char *)c->data + c->at, (size_t)length};
    c->at += length;
    return true;
}

/* a key or a tensor's name, copied with a 0 at its end */
static bool read_name(struct cursor *c, const char *what, size_t max, const char **out, size_t *length)
{
    struct bytes s;
    uint64_t at = c->at;
    if (!read_string(c, what, &s)) return false;
    if (s.length < 1 || s.length > max)
        return fail(c->err, ERR_FORMAT, "%s at byte %" PRIu64 " has %zu bytes, expected 1 to %zu", what, at, s.length,
                    max);
    if (!gguf_name_valid(s.data, s.length, max))
        return fail(c->err, ERR_FORMAT,
                    "%s at byte %" PRIu64 " is not UTF-8 or holds control characters: the file is "
                    "damaged",
                    what, at);
    *length = s.length;
    *out = arena_copy(c->arena, s.data, s.length);
    return *out || fail_memory(c->err, what);
}

/* ---- metadata --------------------------------------------------------------------------------------------- */

static bool read_strings(struct cursor *c, uint64_t count, const void **out)
{
    if (count > remaining(c) / 8)
        return fail(c->err, ERR_FORMAT,
                    "an array of %" PRIu64 " strings at byte %" PRIu64 " needs 8 bytes each, but "
                    "the file ends %" PRIu64 " bytes further on: it is truncated (download incomplete) or damaged",
                    count, c->at, remaining(c));
    struct bytes *items = arena_alloc(c->arena, (size_t)count, sizeof *items);
    if (!items) return fail_memory(c->err, "a list of strings");
    for (uint64_t i = 0; i < count; i++)
        if (!read_string(c, "string", &items[i])) return fail_in(c->err, "item %" PRIu64, i);
    *out = items;
    return true;
}

static bool read_numbers(struct cursor *c, enum value_type type, uint64_t count, const void **out)
{
    uint64_t bytes;
    if (!checked_mul(count, gguf_value_bytes(type), &bytes)) bytes = UINT64_MAX;
    if (!need(c, bytes, value_type_name(type))) return false;
    const uint8_t *items = c->data + c->at;
    if (type == VALUE_BOOL)
        for (uint64_t i = 0; i < count; i++)
            if (items[i] > 1)
                return fail(c->err, ERR_FORMAT, "the bool at byte %" PRIu64 " is %u, expected 0 or 1", c->at + i,
                            items[i]);
    c->at += bytes;
    *out = items;
    return true;
}

static bool read_type(struct cursor *c, const char *what, enum value_type *out)
{
    uint32_t type;
    if (!read_u32(c, what, &type)) return false;
    if (type > VALUE_F64)
        return fail(c->err, ERR_FORMAT, "%s is %" PRIu32 " at byte %" PRIu64 ", expected 0 to %d", what, type,
                    c->at - 4, VALUE_F64);
    *out = (enum value_type)type;
    return true;
}

static bool read_value(struct cursor *c, struct metadata *m)
{
    if (!read_type(c, "value type", &m->type)) return false;
    m->item_type = m->type;
    m->count = 1;
    if (m->type == VALUE_ARRAY) {
        if (!read_type(c, "item type", &m->item_type) || !read_u64(c, "array length", &m->count)) return false;
        if (m->item_type == VALUE_ARRAY)
            return fail(c->err, ERR_UNSUPPORTED,
                        "found an array of arrays at byte %" PRIu64 ", expected an array of "
                        "numbers or strings",
                        c->at);
    }
    if (m->item_type == VALUE_STRING) return read_strings(c, m->count, &m->items);
    return read_numbers(c, m->item_type, m->count, &m->items);
}

static bool read_metadata(struct cursor *c, struct model_file *f)
{
    for (size_t i = 0; i < f->n_metadata; i++) {
        struct metadata *m = &f->metadata[i];
        size_t length;
        if (!read_name(c, "key", GGUF_MAX_KEY_BYTES, &m->key, &length))
            return fail_in(c->err, "metadata entry %zu of %zu", i, f->n_metadata);
        if (!read_value(c, m)) return fail_in(c->err, "key %s", m->key);
        if (map_add(&f->metadata_by_key, m->key, length, (int64_t)i) == MAP_PRESENT)
            return fail(c->err, ERR_FORMAT, "key %s occurs twice (entry %zu), expected once: the file is damaged",
                        m->key, i);
    }
    return true;
}

static bool read_alignment(struct cursor *c, struct model_file *f)
{
    const struct metadata *m = model_file_find(f, GGUF_ALIGNMENT_KEY);
    f->alignment = GGUF_DEFAULT_ALIGNMENT;
    if (!m) return true;
    if (m->type != VALUE_U32)
        return fail(c->err, ERR_FORMAT, "key %s is of type %s, expected u32", m->key, value_type_name(m->type));
    f->alignment = load_u32(m->items);
    if (gguf_alignment_valid(f->alignment)) return true;
    return fail(c->err, ERR_FORMAT, "key %s is %" PRIu64 ", expected a power of two from %d to %d", m->key,
                f->alignment, GGUF_MIN_ALIGNMENT, GGUF_MAX_ALIGNMENT);
}

/* ---- tensors ---------------------------------------------------------------------------------------------- */

static bool read_tensor(struct cursor *c, struct tensor_info *t)
{
    if (!read_u32(c, "number of dimensions", &t->n_dims)) return false;
    if (t->n_dims < 1 || t->n_dims > TENSOR_MAX_DIMS)
        return fail(c->err, ERR_FORMAT, "found %" PRIu32 " dimensions, expected 1 to %d", t->n_dims, TENSOR_MAX_DIMS);
    for (size_t d = 0; d < TENSOR_MAX_DIMS; d++) {
        t->dims[d] = 1;
        if (d < t->n_dims && !read_u64(c, "dimension", &t->dims[d])) return false;
    }
    return read_u32(c, "tensor type", &t->type) && read_u64(c, "tensor offset", &t->at) &&
           gguf_tensor_measure(t, c->err);
}

static bool read_tensors(struct cursor *c, struct model_file *f)
{
    for (size_t i = 0; i < f->n_tensors; i++) {
        struct tensor_info *t = &f->tensors[i];
        size_t length;
        if (!read_name(c, "name", GGUF_MAX_NAME_BYTES, &t->name, &length))
            return fail_in(c->err, "tensor %zu of %zu", i, f->n_tensors);
        if (!read_tensor(c, t)) return fail_in(c->err, "tensor %s", t->name);
        if (map_add(&f->tensors_by_name, t->name, length, (int64_t)i) == MAP_PRESENT)
            return fail(c->err, ERR_FORMAT, "tensor %s occurs twice (tensor %zu), expected once: the file is damaged",
                        t->name, i);
    }
    return true;
}

/* from an offset in the data to a place in the file */
static bool place_tensor(const struct cursor *c, struct tensor_info *t, uint64_t data_at, uint64_t alignment)
{
    uint64_t end;
    if (t->at % alignment)
        return fail(c->err, ERR_FORMAT, "offset %" PRIu64 " is not a multiple of the alignment %" PRIu64, t->at,
                    alignment);
    /* a type that is not known has at least one byte */
    if (!checked_add(data_at, t->at, &t->at) || !checked_add(t->at, t->size ? t->size : 1, &end))
        return fail(c->err, ERR_FORMAT, "offset and size do not fit in 64 bits: the file is damaged");
    if (end > c->size)
        return fail(c->err, ERR_FORMAT,
                    "its data is from byte %" PRIu64 " to %" PRIu64 ", but the file ends at byte %" PRIu64
                    ": it is truncated (download incomplete) or damaged",
                    t->at, end, c->size);
    t->data = c->data + t->at;
    return true;
}

static bool place_tensors(const struct cursor *c, struct model_file *f)
{
    uint64_t data_at;
    if (!checked_align(c->at, f->alignment, &data_at)) return fail(c->err, ERR_FORMAT, "the header is too long");
    for (size_t i = 0; i < f->n_tensors; i++)
        if (!place_tensor(c, &f->tensors[i], data_at, f->alignment))
            return fail_in(c->err, "tensor %s", f->tensors[i].name);
    return true;
}

/* ---- head ------------------------------------------------------------------------------------------------- */

static bool read_version(struct cursor *c, struct model_file *f)
{
    size_t n = c->size < 4 ? (size_t)c->size : 4;
    if (!n || memcmp(c->data, GGUF_MAGIC, n)) {
        char found[16] = "nothing";
        for (size_t i = 0; i < n; i++) {
            unsigned b = c->data[i];
            for (size_t j = 0; j < 2; j++) found[3 * i + j] = "0123456789abcdef"[j ? b & 15 : b >> 4];
            found[3 * i + 2] = i + 1 < n ? ' ' : 0;
        }
        return fail(c->err, ERR_FORMAT,
                    "not a GGUF file: it starts with %s, expected 47 47 55 46 (\"GGUF\"); is it a "
                    "web page or a link to the model?",
                    found);
    }
    if (!need(c, GGUF_HEAD_BYTES, "the head")) return false;
    c->at = 4;
    uint32_t v = 0;
    if (!read_u32(c, "version", &v)) return false;
    f->version = v;
    if (v >= GGUF_OLDEST_VERSION && v <= GGUF_VERSION) return true;
    uint32_t swapped = v >> 24 | (v >> 8 & 0xff00) | (v & 0xff00) << 8 | v << 24;
    if (swapped >= 1 && swapped <= GGUF_VERSION)
        return fail(c->err, ERR_UNSUPPORTED,
                    "the file is big-endian (version %" PRIu32 "), expected little-endian: "
                    "get the model for common computers",
                    swapped);
    return fail(c->err, v ? ERR_UNSUPPORTED : ERR_FORMAT, "GGUF version %" PRIu32 ", expected %d or %d", v,
                GGUF_OLDEST_VERSION, GGUF_VERSION);
}

/* a number of things of at least `item_bytes` each */
static bool read_count(struct cursor *c, const char *what, uint64_t max, uint64_t item_bytes, size_t *out)
{
    uint64_t count = 0;
    if (!read_u64(c, what, &count)) return false;
    if (count > max)
        return fail(c->err, ERR_FORMAT, "%s is %" PRIu64 ", expected at most %" PRIu64 ": the file is damaged", what,
                    count, max);
    if (count > remaining(c) / item_bytes)
        return fail(c->err, ERR_FORMAT,
                    "%s is %" PRIu64 ", which needs at least %" PRIu64 " bytes, but the file ends %" PRIu64
                    " bytes further on: it is truncated (download incomplete) or damaged",
                    what, count, count * item_bytes, remaining(c));
    *out = (size_t)count;
    return true;
}

static bool allocate_lists(struct cursor *c, struct model_file *f)
{
    f->metadata = arena_alloc(c->arena, f->n_metadata, sizeof *f->metadata);
    f->tensors = arena_alloc(c->arena, f->n_tensors, sizeof *f->tensors);
    if (f->metadata && f->tensors && map_reserve(&f->metadata_by_key, f->n_metadata) &&
        map_reserve(&f->tensors_by_name, f->n_tensors))
        return true;
    return fail_memory(c->err, "the model's header");
}

/* ---- public ----------------------------------------------------------------------------------------------- */

bool gguf_read(struct model_file *f, struct error *err)
{
    struct error unused;
    struct cursor c = {f->source.data, f->source.size, 0, &f->arena, err ? err : &unused};
    return read_version(&c, f) &&
           read_count(&c, "the number of tensors", GGUF_MAX_TENSORS, GGUF_MIN_TENSOR_BYTES, &f->n_tensors) &&
           read_count(&c, "the number of keys", GGUF_MAX_METADATA, GGUF_MIN_METADATA_BYTES, &f->n_metadata) &&
           allocate_lists(&c, f) && read_metadata(&c, f) && read_alignment(&c, f) && read_tensors(&c, f) &&
           place_tensors(&c, f);
}
