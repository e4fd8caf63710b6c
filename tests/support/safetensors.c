/* safetensors.c - see safetensors.h. The file: u64 length of the header, the header in JSON, data; little-endian. */
#include "support/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/little_endian.h"

#include <cmocka.h>

enum { MAX_FILE_BYTES = 64 << 20, PREFIX_BYTES = 8 };

struct safetensors {
    json_t *header;
    uint64_t data_at, bytes;
    uint8_t *file; /* aligned by malloc; the header's length is a multiple of 8 */
};

static void read_file(struct safetensors *s, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be opened", path);
    s->file = malloc(MAX_FILE_BYTES);
    assert_non_null(s->file);
    s->bytes = fread(s->file, 1, MAX_FILE_BYTES, file);
    fclose(file);
    if (s->bytes < PREFIX_BYTES || s->bytes == MAX_FILE_BYTES)
        fail_msg("%s: %llu bytes, expected %d to %d", path, (unsigned long long)s->bytes, PREFIX_BYTES, MAX_FILE_BYTES);
}

struct safetensors *safetensors_open(const char *path)
{
    struct safetensors *s = calloc(1, sizeof *s);
    assert_non_null(s);
    read_file(s, path);
    uint64_t header_bytes = load_u64(s->file);
    if (header_bytes > s->bytes - PREFIX_BYTES || header_bytes % 8)
        fail_msg("%s: a header of %llu bytes in %llu", path, (unsigned long long)header_bytes,
                 (unsigned long long)s->bytes);
    s->data_at = PREFIX_BYTES + header_bytes;
    json_error_t why;
    s->header = json_loadb((const char *)s->file + PREFIX_BYTES, (size_t)header_bytes, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(s->header)) fail_msg("%s: the header is no JSON object: %s", path, why.text);
    return s;
}

void safetensors_close(struct safetensors *s)
{
    if (!s) return;
    json_decref(s->header);
    free(s->file);
    free(s);
}

static const void *find(const struct safetensors *s, const char *name, const char *type, size_t item_bytes, size_t *n)
{
    json_t *tensor = json_object_get(s->header, name), *offsets = json_object_get(tensor, "data_offsets");
    const char *found = json_string_value(json_object_get(tensor, "dtype"));
    if (!found || strcmp(found, type) != 0)
        fail_msg("%s: found type %s, expected %s", name, found ? found : "none", type);
    json_int_t begin = json_integer_value(json_array_get(offsets, 0)),
               end = json_integer_value(json_array_get(offsets, 1));
    uint64_t room = s->bytes - s->data_at;
    if (begin < 0 || end <= begin || (uint64_t)end > room || (uint64_t)begin % item_bytes ||
        (uint64_t)(end - begin) % item_bytes)
        fail_msg("%s: bytes %lld to %lld of %llu", name, (long long)begin, (long long)end, (unsigned long long)room);
    *n = (size_t)(end - begin) / item_bytes;
    return s->file + s->data_at + begin;
}

const float *safetensors_f32(const struct safetensors *s, const char *name, size_t *n)
{
    return find(s, name, "F32", sizeof(float), n);
}

const uint8_t *safetensors_u8(const struct safetensors *s, const char *name, size_t *n)
{
    return find(s, name, "U8", 1, n);
}
