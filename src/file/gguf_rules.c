/* gguf_rules.c - the rules of gguf.h that the reader and the writer share */
#include <inttypes.h>

#include "base/checked.h"
#include "file/gguf.h"
#include "quant/quant.h"

/* bytes of the UTF-8 character at p that is no control character; 0 if there is none (Unicode 15, table 3-7) */
static size_t character_bytes(const unsigned char *p, size_t room)
{
    unsigned first = p[0];
    if (first < 0x80) return first >= 0x20 && first != 0x7f;
    size_t n = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (!n || n > room) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool control = first == 0xc2 && p[1] < 0xa0;
    bool overlong = (first == 0xe0 && p[1] < 0xa0) || (first == 0xf0 && p[1] < 0x90);
    bool surrogate = first == 0xed && p[1] > 0x9f, beyond = first == 0xf4 && p[1] > 0x8f;
    return control || overlong || surrogate || beyond ? 0 : n;
}

bool gguf_name_valid(const char *name, size_t length, size_t max)
{
    if (length < 1 || length > max) return false;
    for (size_t i = 0, n; i < length; i += n) {
        n = character_bytes((const unsigned char *)name + i, length - i);
        if (!n) return false;
    }
    return true;
}

bool gguf_alignment_valid(uint64_t alignment)
{
    return alignment >= GGUF_MIN_ALIGNMENT && alignment <= GGUF_MAX_ALIGNMENT && !(alignment & (alignment - 1));
}

size_t gguf_value_bytes(enum value_type type)
{
    switch (type) {
    case VALUE_U8:
    case VALUE_I8:
    case VALUE_BOOL: return 1;
    case VALUE_U16:
    case VALUE_I16: return 2;
    case VALUE_U32:
    case VALUE_I32:
    case VALUE_F32: return 4;
    case VALUE_U64:
    case VALUE_I64:
    case VALUE_F64: return 8;
    case VALUE_STRING:
    case VALUE_ARRAY: break;
    }
    return 0;
}

bool gguf_tensor_measure(struct tensor_info *t, struct error *err)
{
    uint64_t n_rows = 1, row_bytes = 0;
    for (size_t d = 0; d < TENSOR_MAX_DIMS; d++) {
        if (!t->dims[d]) return fail(err, ERR_FORMAT, "dimension %zu is 0, expected at least 1", d);
        if (d && !checked_mul(n_rows, t->dims[d], &n_rows)) n_rows = UINT64_MAX;
    }
    if (!checked_mul(n_rows, t->dims[0], &t->n_items) || t->n_items > INT64_MAX)
        return fail(err, ERR_FORMAT,
                    "the product of the dimensions %" PRIu64 " x %" PRIu64 " x %" PRIu64 " x %" PRIu64
                    " does not fit in 63 bits: the file is damaged",
                    t->dims[0], t->dims[1], t->dims[2], t->dims[3]);
    t->size = 0;
    const struct quant_info *q = quant_find(t->type);
    if (!q) return true;
    if (t->dims[0] % q->items)
        return fail(err, ERR_FORMAT, "a row of %" PRIu64 " weights of type %s, expected a multiple of %" PRIu32,
                    t->dims[0], q->name, q->items);
    if (!quant_row_bytes(q, t->dims[0], &row_bytes) || !checked_mul(n_rows, row_bytes, &t->size))
        return fail(err, ERR_FORMAT,
                    "the size of %" PRIu64 " weights of type %s does not fit in 64 bits: the file is "
                    "damaged",
                    t->n_items, q->name);
    return true;
}
