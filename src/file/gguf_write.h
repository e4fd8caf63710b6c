/* gguf_write.h - writes a GGUF file (gguf.h), version 3.
 *
 *   w = gguf_writer_create(err);
 *   gguf_writer_copy(w, entry, err) ... gguf_writer_u32(w, "general.file_type", 7, err) ...     metadata, any order
 *   gguf_writer_tensor(w, name, type, n_dims, dims, size, err) ...                              the tensors' order
 *   gguf_writer_begin(w, "model.gguf", err);                                                    writes the header
 *   gguf_writer_data(w, data, bytes, err) ...                                                   their data, in order
 *   gguf_writer_finish(w, err);
 *   gguf_writer_destroy(w);
 *
 * The file is PATH.part until gguf_writer_finish has brought it to the disk and renamed it to PATH, so that PATH is
 * never half a model. gguf_writer_destroy removes a PATH.part that was not finished. After a function has failed only
 * gguf_writer_destroy may follow. Everything that is passed in is copied. Not thread-safe. */
#ifndef CORVID_FILE_GGUF_WRITE_H
#define CORVID_FILE_GGUF_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "file/model_file.h"

struct gguf_writer; /* opaque */

/* NULL if memory runs out. */
struct gguf_writer *gguf_writer_create(struct error *err);
void gguf_writer_destroy(struct gguf_writer *w); /* accepts NULL */

/* Metadata: a key that is there already gets the new value and keeps its place. "general.alignment" also sets the
 * alignment of the tensors; without it, 32. */
bool gguf_writer_copy(struct gguf_writer *w, const struct metadata *entry, struct error *err);
bool gguf_writer_u32(struct gguf_writer *w, const char *key, uint32_t value, struct error *err);
bool gguf_writer_f32(struct gguf_writer *w, const char *key, float value, struct error *err);
bool gguf_writer_bool(struct gguf_writer *w, const char *key, bool value, struct error *err);
bool gguf_writer_string(struct gguf_writer *w, const char *key, struct bytes value, struct error *err);
/* items: `count` little-endian numbers without gaps, or struct bytes for VALUE_STRING */
bool gguf_writer_array(struct gguf_writer *w, const char *key, enum value_type item_type, const void *items,
                       uint64_t count, struct error *err);

/* Adds a tensor of `size` bytes. For a type that quant.h knows, `size` must be what the dimensions need. */
bool gguf_writer_tensor(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dims,
                        uint64_t size, struct error *err);

/* Creates PATH.part and writes the header. */
bool gguf_writer_begin(struct gguf_writer *w, const char *path, struct error *err);

/* The next bytes of the tensors' data: tensor after tensor, in pieces of any size, none of which goes past the end of
 * its tensor. The padding between them is written by itself. */
bool gguf_writer_data(struct gguf_writer *w, const void *data, size_t bytes, struct error *err);

/* Fails if data is missing. */
bool gguf_writer_finish(struct gguf_writer *w, struct error *err);

#endif
