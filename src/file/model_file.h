/* model_file.h - one view of a model file: metadata by key, tensors by name. Never touches tensor data.
 *
 * Everything is checked when the file is opened: after model_file_open succeeds, every tensor lies inside the
 * file, every product of dimensions and every string is in range. Today the format is GGUF (gguf.h).
 * All pointers handed out live as long as the model_file. Reading is thread-safe. */
#ifndef CORVID_FILE_MODEL_FILE_H
#define CORVID_FILE_MODEL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "file/source.h"

enum { TENSOR_MAX_DIMS = 4, TENSOR_MAX_NAME = 128 };

/* numbered as in GGUF */
enum value_type {
    VALUE_U8,
    VALUE_I8,
    VALUE_U16,
    VALUE_I16,
    VALUE_U32,
    VALUE_I32,
    VALUE_F32,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_U64,
    VALUE_I64,
    VALUE_F64,
};

/* a string in the file: not 0-terminated, may hold any byte */
struct bytes {
    const char *data;
    size_t length;
};

struct tensor_info {
    const char *name;               /* 0-terminated, printable ASCII and UTF-8 without control characters */
    uint32_t type;                  /* ggml's type number; may be one that quant.h does not know */
    uint32_t n_dims;                /* 1 to 4 */
    uint64_t dims[TENSOR_MAX_DIMS]; /* ggml's order: dims[0] is contiguous; unused ones are 1 */
    uint64_t n_items;               /* product of dims */
    uint64_t at;                    /* byte offset in the file */
    uint64_t size;                  /* bytes; 0 only if the type is unknown to quant.h */
    const void *data;               /* in the source, `size` bytes */
};

/* one metadata entry */
struct metadata {
    const char *key; /* 0-terminated */
    enum value_type type;
    enum value_type item_type; /* of an array's items; else equal to type */
    uint64_t count;            /* items of an array; else 1 */
    const void
        *items; /* raw little-endian items, maybe unaligned; for strings and arrays of strings: const struct bytes * */
};

struct model_file; /* opaque */

/* Opens and checks the whole header. Errors name the key or tensor, what was found and what was expected. */
struct model_file *model_file_open(const char *path, struct error *err);
/* The same over the caller's memory, which must outlive the model_file. `name` is for messages. */
struct model_file *model_file_open_memory(const void *data, uint64_t size, const char *name, struct error *err);
void model_file_close(struct model_file *f); /* accepts NULL */

uint32_t model_file_version(const struct model_file *f); /* of GGUF: 2 or 3 */
uint64_t model_file_bytes(const struct model_file *f);
uint64_t model_file_alignment(const struct model_file *f);
const struct source *model_file_source(const struct model_file *f);

size_t model_file_n_metadata(const struct model_file *f);
const struct metadata *model_file_metadata(const struct model_file *f, size_t index);
const struct metadata *model_file_find(const struct model_file *f, const char *key); /* NULL if absent */

size_t model_file_n_tensors(const struct model_file *f);
const struct tensor_info *model_file_tensor(const struct model_file *f, size_t index);
const struct tensor_info *model_file_find_tensor(const struct model_file *f, const char *name); /* NULL if absent */

/* Typed getters. Absent key: *out = fallback where the function has one, true. Wrong type or out of range:
 * false with an error that names the key, the type found and the type expected. Integers of any width convert
 * if the value fits. */
bool metadata_u32(const struct model_file *f, const char *key, uint32_t fallback, uint32_t *out, struct error *err);
bool metadata_need_u32(const struct model_file *f, const char *key, uint32_t *out, struct error *err);
bool metadata_f32(const struct model_file *f, const char *key, float fallback, float *out, struct error *err);
bool metadata_bool(const struct model_file *f, const char *key, bool fallback, bool *out, struct error *err);
/* *out = {NULL, 0} if absent */
bool metadata_string(const struct model_file *f, const char *key, struct bytes *out, struct error *err);
/* item i of a numeric array or scalar as a double / integer; i < m->count */
double metadata_number(const struct metadata *m, uint64_t i);
int64_t metadata_integer(const struct metadata *m, uint64_t i);

const char *value_type_name(enum value_type type); /* "u32", "string", ... */

#endif
