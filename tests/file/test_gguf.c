/* test_gguf.c - GGUF read and written: real models, the writer's files, typed getters
 *
 * What is expected of the real models was read with the gguf package for Python. They are looked for in the folder
 * CORVID_SHARED (default CORVID_SOURCE_DIR/../shared) and their tests skipped where they are missing. */
#define _DEFAULT_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "file/gguf_write.h"
#include "file/model_file.h"
#include "file/source.h"

/* after ours: it makes fail() a macro */
#include <cmocka.h>

static char folder[] = "/tmp/test_gguf.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static struct bytes text(const char *s) { return (struct bytes){s, strlen(s)}; }

static void assert_text(struct bytes found, const char *expected)
{
    assert_int_equal(found.length, strlen(expected));
    assert_memory_equal(found.data, expected, found.length);
}

/* ---- real models -------------------------------------------------------------------------------------------- */

struct known_tensor {
    const char *name;
    uint32_t type;
    uint64_t dims[2], size, at;
};

static const struct known_file {
    const char *path;
    uint64_t bytes, n_tensors, n_metadata;
    const char *name;
    uint32_t embedding_length, block_count, vocabulary;
    struct known_tensor first, last;
} known_files[] = {
    {"models/rwkv7-tiny-f16.gguf",
     13414432,
     174,
     28,
     "RWKV-7 Tiny",
     256,
     6,
     2560,
     {"token_embd.weight", 1, {256, 2560}, 1310720, 55328},
     {"output.weight", 1, {256, 2560}, 1310720, 12103712}},
    {"models/ref/tiny-rwkv7.gguf",
     3361984,
     342,
     17,
     "tiny-rwkv7",
     64,
     12,
     256,
     {"token_embd.weight", 0, {64, 256}, 65536, 25792},
     {"blk.11.channel_mix_lerp_k.weight", 0, {64, 1}, 256, 3361728}},
};

static struct model_file *open_shared(const char *name)
{
    const char *shared = getenv("CORVID_SHARED"), *root = getenv("CORVID_SOURCE_DIR");
    char path[1024];
    if (shared) snprintf(path, sizeof path, "%s/%s", shared, name);
    else snprintf(path, sizeof path, "%s/../shared/%s", root ? root : ".", name);
    if (!exists(path)) return NULL;
    struct error err = {0};
    struct model_file *f = model_file_open(path, &err);
    if (!f) fail_msg("%s", err.message);
    return f;
}

static void check_tensor(const struct model_file *f, size_t index, const struct known_tensor *known)
{
    const struct tensor_info *t = model_file_tensor(f, index);
    assert_string_equal(t->name, known->name);
    assert_ptr_equal(model_file_find_tensor(f, known->name), t);
    assert_int_equal(t->type, known->type);
    assert_int_equal(t->n_dims, known->dims[1] > 1 ? 2 : 1);
    assert_int_equal(t->n_items, known->dims[0] * known->dims[1]);
    for (size_t d = 0; d < TENSOR_MAX_DIMS; d++) assert_int_equal(t->dims[d], d < 2 ? known->dims[d] : 1);
    assert_int_equal(t->size, known->size);
    assert_int_equal(t->at, known->at);
    assert_ptr_equal(t->data, model_file_source(f)->data + t->at);
}

