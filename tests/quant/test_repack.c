/* test_repack.c - the GPU form, read by a model of the kernels: one weight at a time, straight from the layout
 * comments at the top of src/quant/TYPE.c. */
/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "golden.h"

#include <cmocka.h>

/* one row in the GPU form */
struct planes {
    const uint32_t *quants, *scales;
};

static uint32_t bits(uint32_t word, size_t at, unsigned n) { return word >> at & ((1u << n) - 1); }
static float half_at(uint32_t word, size_t which) { return f16_to_f32((uint16_t)bits(word, 16 * which, 16)); }
static uint32_t byte_at(const uint32_t *words, size_t i) { return bits(words[i / 4], 8 * (i % 4), 8); }

static float float_of(uint32_t word)
{
    float f;
    memcpy(&f, &word, sizeof f);
    return f;
}

/* byte b of word w of a span holds weight 8w + b in its low and 8w + 4 + b in its high nibble */
static uint32_t nibble(struct planes p, size_t k)
{
    size_t w = k % 16 / 8, b = k % 4, upper = k % 8 / 4;
    return bits(p.quants[k / 16 * 2 + w], 8 * b + 4 * upper, 4);
}

/* bit 8b + 4p + c is bit 4 of weight 16p + 4c + b of 32 */
static uint32_t fifth_bit(uint32_t word, size_t k)
{
    size_t p = k % 32 / 16, c = k % 16 / 4, b = k % 4;
    return bits(word, 8 * b + 4 * p + c, 1) << 4;
}

/* d * scale * q - dmin * minimum, from the first 4 words of an entry */
static float k_value(const uint32_t *entry, size_t k, uint32_t q)
{
    size_t s = k % 256 / 32;
    uint32_t scale = bits(entry[1], 4 * s, 4) | bits(entry[3], 2 * s, 2) << 4;
    uint32_t minimum = bits(entry[2], 4 * s, 4) | bits(entry[3], 16 + 2 * s, 2) << 4;
    return half_at(entry[0], 0) * (float)scale * (float)q - half_at(entry[0], 1) * (float)minimum;
}

static float f32_weight(struct planes p, size_t k) { return float_of(p.quants[k]); }
static float f16_weight(struct planes p, size_t k) { return half_at(p.quants[k / 2], k % 2); }
static float bf16_weight(struct planes p, size_t k) { return float_of(bits(p.quants[k / 2], 16 * (k % 2), 16) << 16); }

static float q8_0_weight(struct planes p, size_t k)
{
    return half_at(p.scales[k / 64], k / 32 % 2) * (float)(int8_t)byte_at(p.quants, k);
}

static float q4_0_weight(struct planes p, size_t k)
{
    return half_at(p.scales[k / 64], k / 32 % 2) * ((float)nibble(p, k) - 8);
}

static float q4_1_weight(struct planes p, size_t k)
{
    return half_at(p.scales[k / 32], 0) * (float)nibble(p, k) + half_at(p.scales[k / 32], 1);
}

static float q5_0_weight(struct planes p, size_t k)
{
    const uint32_t *entry = p.scales + k / 64 * 3;
    size_t odd = k / 32 % 2;
    return half_at(entry[0], odd) * ((float)(nibble(p, k) | fifth_bit(entry[1 + odd], k)) - 16);
}

static float q5_1_weight(struct planes p, size_t k)
{
    const uint32_t *entry = p.scales + k / 32 * 2;
    return half_at(entry[0], 0) * (float)(nibble(p, k) | fifth_bit(entry[1], k)) + half_at(entry[0], 1);
}

static float q4_k_weight(struct planes p, size_t k) { return k_value(p.scales + k / 256 * 4, k, nibble(p, k)); }

static float q5_k_weight(struct planes p, size_t k)
{
    const uint32_t *entry = p.scales + k / 256 * 12;
    return k_value(entry, k, nibble(p, k) | fifth_bit(entry[4 + k % 256 / 32], k));
}

static float q6_k_weight(struct planes p, size_t k)
{
    const uint32_t *entry = p.scales + k / 256 * 21;
    size_t span = k % 256 / 16, c = k % 16 / 4, b = k % 4;
    uint32_t q = nibble(p, k) | bits(entry[5 + span], 8 * b + 2 * c, 2) << 4;
    return half_at(entry[4], 0) * (float)(int8_t)byte_at(entry, span) * ((float)q - 32);
}

/* a type's model, and the words of the two planes for K = 32 * 256 weights as the layout comments give them */
static const struct model {
    enum quant_type type;
    float (*weight)(struct planes p, size_t k);
    size_t quant_words, scale_words;
} models[] = {
    {QUANT_F32, f32_weight, 8192, 0},     {QUANT_F16, f16_weight, 4096, 0},     {QUANT_BF16, bf16_weight, 4096, 0},
    {QUANT_Q8_0, q8_0_weight, 2048, 128}, {QUANT_Q4_0, q4_0_weight, 1024, 128}, {QUANT_Q4_1, q4_1_weight, 1024, 256},
    {QUANT_Q5_0, q5_0_weight, 1024, 384}, {QUANT_Q5_1, q5_1_weight, 1024, 512}, {QUANT_Q4_K, q4_k_weight, 1024, 128},
    {QUANT_Q5_K, q5_k_weight, 1024, 384}, {QUANT_Q6_K, q6_k_weight, 1024, 672},
};

