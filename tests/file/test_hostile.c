/* test_hostile.c - GGUF files that are damaged or made to hurt: each is refused with the right code and words.
 *
 * A file is written as text, one word for each field, separated by spaces:
 *   123:8    the number 123 in 8 bytes          'abc'   a string with its length in front
 *   GGUF     these letters                      *300    a string of 300 letters with its length in front
 *   ^32      0 bytes up to a multiple of 32     =128    128 bytes of data
 * Each file is read from a block of exactly its size, so that a sanitizer sees any read beyond it. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "file/model_file.h"

/* after ours: it makes fail() a macro */
#include <cmocka.h>

struct hostile {
    const char *name, *file;
    enum error_code code; /* ERR_NONE: must open; these are the neighbours of what must not */
    const char *phrase;   /* in the message */
};

#define FORMAT ERR_FORMAT
#define UNSUPPORTED ERR_UNSUPPORTED
#define HEAD(n_tensors, n_keys) "GGUF 3:4 " #n_tensors ":8 " #n_keys ":8 "
#define KEY(rest) HEAD(0, 1) "'k' " rest
#define ALIGNMENT(value) HEAD(0, 1) "'general.alignment' " value
#define TENSOR(rest) HEAD(1, 0) "'t' " rest " ^32 =128"
#define F32_ROW "1:4 32:8 0:4 "
#define U64_MAX "18446744073709551615"

