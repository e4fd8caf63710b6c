/* test_spirv.c - constants of SPIR-V modules. */
#include "ops/spirv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WORD(length, op) ((length) << 16 | (op))
#define TEXT4(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
enum { NAME = 5, SPEC_CONSTANT = 50, DECORATE = 71, SPEC_ID = 1 };

/* "rows" names a constant, id 2, and a variable, id 9; "row" another constant, id 3; id 4 has none and the number of id 2 */
static const uint32_t module[] = {
    0x07230203,
    0x00010500,
    0,
    10,
    0, /* header */
    WORD(4, NAME),
    9,
    TEXT4('r', 'o', 'w', 's'),
    0,
    WORD(4, NAME),
    2,
    TEXT4('r', 'o', 'w', 's'),
    0, /* names */
    WORD(3, NAME),
    3,
    TEXT4('r', 'o', 'w', 0), /* a shorter one */
    WORD(4, DECORATE),
    2,
    SPEC_ID,
    7,
    WORD(4, DECORATE),
    4,
    SPEC_ID,
    7,
    WORD(4, DECORATE),
    3,
    SPEC_ID,
    8, /* numbers */
    WORD(4, SPEC_CONSTANT),
    1,
    2,
    77,
    WORD(4, SPEC_CONSTANT),
    1,
    3,
    88,
    WORD(4, SPEC_CONSTANT),
    1,
    4,
    99, /* constants */
};
enum { N = sizeof module / sizeof *module, ROWS_AT = 31, ROW_AT = 35, SAME_AT = 39 };

static void sets_by_name(void **state)
{
    (void)state;
    uint32_t words[N];
    memcpy(words, module, sizeof module);
    assert_true(spirv_set(words, N, "rows", 5));
    assert_int_equal(words[ROWS_AT], 5);
    assert_int_equal(words[SAME_AT], 5);
    assert_int_equal(words[ROW_AT], 88);
    assert_true(spirv_set(words, N, "row", 6));
    assert_int_equal(words[ROW_AT], 6);
    words[ROWS_AT] = 77;
    words[ROW_AT] = 88;
    words[SAME_AT] = 99;
    assert_memory_equal(words, module, sizeof module);
}

static void says_if_there_is_none(void **state)
{
    (void)state;
    uint32_t words[N];
    memcpy(words, module, sizeof module);
    assert_false(spirv_set(words, N, "ro", 5));
    assert_false(spirv_set(words, N, "rowses", 5));
    assert_false(spirv_set(words, N, "", 5));
    assert_memory_equal(words, module, sizeof module);
}

static void a_cut_module_is_no_trouble(void **state)
{
    (void)state;
    uint32_t words[N];
    for (size_t n = 0; n < N; n++) {
        memcpy(words, module, sizeof module);
        spirv_set(words, n, "rows", 5);
        assert_memory_equal(words + n, module + n, sizeof module - n * sizeof *words);
    }
}

static void finds_modules(void **state)
{
    (void)state;
    assert_null(spirv_find("no such kernel"));
    for (const struct spirv_module *m = spirv_modules; m->name; m++) {
        assert_ptr_equal(spirv_find(m->name), m);
        assert_int_equal(m->words[0], 0x07230203);
        uint32_t words[1 << 16];
        assert_true(m->n_words <= sizeof words / sizeof *words);
        memcpy(words, m->words, m->n_words * sizeof *words);
        assert_true(spirv_set(words, m->n_words, "WORKGROUP", 64));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_by_name),
        cmocka_unit_test(says_if_there_is_none),
        cmocka_unit_test(a_cut_module_is_no_trouble),
        cmocka_unit_test(finds_modules),
    };
    return cmocka_run_group_tests_name("spirv", tests, NULL, NULL);
}