enum { N_MODELS = sizeof models / sizeof *models };

static const struct model *model_of(uint32_t type)
{
    for (int i = 0; i < N_MODELS; i++)
        if ((uint32_t)models[i].type == type) return &models[i];
    return NULL;
}

static void planes_have_the_documented_size(void **state)
{
    (void)state;
    for (int i = 0; i < N_MODELS; i++) {
        const struct quant_info *q = quant_find(models[i].type);
        assert_int_equal(quant_row_quant_words(q, 8192), models[i].quant_words);
        assert_int_equal(quant_row_scale_words(q, 8192), models[i].scale_words);
        for (uint64_t K = q->items; K < 20 * q->items; K += q->items)
            assert_int_equal(quant_row_quant_words(q, K) % 4, 0); /* rows start at 16 bytes */
    }
}

static uint32_t *poisoned(size_t n_words)
{
    uint32_t *words = malloc((n_words + 1) * sizeof *words);
    assert_non_null(words);
    memset(words, 0xa5, (n_words + 1) * sizeof *words);
    return words;
}

/* rows x K weights from the golden blocks, taken round and round, through the repacker and the model */
static void check_shape(const struct golden *g, const struct model *m, size_t rows, size_t n_blocks)
{
    const struct quant_info *q = quant_find(g->type);
    size_t K = n_blocks * g->items, bytes = g->block_bytes;
    size_t quant_words = quant_row_quant_words(q, K), scale_words = quant_row_scale_words(q, K);
    uint32_t *quants = poisoned(rows * quant_words), *scales = poisoned(rows * scale_words);
    uint8_t *file = malloc(rows * n_blocks * bytes + 1);
    assert_non_null(file);
    for (size_t i = 0; i < rows * n_blocks; i++)
        memcpy(file + 1 + i * bytes, g->blocks + i % g->n_blocks * bytes, bytes);

    quant_repack(q, file + 1, rows, K, quants, scale_words ? scales : NULL);

    assert_int_equal(quants[rows * quant_words], 0xa5a5a5a5u);
    assert_int_equal(scales[rows * scale_words], 0xa5a5a5a5u);
    for (size_t row = 0; row < rows; row++) {
        struct planes p = {quants + row * quant_words, scales + row * scale_words};
        for (size_t k = 0; k < padded_cols(K); k++) {
            size_t at = row * K + k;
            float want = k < K ? g->floats[at % ((size_t)g->n_blocks * g->items)] : 0;
            float got = m->weight(p, k);
            if (got == want || (isnan(got) && isnan(want))) continue;
            fail_msg("%s[%zu,%zu] row %zu weight %zu: %a, expected %a", q->name, rows, K, row, k, (double)got,
                     (double)want);
        }
    }
    free(file);
    free(scales);
    free(quants);
}

static void gpu_form_holds_the_golden_weights(void **state)
{
    (void)state;
    FILE *file = golden_open();
    assert_non_null(file);
    struct golden g;
    int n_types = 0;
    while (golden_next(file, &g)) {
        if (g.kind == GOLDEN_DECODE) {
            const struct model *m = model_of(g.type);
            assert_non_null(m);
            for (size_t rows = 1; rows <= 7; rows += 2)
                for (size_t n_blocks = 1; n_blocks <= 5; n_blocks++) check_shape(&g, m, rows, n_blocks);
            check_shape(&g, m, 3, 3 * 16); /* for the floats: K = 16 * odd */
            check_shape(&g, m, 3, 37);
            n_types++;
        }
        golden_free(&g);
    }
    fclose(file);
    assert_int_equal(n_types, N_MODELS);
}

/* the poison must be gone from every word: planes go to the GPU as they are */
static void repack_writes_every_word(void **state)
{
    (void)state;
    for (int i = 0; i < N_MODELS; i++) {
        const struct quant_info *q = quant_find(models[i].type);
        size_t K = 3 * q->items;
        size_t n_quants = 3 * quant_row_quant_words(q, K), n_scales = 3 * quant_row_scale_words(q, K);
        uint32_t *quants = poisoned(n_quants), *scales = poisoned(n_scales);
        void *zeros = calloc(3 * 3, q->block_bytes);
        assert_non_null(zeros);
        quant_repack(q, zeros, 3, K, quants, scales);
        for (size_t w = 0; w < n_quants; w++) assert_int_equal(quants[w], 0);
        for (size_t w = 0; w < n_scales; w++) assert_int_equal(scales[w], 0);
        free(zeros);
        free(scales);
        free(quants);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_have_the_documented_size),
        cmocka_unit_test(gpu_form_holds_the_golden_weights),
        cmocka_unit_test(repack_writes_every_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