static const struct hostile cases[] = {
    /* head */
    {"empty", "", FORMAT, "it starts with nothing"},
    {"bad magic", "GGUG 3:4 0:8 0:8", FORMAT, "it starts with 47 47 55 47"},
    {"magic backwards", "FUGG 3:4 0:8 0:8", FORMAT, "not a GGUF file"},
    {"one byte, wrong", "X", FORMAT, "it starts with 58, expected"},
    {"magic only", "GGUF", FORMAT, "truncated"},
    {"smallest", HEAD(0, 0), ERR_NONE, NULL},
    {"version 0", "GGUF 0:4 0:8 0:8", FORMAT, "GGUF version 0, expected 2 or 3"},
    {"version 1", "GGUF 1:4 0:8 0:8", UNSUPPORTED, "GGUF version 1, expected 2 or 3"},
    {"version 2", "GGUF 2:4 0:8 0:8", ERR_NONE, NULL},
    {"version 4", "GGUF 4:4 0:8 0:8", UNSUPPORTED, "GGUF version 4, expected 2 or 3"},
    {"version huge", "GGUF 4294967295:4 0:8 0:8", UNSUPPORTED, "expected 2 or 3"},
    {"version 3 swapped", "GGUF 50331648:4 0:8 0:8", UNSUPPORTED, "big-endian (version 3)"},
    {"version 2 swapped", "GGUF 33554432:4 0:8 0:8", UNSUPPORTED, "big-endian (version 2)"},
    {"keys 2^63", HEAD(0, 9223372036854775808), FORMAT, "the number of keys is 9223372036854775808"},
    {"keys 2^64-1", HEAD(0, 18446744073709551615), FORMAT, "expected at most 1048576"},
    {"keys 2^32", HEAD(0, 4294967296), FORMAT, "the number of keys is 4294967296"},
    {"keys at the limit, no room", HEAD(0, 1048576), FORMAT, "needs at least 14680064 bytes"},
    {"one key, no room", HEAD(0, 1), FORMAT, "truncated"},
    {"tensors 2^63", HEAD(9223372036854775808, 0), FORMAT, "the number of tensors is 9223372036854775808"},
    {"tensors 2^32", HEAD(4294967296, 0), FORMAT, "expected at most 1048576"},
    {"tensors at the limit, no room", HEAD(1048576, 0), FORMAT, "truncated"},
    {"keys -1 as i32", HEAD(0, 4294967295), FORMAT, "the number of keys"},

    /* keys */
    {"key empty", HEAD(0, 1) "'' 4:4 1:4 0:8", FORMAT, "key at byte 24 has 0 bytes"},
    {"key with 0", HEAD(0, 1) "3:8 a 0:1 b 4:4 1:4", FORMAT, "control characters"},
    {"key with a line break", HEAD(0, 1) "3:8 a 10:1 b 4:4 1:4", FORMAT, "control characters"},
    {"key with a C1 control", HEAD(0, 1) "3:8 a 194:1 133:1 4:4 1:4", FORMAT, "control characters"},
    {"key not UTF-8", HEAD(0, 1) "3:8 a 255:1 b 4:4 1:4", FORMAT, "not UTF-8"},
    {"key overlong UTF-8", HEAD(0, 1) "3:8 224:1 128:1 175:1 4:4 1:4", FORMAT, "not UTF-8"},
    {"key half a character", HEAD(0, 1) "3:8 a b 195:1 4:4 1:4", FORMAT, "not UTF-8"},
    {"key with a surrogate", HEAD(0, 1) "3:8 237:1 160:1 128:1 4:4 1:4", FORMAT, "not UTF-8"},
    {"key in UTF-8", HEAD(0, 1) "2:8 195:1 164:1 4:4 1:4", ERR_NONE, NULL},
    {"key of 256", HEAD(0, 1) "*256 4:4 1:4", ERR_NONE, NULL},
    {"key of 257", HEAD(0, 1) "*257 4:4 1:4", FORMAT, "has 257 bytes, expected 1 to 256"},
    {"key of 2^63", HEAD(0, 1) "9223372036854775808:8 =64", FORMAT, "truncated"},
    {"key of 2^64-1", HEAD(0, 1) U64_MAX ":8 =64", FORMAT, "truncated"},
    {"key of 2^64-32", HEAD(0, 1) "18446744073709551584:8 =64", FORMAT, "metadata entry 0 of 1: key at byte 32"},
    {"key twice", HEAD(0, 2) "'k' 4:4 1:4 'k' 4:4 1:4", FORMAT, "key k occurs twice"},
    {"key twice, types differ", HEAD(0, 3) "'k' 4:4 1:4 'j' 0:4 1:1 'k' 0:4 1:1", FORMAT, "occurs twice (entry 2)"},

    /* values */
    {"value type 13", KEY("13:4 0:8"), FORMAT, "key k: value type is 13 at byte 33, expected 0 to 12"},
    {"value type 2^32-1", KEY("4294967295:4 0:8"), FORMAT, "value type is 4294967295"},
    {"u32 cut", KEY("4:4 1:2"), FORMAT, "key k: u32 at byte 37 needs 4 bytes, but the file ends 2 bytes"},
    {"f64 cut", KEY("12:4 1:4"), FORMAT, "truncated"},
    {"bool 1", KEY("7:4 1:1"), ERR_NONE, NULL},
    {"bool 2", KEY("7:4 2:1"), FORMAT, "the bool at byte 37 is 2, expected 0 or 1"},
    {"bool 255 in an array", KEY("9:4 7:4 3:8 0:1 1:1 255:1"), FORMAT, "the bool at byte 51 is 255"},
    {"string of 2^64-1", KEY("8:4 " U64_MAX ":8 abc"), FORMAT, "truncated"},
    {"string one too long", KEY("8:4 4:8 abc"), FORMAT, "key k: item 0: string at byte 45 needs 4 bytes"},
    {"string empty", KEY("8:4 0:8"), ERR_NONE, NULL},
    {"string of 16 MiB", KEY("8:4 *16777216"), ERR_NONE, NULL},
    {"string over 16 MiB", KEY("8:4 *16777217"), UNSUPPORTED, "expected at most 16777216"},
    {"array empty", KEY("9:4 4:4 0:8"), ERR_NONE, NULL},
    {"array of u32, 2^62", KEY("9:4 4:4 4611686018427387904:8 =64"), FORMAT, "key k: u32 at byte 49"},
    {"array of u64, 2^61", KEY("9:4 10:4 2305843009213693952:8 =64"), FORMAT, "truncated"},
    {"array of u8, 2^64-1", KEY("9:4 0:4 " U64_MAX ":8 =64"), FORMAT, "truncated"},
    {"array one too long", KEY("9:4 2:4 9:8 =16"), FORMAT, "u16 at byte 49 needs 18 bytes"},
    {"array of strings, 2^61", KEY("9:4 8:4 2305843009213693952:8 =64"), FORMAT, "2305843009213693952 strings"},
    {"array of strings, 2^60", KEY("9:4 8:4 1152921504606846976:8 =64"), FORMAT, "truncated"},
    {"array of strings, one too many", KEY("9:4 8:4 9:8 =64"), FORMAT, "an array of 9 strings at byte 49"},
    {"array of strings, third too long", KEY("9:4 8:4 3:8 'a' 'b' 9:8 c"), FORMAT, "item 2"},
    {"array of strings, empty", KEY("9:4 8:4 0:8"), ERR_NONE, NULL},
    {"array of arrays", KEY("9:4 9:4 1:8 4:4 1:8 5:4"), UNSUPPORTED, "array of arrays"},
    {"array of arrays, many", KEY("9:4 9:4 1:8 9:4 1:8 9:4 1:8 9:4 1:8 =64"), UNSUPPORTED, "array of arrays"},
    {"array of type 13", KEY("9:4 13:4 1:8 5:4"), FORMAT, "item type is 13"},

    /* alignment */
    {"alignment 0", ALIGNMENT("4:4 0:4"), FORMAT, "key general.alignment is 0, expected a power of two"},
    {"alignment 1", ALIGNMENT("4:4 1:4"), FORMAT, "expected a power of two from 8 to 65536"},
    {"alignment 3", ALIGNMENT("4:4 3:4"), FORMAT, "is 3, expected"},
    {"alignment 8", ALIGNMENT("4:4 8:4"), ERR_NONE, NULL},
    {"alignment 48", ALIGNMENT("4:4 48:4"), FORMAT, "is 48, expected"},
    {"alignment 65536", ALIGNMENT("4:4 65536:4"), ERR_NONE, NULL},
    {"alignment 2^17", ALIGNMENT("4:4 131072:4"), FORMAT, "is 131072, expected"},
    {"alignment 2^31", ALIGNMENT("4:4 2147483648:4"), FORMAT, "is 2147483648, expected"},
    {"alignment u64", ALIGNMENT("10:4 32:8"), FORMAT, "is of type u64, expected u32"},
    {"alignment string", ALIGNMENT("8:4 '32'"), FORMAT, "is of type string, expected u32"},
    {"alignment array", ALIGNMENT("9:4 4:4 1:8 32:4"), FORMAT, "is of type array, expected u32"},

    /* tensors */
    {"tensor", TENSOR(F32_ROW "0:8"), ERR_NONE, NULL},
    {"name empty", HEAD(1, 0) "'' " F32_ROW "0:8 ^32 =128", FORMAT, "name at byte 24 has 0 bytes"},
    {"name with 0", HEAD(1, 0) "2:8 a 0:1 " F32_ROW "0:8 ^32 =128", FORMAT, "control characters"},
    {"name of 127", HEAD(1, 0) "*127 " F32_ROW "0:8 ^32 =128", ERR_NONE, NULL},
    {"name of 128", HEAD(1, 0) "*128 " F32_ROW "0:8 ^32 =128", FORMAT, "has 128 bytes, expected 1 to 127"},
    {"name of 2^40", HEAD(1, 0) "1099511627776:8 =128", FORMAT, "truncated"},
    {"name twice", HEAD(2, 0) "'t' " F32_ROW "0:8 't' " F32_ROW "0:8 ^32 =128", FORMAT, "tensor t occurs twice"},
    {"0 dimensions", TENSOR("0:4 0:4 0:8"), FORMAT, "tensor t: found 0 dimensions, expected 1 to 4"},
    {"5 dimensions", TENSOR("5:4 1:8 1:8 1:8 1:8 1:8 0:4 0:8"), FORMAT, "found 5 dimensions"},
    {"2^32-1 dimensions", TENSOR("4294967295:4 32:8 0:4 0:8"), FORMAT, "found 4294967295 dimensions"},
    {"4 dimensions", TENSOR("4:4 2:8 2:8 2:8 4:8 0:4 0:8"), ERR_NONE, NULL},
    {"dimension 0", TENSOR("2:4 32:8 0:8 0:4 0:8"), FORMAT, "tensor t: dimension 1 is 0"},
    {"row of 0", TENSOR("1:4 0:8 0:4 0:8"), FORMAT, "dimension 0 is 0"},
    {"0 times overflow", TENSOR("3:4 " U64_MAX ":8 " U64_MAX ":8 0:8 0:4 0:8"), FORMAT, "dimension 2 is 0"},
    {"product 2^64", TENSOR("2:4 4294967296:8 4294967296:8 0:4 0:8"), FORMAT, "the product of the dimensions"},
    {"product 2^64 of four", TENSOR("4:4 65536:8 65536:8 65536:8 65536:8 0:4 0:8"), FORMAT, "the product"},
    {"product wraps to 32", TENSOR("2:4 32:8 576460752303423489:8 0:4 0:8"), FORMAT, "the product"},
    {"product 2^63", TENSOR("2:4 4294967296:8 2147483648:8 0:4 0:8"), FORMAT, "63 bits"},
    {"bytes 2^64", TENSOR("2:4 4294967296:8 1073741824:8 0:4 0:8"), FORMAT, "64 bits"},
    {"bytes wrap to 128", TENSOR("2:4 32:8 144115188075855873:8 0:4 0:8"), FORMAT, "64 bits"},
    {"row not whole blocks", TENSOR("1:4 31:8 8:4 0:8"), FORMAT, "a row of 31 weights of type Q8_0, expected"},
    {"row not whole superblocks", TENSOR("2:4 128:8 2:8 12:4 0:8"), FORMAT, "expected a multiple of 256"},
    {"offset not aligned", TENSOR("1:4 1:8 0:4 4:8"), FORMAT, "offset 4 is not a multiple of the alignment 32"},
    {"offset at the end", TENSOR("1:4 1:8 0:4 128:8"), FORMAT, "tensor t: its data is from byte 192 to 196"},
    {"last aligned place", TENSOR("1:4 8:8 0:4 96:8"), ERR_NONE, NULL},
    {"one item too many", TENSOR("1:4 33:8 0:4 0:8"), FORMAT, "the file ends at byte 192: it is truncated"},
    {"offset past the end", TENSOR("1:4 1:8 0:4 1099511627776:8"), FORMAT, "truncated"},
    {"offset wraps", TENSOR("1:4 32:8 0:4 18446744073709551584:8"), FORMAT, "do not fit in 64 bits"},
    {"offset and size wrap", TENSOR("2:4 1024:8 1125899906842624:8 0:4 18446744073709551424:8"), FORMAT, "do not fit"},
    {"unknown type", TENSOR("1:4 32:8 999:4 0:8"), ERR_NONE, NULL},
    {"unknown type at the end", TENSOR("1:4 32:8 999:4 128:8"), FORMAT, "the file ends at byte 192"},
    {"unknown type, offset wraps", TENSOR("1:4 32:8 999:4 18446744073709551584:8"), FORMAT, "do not fit"},
    {"tensors beyond the file", HEAD(2, 0) "'t' " F32_ROW "0:8 'u' 1:4", FORMAT, "truncated"},
    {"no data at all", HEAD(1, 0) "'t' " F32_ROW "0:8", FORMAT, "truncated"},
};

