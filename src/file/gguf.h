/* gguf.h - the GGUF file format, versions 2 and 3, and its reader. All numbers are little-endian.
 *
 *  1  file      = head metadata{n_metadata} tensor{n_tensors} padding data
 *  2  head      = "GGUF" version:u32 n_tensors:u64 n_metadata:u64          version 2 or 3: the same bytes
 *  3  metadata  = key:string type:u32 value
 *  4  value     = u8 | i8 | u16 | i16 | u32 | i32 | f32 | bool | string | array | u64 | i64 | f64    by type, 0 to 12
 *  5  bool      = u8                                                       0 or 1
 *  6  string    = length:u64 byte{length}                                  no 0 at its end
 *  7  array     = item_type:u32 count:u64 value{count}                     items are not arrays themselves
 *  8  tensor    = name:string n_dims:u32 dim:u64{n_dims} type:u32 offset:u64
 *  9  padding   = 0 bytes up to a multiple of A in the file, A = metadata "general.alignment" (u32), else 32
 * 10  data      = a tensor's bytes at each offset, counted from the start of data; offsets are multiples of A
 *
 *  dim[0] is contiguous. A tensor's type is ggml's number (quant/quant.h); a row of dim[0] weights is whole blocks.
 *  Keys and names are UTF-8 without control characters, and each occurs once.
 *
 * The reader trusts nothing: each count and length is compared with the bytes that remain before it is used. */
#ifndef CORVID_FILE_GGUF_H
#define CORVID_FILE_GGUF_H

#include "file/model_file.h"

#define GGUF_MAGIC "GGUF"
#define GGUF_ALIGNMENT_KEY "general.alignment"

enum {
    GGUF_OLDEST_VERSION = 2,
    GGUF_VERSION = 3,
    GGUF_HEAD_BYTES = 24,
    GGUF_MAX_METADATA = 1 << 20,
    GGUF_MAX_TENSORS = 1 << 20,
    GGUF_MAX_KEY_BYTES = 256,
    GGUF_MAX_NAME_BYTES = TENSOR_MAX_NAME - 1,
    GGUF_MAX_STRING_BYTES = 16 << 20,
    GGUF_DEFAULT_ALIGNMENT = 32,
    GGUF_MIN_ALIGNMENT = 8,
    GGUF_MAX_ALIGNMENT = 65536,
    GGUF_MIN_METADATA_BYTES = 8 + 1 + 4 + 1,           /* the shortest entry that rule 3 allows */
    GGUF_MIN_TENSOR_BYTES = 8 + 1 + 4 + 1 * 8 + 4 + 8, /* and rule 8 */
};

/* Reads f->source into the other fields. On failure the caller frees what is in f. */
bool gguf_read(struct model_file *f, struct error *err);

/* Whether a key or tensor name may stand in a file: 1 to max bytes of UTF-8 without control characters. */
bool gguf_name_valid(const char *name, size_t length, size_t max);

bool gguf_alignment_valid(uint64_t alignment);

/* Bytes of one value of the type; 0 for strings, arrays and unknown types. */
size_t gguf_value_bytes(enum value_type type);

/* Fills t->n_items and t->size from its type and dims; an unknown type gives size 0. The error does not name t. */
bool gguf_tensor_measure(struct tensor_info *t, struct error *err);

#endif
