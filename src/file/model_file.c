/* model_file.c - see model_file.h */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "file/gguf.h"
#include "file/model_file_internal.h"

/* ---- opening ---------------------------------------------------------------------------------------------- */

static struct model_file *open_source(struct source source, const char *name, struct error *err)
{
    struct model_file *f = calloc(1, sizeof *f);
    if (!f) {
        source_close(&source);
        fail_memory(err, name);
        return NULL;
    }
    f->source = source;
    if (gguf_read(f, err)) return f;
    fail_in(err, "%s", name);
    model_file_close(f);
    return NULL;
}

/* ---- values ----------------------------------------------------------------------------------------------- */

static float load_f32(const void *p)
{
    uint32_t bits = load_u32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double load_f64(const void *p)
{
    uint64_t bits = load_u64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* a conversion in C is undefined outside of the integer's range */
static int64_t integer_of(double value)
{
    if (value != value) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

static bool is_integer(enum value_type type) { return type <= VALUE_I32 || type == VALUE_U64 || type == VALUE_I64; }

static bool wrong_type(const struct metadata *m, const char *expected, struct error *err)
{
    bool array = m->type == VALUE_ARRAY;
    return fail(err, ERR_FORMAT, "key %s is of type %s%s, expected %s", m->key, array ? "array of " : "",
                value_type_name(m->item_type), expected);
}

static bool get_u32(const struct metadata *m, uint32_t *out, struct error *err)
{
    if (!is_integer(m->type)) return wrong_type(m, "an integer", err);
    int64_t value = metadata_integer(m, 0);
    if (value < 0 || value > UINT32_MAX)
        return fail(err, ERR_FORMAT, "key %s is %" PRId64 ", expected 0 to %" PRIu32, m->key, value, UINT32_MAX);
    *out = (uint32_t)value;
    return true;
}

/* ---- public ----------------------------------------------------------------------------------------------- */

struct model_file *model_file_open(const char *path, struct error *err)
{
    struct source source;
    return source_open(&source, path, err) ? open_source(source, path, err) : NULL;
}

struct model_file *model_file_open_memory(const void *data, uint64_t size, const char *name, struct error *err)
{
    return open_source(source_memory(data, size), name, err);
}

void model_file_close(struct model_file *f)
{
    if (!f) return;
    map_free(&f->metadata_by_key);
    map_free(&f->tensors_by_name);
    arena_free(&f->arena);
    source_close(&f->source);
    free(f);
}

uint32_t model_file_version(const struct model_file *f) { return f->version; }
uint64_t model_file_bytes(const struct model_file *f) { return f->source.size; }
uint64_t model_file_alignment(const struct model_file *f) { return f->alignment; }
const struct source *model_file_source(const struct model_file *f) { return &f->source; }

size_t model_file_n_metadata(const struct model_file *f) { return f->n_metadata; }

const struct metadata *model_file_metadata(const struct model_file *f, size_t index) { return &f->metadata[index]; }

const struct metadata *model_file_find(const struct model_file *f, const char *key)
{
    int64_t index;
    return map_get(&f->metadata_by_key, key, strlen(key), &index) ? &f->metadata[index] : NULL;
}

size_t model_file_n_tensors(const struct model_file *f) { return f->n_tensors; }

const struct tensor_info *model_file_tensor(const struct model_file *f, size_t index) { return &f->tensors[index]; }

const struct tensor_info *model_file_find_tensor(const struct model_file *f, const char *name)
{
    int64_t index;
    return map_get(&f->tensors_by_name, name, strlen(name), &index) ? &f->tensors[index] : NULL;
}

bool metadata_u32(const struct model_file *f, const char *key, uint32_t fallback, uint32_t *out, struct error *err)
{
    const struct metadata *m = model_file_find(f, key);
    if (m) return get_u32(m, out, err);
    *out = fallback;
    return true;
}

bool metadata_need_u32(const struct model_file *f, const char *key, uint32_t *out, struct error *err)
{
    const struct metadata *m = model_file_find(f, key);
    if (m) return get_u32(m, out, err);
    return fail(err, ERR_FORMAT, "key %s is missing, expected an integer: the model was converted incompletely", key);
}

bool metadata_f32(const struct model_file *f, const char *key, float fallback, float *out, struct error *err)
{
    const struct metadata *m = model_file_find(f, key);
    if (!m) {
        *out = fallback;
        return true;
    }
    if (!is_integer(m->type) && m->type != VALUE_F32 && m->type != VALUE_F64) return wrong_type(m, "a number", err);
    double value = metadata_number(m, 0);
    /* written so that a NaN fails too */
    if (!(fabs(value) <= FLT_MAX)) return fail(err, ERR_FORMAT, "key %s is %g, expected a finite f32", key, value);
    *out = (float)value;
    return true;
}

bool metadata_bool(const struct model_file *f, const char *key, bool fallback, bool *out, struct error *err)
{
    const struct metadata *m = model_file_find(f, key);
    if (m && m->type != VALUE_BOOL) return wrong_type(m, "a bool", err);
    *out = m ? metadata_integer(m, 0) != 0 : fallback;
    return true;
}

bool metadata_string(const struct model_file *f, const char *key, struct bytes *out, struct error *err)
{
    const struct metadata *m = model_file_find(f, key);
    if (m && m->type != VALUE_STRING) return wrong_type(m, "a string", err);
    *out = m ? *(const struct bytes *)m->items : (struct bytes){0};
    return true;
}

double metadata_number(const struct metadata *m, uint64_t i)
{
    const uint8_t *p = (const uint8_t *)m->items + i * gguf_value_bytes(m->item_type);
    switch (m->item_type) {
    case VALUE_F32: return (double)load_f32(p);
    case VALUE_F64: return load_f64(p);
    case VALUE_U64: return (double)load_u64(p);
    default: return (double)metadata_integer(m, i);
    }
}

int64_t metadata_integer(const struct metadata *m, uint64_t i)
{
    const uint8_t *p = (const uint8_t *)m->items + i * gguf_value_bytes(m->item_type);
    switch (m->item_type) {
    case VALUE_U8:
    case VALUE_BOOL: return p[0];
    case VALUE_I8: return (int8_t)p[0];
    case VALUE_U16: return load_u16(p);
    case VALUE_I16: return (int16_t)load_u16(p);
    case VALUE_U32: return load_u32(p);
    case VALUE_I32: return (int32_t)load_u32(p);
    case VALUE_U64: return load_u64(p) > INT64_MAX ? INT64_MAX : (int64_t)load_u64(p);
    case VALUE_I64: return (int64_t)load_u64(p);
    case VALUE_F32: return integer_of((double)load_f32(p));
    case VALUE_F64: return integer_of(load_f64(p));
    case VALUE_STRING:
    case VALUE_ARRAY: break;
    }
    return 0;
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};
    return (unsigned)type < sizeof names / sizeof *names ? names[type] : "unknown";
}