/* every value type, arrays of both kinds, three tensors, an alignment of its own */
static const char complete_file[] = HEAD(
    3, 16) "'general.alignment' 4:4 64:4 'u8' 0:4 255:1 'i8' 1:4 255:1 'u16' 2:4 65535:2 'i16' 3:4 32768:2 "
           "'i32' 5:4 2147483648:4 'f32' 6:4 1069547520:4 'bool' 7:4 1:1 'string' 8:4 'text' 'u64' 10:4 " U64_MAX ":8 "
           "'i64' 11:4 9223372036854775808:8 'f64' 12:4 4609434218613702656:8 'numbers' 9:4 5:4 3:8 1:4 2:4 3:4 "
           "'strings' 9:4 8:4 3:8 'a' '' 'ccc' 'bools' 9:4 7:4 2:8 0:1 1:1 'none' 9:4 8:4 0:8 "
           "'a.weight' 2:4 32:8 2:8 0:4 0:8 'b.weight' 1:4 32:8 8:4 256:8 'c' 1:4 1:8 77:4 320:8 ^64 =256 =34 ^64 =1";

/* ---- writing a file from words ------------------------------------------------------------------------------ */

static void append_number(struct builder *b, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char)(value >> 8 * i);
        builder_append(b, &byte, 1);
    }
}