static void check_known(const struct known_file *known)
{
    struct model_file *f = open_shared(known->path);
    if (!f) skip();
    assert_int_equal(model_file_version(f), 3);
    assert_int_equal(model_file_bytes(f), known->bytes);
    assert_int_equal(model_file_alignment(f), 32);
    assert_int_equal(model_file_n_tensors(f), known->n_tensors);
    assert_int_equal(model_file_n_metadata(f), known->n_metadata);
    check_tensor(f, 0, &known->first);
    check_tensor(f, known->n_tensors - 1, &known->last);

    uint32_t value;
    struct bytes string;
    float epsilon;
    assert_true(metadata_need_u32(f, "rwkv7.embedding_length", &value, NULL) && value == known->embedding_length);
    assert_true(metadata_need_u32(f, "rwkv7.block_count", &value, NULL) && value == known->block_count);
    assert_true(metadata_string(f, "general.name", &string, NULL));
    assert_text(string, known->name);
    assert_true(metadata_f32(f, "rwkv7.attention.layer_norm_epsilon", 0, &epsilon, NULL) && epsilon == 1e-5f);

    const struct metadata *tokens = model_file_find(f, "tokenizer.ggml.tokens");
    const struct metadata *types = model_file_find(f, "tokenizer.ggml.token_type");
    assert_non_null(tokens);
    assert_int_equal(tokens->type, VALUE_ARRAY);
    assert_int_equal(tokens->item_type, VALUE_STRING);
    assert_int_equal(tokens->count, known->vocabulary);
    bool has_start = known->vocabulary == 2560;
    assert_text(((const struct bytes *)tokens->items)[0], has_start ? "<s>" : "\\x00");
    assert_text(((const struct bytes *)tokens->items)[has_start ? 7 : 6], "\\x06");
    assert_int_equal(types->count, known->vocabulary);
    assert_int_equal(metadata_integer(types, 0), has_start ? 3 : 1);
    source_forget(model_file_source(f), known->first.at, known->first.size);
    model_file_close(f);
}

static void test_rwkv7_tiny(void **state) { (void)state, check_known(&known_files[0]); }
static void test_tiny_rwkv7(void **state) { (void)state, check_known(&known_files[1]); }

/* a copy of a real model through the writer is the same model */
static void test_copy(void **state)
{
    (void)state;
    struct model_file *from = open_shared(known_files[0].path);
    if (!from) skip();
    struct gguf_writer *w = gguf_writer_create(NULL);
    for (size_t i = 0; i < model_file_n_metadata(from); i++)
        assert_true(gguf_writer_copy(w, model_file_metadata(from, i), NULL));
    for (size_t i = 0; i < model_file_n_tensors(from); i++) {
        const struct tensor_info *t = model_file_tensor(from, i);
        assert_true(gguf_writer_tensor(w, t->name, t->type, t->n_dims, t->dims, t->size, NULL));
    }
    assert_true(gguf_writer_begin(w, path_of("copy.gguf"), NULL));
    for (size_t i = 0; i < model_file_n_tensors(from); i++) {
        const struct tensor_info *t = model_file_tensor(from, i);
        /* in two pieces of odd sizes */
        size_t piece = (size_t)t->size / 3;
        assert_true(gguf_writer_data(w, t->data, piece, NULL));
        assert_true(gguf_writer_data(w, (const char *)t->data + piece, (size_t)t->size - piece, NULL));
    }
    assert_true(gguf_writer_finish(w, NULL));
    gguf_writer_destroy(w);
    struct source copy;
    assert_true(source_open(&copy, path_of("copy.gguf"), NULL));
    assert_int_equal(copy.size, model_file_bytes(from));
    assert_memory_equal(copy.data, model_file_source(from)->data, copy.size);
    source_close(&copy);
    model_file_close(from);
}

/* ---- round trip --------------------------------------------------------------------------------------------- */

static const uint64_t dims_2d[] = {32, 3}, dims_1d[] = {5};

