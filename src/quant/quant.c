/* quant.c - the table of weight types and what is the same for all of them; see quant.h */
#include "quant/quant.h"

#include "base/checked.h"
#include "quant/block.h"

static const struct quant_info *const table[] = {
    &quant_f32,  &quant_f16,  &quant_bf16, &quant_q8_0, &quant_q4_0, &quant_q4_1,
    &quant_q5_0, &quant_q5_1, &quant_q4_k, &quant_q5_k, &quant_q6_k,
};

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

static bool same_name(const char *a, const char *b)
{
    while (*a && upper(*a) == upper(*b)) a++, b++;
    return !*a && !*b;
}

const struct quant_info *quant_at(size_t index) { return index < sizeof table / sizeof *table ? table[index] : NULL; }

const struct quant_info *quant_find(uint32_t ggml_type)
{
    const struct quant_info *q;
    for (size_t i = 0; (q = quant_at(i)); i++)
        if ((uint32_t)q->type == ggml_type) return q;
    return NULL;
}

const struct quant_info *quant_find_name(const char *name)
{
    const struct quant_info *q;
    for (size_t i = 0; (q = quant_at(i)); i++)
        if (same_name(q->name, name)) return q;
    return NULL;
}

bool quant_row_bytes(const struct quant_info *q, uint64_t K, uint64_t *bytes)
{
    return K % q->items == 0 && checked_mul(K / q->items, q->block_bytes, bytes);
}

uint64_t quant_row_quant_words(const struct quant_info *q, uint64_t K)
{
    return padded_cols(K) / QUANT_SPAN * q->span_words;
}

uint64_t quant_row_scale_words(const struct quant_info *q, uint64_t K)
{
    return ceil_div(K / q->items, q->scale_blocks) * q->scale_words;
}

void quant_repack(const struct quant_info *q, const void *blocks, size_t rows, size_t K, uint32_t *quants,
                  uint32_t *scales)
{
    const uint8_t *row = blocks;
    size_t row_bytes = K / q->items * q->block_bytes;
    size_t quant_words = (size_t)quant_row_quant_words(q, K), scale_words = (size_t)quant_row_scale_words(q, K);
    for (size_t i = 0; i < rows; i++, row += row_bytes, quants += quant_words) {
        q->repack(row, K, quants, scales);
        if (scale_words) scales += scale_words;
    }
}