static void append_repeated(struct builder *b, char byte, uint64_t count)
{
    while (count--) builder_append(b, &byte, 1);
}

static void append_word(struct builder *b, const char *word, size_t length)
{
    char *end;
    uint64_t number = strtoull(word + !isdigit((unsigned char)word[0]), &end, 10);
    if (isdigit((unsigned char)word[0])) {
        assert_int_equal(*end, ':');
        append_number(b, number, strtoull(end + 1, NULL, 10));
    } else if (word[0] == '\'') {
        append_number(b, length - 2, 8);
        builder_append(b, word + 1, length - 2);
    } else if (word[0] == '*') {
        append_number(b, number, 8);
        append_repeated(b, 'a', number);
    } else if (word[0] == '^') {
        append_repeated(b, 0, (number - b->length % number) % number);
    } else if (word[0] == '=') {
        append_repeated(b, 0x3c, number);
    } else {
        builder_append(b, word, length);
    }
}

static struct builder write_file(const char *words)
{
    struct builder b = {0};
    for (const char *word = words; *word;) {
        size_t length = strcspn(word, " ");
        if (length) append_word(&b, word, length);
        word += length + (word[length] == ' ');
    }
    assert_false(b.failed);
    return b;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* reads everything that an open file promises to be readable */
static uint64_t touch(const struct model_file *f)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < model_file_n_metadata(f); i++) {
        const struct metadata *m = model_file_metadata(f, i);
        assert_ptr_equal(model_file_find(f, m->key), m);
        const struct bytes *strings = m->items;
        for (uint64_t j = 0; j < m->count; j++) {
            if (m->item_type != VALUE_STRING) sum += (uint64_t)metadata_integer(m, j) + (metadata_number(m, j) > 0);
            else
                for (size_t k = 0; k < strings[j].length; k++) sum += (uint8_t)strings[j].data[k];
        }
    }
    for (size_t i = 0; i < model_file_n_tensors(f); i++) {
        const struct tensor_info *t = model_file_tensor(f, i);
        assert_ptr_equal(model_file_find_tensor(f, t->name), t);
        assert_in_range(t->n_dims, 1, TENSOR_MAX_DIMS);
        for (uint64_t j = 0; j < t->size; j++) sum += ((const uint8_t *)t->data)[j];
    }
    return sum;
}