static struct gguf_writer *small_writer(void)
{
    static const struct bytes words[] = {{"one", 3}, {"", 0}, {"t\0wo", 4}};
    static const uint8_t numbers[] = {1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct gguf_writer *w = gguf_writer_create(NULL);
    assert_non_null(w);
    assert_true(gguf_writer_u32(w, "u32", 1, NULL));
    assert_true(gguf_writer_string(w, "string", text("a longer text than the next"), NULL));
    assert_true(gguf_writer_f32(w, "f32", 1.5f, NULL));
    assert_true(gguf_writer_bool(w, "bool", true, NULL));
    assert_true(gguf_writer_array(w, "words", VALUE_STRING, words, 3, NULL));
    assert_true(gguf_writer_array(w, "numbers", VALUE_I32, numbers, 2, NULL));
    assert_true(gguf_writer_array(w, "none", VALUE_F32, NULL, 0, NULL));
    /* later values replace earlier ones, also of another type */
    assert_true(gguf_writer_string(w, "string", text("text"), NULL));
    assert_true(gguf_writer_string(w, "u32", text("not a number"), NULL));
    assert_true(gguf_writer_u32(w, "u32", 4000000000u, NULL));
    assert_true(gguf_writer_tensor(w, "matrix", 8, 2, dims_2d, 3 * 34, NULL));
    assert_true(gguf_writer_tensor(w, "vector", 0, 1, dims_1d, 20, NULL));
    assert_true(gguf_writer_tensor(w, "unknown", 999, 1, dims_1d, 7, NULL));
    return w;
}

static void test_round_trip(void **state)
{
    (void)state;
    char data[3 * 34 + 20 + 7];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 7 + 1);
    struct gguf_writer *w = small_writer();
    assert_true(gguf_writer_u32(w, "general.alignment", 64, NULL));
    assert_true(gguf_writer_begin(w, path_of("small.gguf"), NULL));
    assert_false(exists(path_of("small.gguf")));
    assert_true(exists(path_of("small.gguf.part")));
    assert_true(gguf_writer_data(w, data, 102, NULL) && gguf_writer_data(w, data + 102, 20, NULL) &&
                gguf_writer_data(w, data + 122, 7, NULL));
    assert_true(gguf_writer_finish(w, NULL));
    gguf_writer_destroy(w);
    assert_false(exists(path_of("small.gguf.part")));

    struct model_file *f = model_file_open(path_of("small.gguf"), NULL);
    assert_non_null(f);
    assert_int_equal(model_file_n_metadata(f), 8);
    assert_string_equal(model_file_metadata(f, 0)->key, "u32");
    assert_string_equal(model_file_metadata(f, 1)->key, "string");
    assert_int_equal(model_file_alignment(f), 64);
    uint32_t u32;
    float f32;
    bool flag;
    struct bytes string;
    assert_true(metadata_need_u32(f, "u32", &u32, NULL) && u32 == 4000000000u);
    assert_true(metadata_f32(f, "f32", 0, &f32, NULL) && f32 == 1.5f);
    assert_true(metadata_bool(f, "bool", false, &flag, NULL) && flag);
    assert_true(metadata_string(f, "string", &string, NULL));
    assert_text(string, "text");
    const struct metadata *words = model_file_find(f, "words"), *numbers = model_file_find(f, "numbers");
    assert_int_equal(words->count, 3);
    assert_int_equal(((const struct bytes *)words->items)[2].length, 4);
    assert_memory_equal(((const struct bytes *)words->items)[2].data, "t\0wo", 4);
    assert_int_equal(numbers->count, 2);
    assert_int_equal(metadata_integer(numbers, 1), -1);
    assert_int_equal(model_file_find(f, "none")->count, 0);

    const struct tensor_info *matrix = model_file_find_tensor(f, "matrix");
    const struct tensor_info *vector = model_file_find_tensor(f, "vector");
    const struct tensor_info *unknown = model_file_find_tensor(f, "unknown");
    assert_int_equal(matrix->size, 102);
    assert_memory_equal(matrix->data, data, 102);
    assert_int_equal(vector->at, matrix->at + 128);
    assert_memory_equal(vector->data, data + 102, 20);
    assert_int_equal(unknown->size, 0);
    assert_memory_equal(unknown->data, data + 122, 7);
    assert_int_equal(model_file_bytes(f) % 64, 0);
    model_file_close(f);
}

/* ---- getters ------------------------------------------------------------------------------------------------ */

