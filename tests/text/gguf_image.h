/* gguf_image.h - small GGUF files in memory, right or wrong, for tests: metadata only, no tensors. */
#ifndef CORVID_TESTS_GGUF_IMAGE_H
#define CORVID_TESTS_GGUF_IMAGE_H

#include <stdint.h>
#include <string.h>

#include "base/builder.h"
#include "file/model_file.h"

struct image {
    struct builder bytes;
    uint64_t n_keys;
};

static inline void image_number(struct image *g, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char)(value >> 8 * i);
        builder_append(&g->bytes, &byte, 1);
    }
}

static inline void image_string(struct image *g, const char *text, size_t length)
{
    image_number(g, length, 8);
    builder_append(&g->bytes, text, length);
}

static inline void image_key(struct image *g, const char *key, enum value_type type)
{
    if (!g->bytes.length) { /* header; the number of keys is set at the end */
        builder_text(&g->bytes, "GGUF");
        image_number(g, 3, 4);
        image_number(g, 0, 8);
        image_number(g, 0, 8);
    }
    g->n_keys++;
    image_string(g, key, strlen(key));
    image_number(g, type, 4);
}

static inline void image_u32(struct image *g, const char *key, uint32_t value)
{
    image_key(g, key, VALUE_U32);
    image_number(g, value, 4);
}

static inline void image_bool(struct image *g, const char *key, bool value)
{
    image_key(g, key, VALUE_BOOL);
    image_number(g, value, 1);
}

static inline void image_text(struct image *g, const char *key, const char *value)
{
    image_key(g, key, VALUE_STRING);
    image_string(g, value, strlen(value));
}

static inline void image_array(struct image *g, const char *key, enum value_type type, uint64_t count)
{
    image_key(g, key, VALUE_ARRAY);
    image_number(g, type, 4);
    image_number(g, count, 8);
}

static inline struct model_file *image_open(struct image *g, struct error *err)
{
    for (size_t i = 0; i < 8; i++) g->bytes.data[16 + i] = (char)(g->n_keys >> 8 * i);
    while (g->bytes.length % 32) builder_append(&g->bytes, "", 1);
    return model_file_open_memory(g->bytes.data, g->bytes.length, "image", err);
}

#endif