/* opens a copy of exactly this size; returns the error's code */
static enum error_code try_bytes(const void *data, size_t size, struct error *err)
{
    void *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    if (size) memcpy(exact, data, size);
    *err = (struct error){0};
    struct model_file *f = model_file_open_memory(exact, size, "test.gguf", err);
    if (f) {
        assert_int_equal(err->code, ERR_NONE);
        volatile uint64_t sum = touch(f);
        (void)sum;
        model_file_close(f);
    } else {
        assert_int_not_equal(err->code, ERR_NONE);
        assert_memory_equal(err->message, "test.gguf: ", 11);
        assert_true(strlen(err->message) > 20);
        assert_null(model_file_open_memory(exact, size, "test.gguf", NULL));
    }
    free(exact);
    return err->code;
}

static void test_cases(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hostile *h = &cases[i];
        struct builder b = write_file(h->file);
        struct error err;
        enum error_code code = try_bytes(b.data, b.length, &err);
        if (code != h->code || (h->phrase && !strstr(err.message, h->phrase))) {
            print_error("%s: found \"%s\" (%s), expected \"%s\" (%s)\n", h->name, err.message, error_text(code),
                        h->phrase ? h->phrase : "", error_text(h->code));
            n_wrong++;
        }
        builder_free(&b);
    }
    assert_int_equal(n_wrong, 0);
}

static void test_truncated(void **state)
{
    (void)state;
    struct builder b = write_file(complete_file);
    struct error err;
    assert_int_equal(try_bytes(b.data, b.length, &err), ERR_NONE);
    for (size_t size = 1; size < b.length; size++) {
        assert_int_equal(try_bytes(b.data, size, &err), ERR_FORMAT);
        assert_non_null(strstr(err.message, "truncated"));
    }
    builder_free(&b);
}

/* every byte of the header, with every bit turned and with the values that hurt most */
static void test_flipped(void **state)
{
    (void)state;
    struct builder b = write_file(complete_file);
    struct error err;
    size_t n_opened = 0, n_refused = 0, header = b.length - 1 - 64 - 256;
    for (size_t at = 0; at < header; at++) {
        char original = b.data[at];
        for (int change = 0; change < 11; change++) {
            b.data[at] = (char)(change < 8 ? original ^ 1 << change : change == 8 ? 0 : change == 9 ? 0xff : ~original);
            enum error_code code = try_bytes(b.data, b.length, &err);
            assert_true(code == ERR_NONE || code == ERR_FORMAT || code == ERR_UNSUPPORTED);
            if (code == ERR_NONE) n_opened++;
            else n_refused++;
        }
        b.data[at] = original;
    }
    assert_true(n_opened > 100 && n_refused > 100);
    builder_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