static struct model_file *number_file(void)
{
    static const struct metadata entries[] = {
        {"u8", VALUE_U8, VALUE_U8, 1, "\xff"},
        {"i8", VALUE_I8, VALUE_I8, 1, "\xff"},
        {"i16", VALUE_I16, VALUE_I16, 1, "\x00\x80"},
        {"i64", VALUE_I64, VALUE_I64, 1, "\x07\0\0\0\0\0\0\0"},
        {"u64", VALUE_U64, VALUE_U64, 1, "\xff\xff\xff\xff\xff\xff\xff\xff"},
        {"2^32", VALUE_U64, VALUE_U64, 1, "\0\0\0\0\1\0\0\0"},
        {"nan", VALUE_F32, VALUE_F32, 1, "\0\0\xc0\x7f"},
        {"1e300", VALUE_F64, VALUE_F64, 1, "\x9c\x75\x00\x88\x3c\xe4\x37\x7e"},
        {"0.5", VALUE_F64, VALUE_F64, 1, "\0\0\0\0\0\0\xe0\x3f"},
    };
    struct gguf_writer *w = gguf_writer_create(NULL);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) assert_true(gguf_writer_copy(w, &entries[i], NULL));
    assert_true(gguf_writer_string(w, "string", text("5"), NULL));
    assert_true(gguf_writer_array(w, "array", VALUE_U32, "\1\0\0\0", 1, NULL));
    assert_true(gguf_writer_begin(w, path_of("numbers.gguf"), NULL) && gguf_writer_finish(w, NULL));
    gguf_writer_destroy(w);
    struct model_file *f = model_file_open(path_of("numbers.gguf"), NULL);
    assert_non_null(f);
    return f;
}

static void test_getters(void **state)
{
    (void)state;
    struct model_file *f = number_file();
    struct error err = {0};
    uint32_t u32 = 0;
    float f32 = 0;
    bool flag = false;
    struct bytes string = text("old");
    assert_true(metadata_u32(f, "u8", 0, &u32, &err) && u32 == 255);
    assert_true(metadata_u32(f, "i64", 0, &u32, &err) && u32 == 7);
    assert_true(metadata_u32(f, "absent", 9, &u32, &err) && u32 == 9);
    assert_true(metadata_f32(f, "0.5", 0, &f32, &err) && f32 == 0.5f);
    assert_true(metadata_f32(f, "i16", 0, &f32, &err) && f32 == -32768);
    assert_true(metadata_f32(f, "absent", 2.5f, &f32, &err) && f32 == 2.5f);
    assert_true(metadata_bool(f, "absent", true, &flag, &err) && flag);
    assert_true(metadata_string(f, "absent", &string, &err) && !string.data && !string.length);
    assert_true(metadata_number(model_file_find(f, "u64"), 0) == 18446744073709551615.0);
    assert_int_equal(metadata_integer(model_file_find(f, "u64"), 0), INT64_MAX);
    assert_int_equal(metadata_integer(model_file_find(f, "nan"), 0), 0);
    assert_int_equal(metadata_integer(model_file_find(f, "1e300"), 0), INT64_MAX);

    assert_false(metadata_u32(f, "i8", 0, &u32, &err));
    assert_string_equal(err.message, "key i8 is -1, expected 0 to 4294967295");
    assert_false(metadata_u32(f, "2^32", 0, &u32, &err));
    assert_non_null(strstr(err.message, "4294967296"));
    assert_false(metadata_u32(f, "u64", 0, &u32, &err));
    assert_false(metadata_u32(f, "0.5", 0, &u32, &err));
    assert_string_equal(err.message, "key 0.5 is of type f64, expected an integer");
    assert_false(metadata_u32(f, "array", 0, &u32, &err));
    assert_string_equal(err.message, "key array is of type array of u32, expected an integer");
    assert_false(metadata_need_u32(f, "absent", &u32, &err));
    assert_non_null(strstr(err.message, "key absent is missing"));
    assert_false(metadata_f32(f, "nan", 0, &f32, &err));
    assert_false(metadata_f32(f, "1e300", 0, &f32, &err));
    assert_false(metadata_f32(f, "string", 0, &f32, &err));
    assert_false(metadata_bool(f, "u8", false, &flag, &err));
    assert_false(metadata_string(f, "u8", &string, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    model_file_close(f);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    const char *const names[] = {"copy.gguf", "small.gguf", "numbers.gguf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) file_remove(path_of(names[i]), NULL);
    return rmdir(folder); /* fails if a test has left something else */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rwkv7_tiny), cmocka_unit_test(test_tiny_rwkv7), cmocka_unit_test(test_copy),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_getters),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
