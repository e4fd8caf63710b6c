/* test_engine.c - sessions and their edges on the scalar reference: wrong arguments, limits, saved states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/tiny_gemma.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { SESSIONS = 2, CONTEXT = 24, VOCABULARY = TINY_VOCABULARY };

static corvid_device *device;
static corvid_model *model, *other; /* other: of one layer */
static const int32_t tokens[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3};

static int set_up(void **state)
{
    (void)state;
    device = open_device(&(struct model_setup){.device = "reference"});
    model = open_model(device, tiny_gemma_write(TINY_LAYERS).text, SESSIONS, CONTEXT, 4);
    other = open_model(device, tiny_gemma_write(1).text, SESSIONS, CONTEXT, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    corvid_model_close(model);
    corvid_model_close(other);
    corvid_device_close(device);
    return 0;
}

static void expect_refused(const corvid_input *inputs, size_t n, corvid_error_code code)
{
    corvid_error err = {0};
    assert_false(corvid_step(model, inputs, n, &err));
    if (err.code != code) fail_msg("code %d, expected %d: %s", (int)err.code, (int)code, err.message);
    assert_true(*err.message);
    assert_false(corvid_step(model, inputs, n, NULL));
}

static void test_wrong_inputs(void **state)
{
    (void)state;
    static const int32_t wrong[][3] = {{1, 2, -1}, {1, VOCABULARY, 2}, {INT32_MAX, 1, 2}, {1, INT32_MIN, 2}};
    corvid_session *a = new_session(model), *b = new_session(model), *foreign = new_session(other);
    float logits[2][VOCABULARY];
    feed(a, tokens, 3, logits[0], NULL);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        expect_refused(&(corvid_input){a, wrong[i], 3, logits[1], NULL}, 1, CORVID_ERROR_ARGUMENT);
        /* a wrong input stops the others too */
        expect_refused((corvid_input[]){{b, tokens, 1, NULL, NULL}, {a, wrong[i], 3, NULL, NULL}}, 2,
                       CORVID_ERROR_ARGUMENT);
    }
    expect_refused(&(corvid_input){a, tokens, 0, NULL, NULL}, 1, CORVID_ERROR_ARGUMENT);
    expect_refused(&(corvid_input){a, NULL, 3, NULL, NULL}, 1, CORVID_ERROR_ARGUMENT);
    expect_refused(&(corvid_input){NULL, tokens, 3, NULL, NULL}, 1, CORVID_ERROR_ARGUMENT);
    expect_refused(&(corvid_input){foreign, tokens, 3, NULL, NULL}, 1, CORVID_ERROR_ARGUMENT);
    expect_refused(NULL, 0, CORVID_ERROR_ARGUMENT);
    corvid_input same[] = {{a, tokens, 1, NULL, NULL}, {a, tokens, 1, NULL, NULL}, {b, tokens, 1, NULL, NULL}};
    expect_refused(same, 2, CORVID_ERROR_ARGUMENT);
    expect_refused(same, 3, CORVID_ERROR_ARGUMENT);
    /* nothing was computed */
    assert_int_equal(corvid_session_length(a), 3);
    assert_int_equal(corvid_session_length(b), 0);
    feed(a, tokens + 3, 2, logits[0], NULL);
    feed(b, tokens, 5, logits[1], NULL);
    assert_true(max_difference(logits[0], logits[1], VOCABULARY) <= 0);
    corvid_session_destroy(a);
    corvid_session_destroy(b);
    corvid_session_destroy(foreign);
}

static void test_session_limit(void **state)
{
    (void)state;
    corvid_error err = {0};
    corvid_session *sessions[SESSIONS];
    for (int i = 0; i < SESSIONS; i++) sessions[i] = new_session(model);
    assert_null(corvid_session_create(model, &err));
    assert_int_equal(err.code, CORVID_ERROR_LIMIT);
    assert_null(corvid_session_create(model, NULL));
    feed(sessions[0], tokens, 5, NULL, NULL);
    corvid_session_destroy(sessions[0]);
    sessions[0] = new_session(model); /* the slot is free again, and empty */
    assert_int_equal(corvid_session_length(sessions[0]), 0);
    for (int i = 0; i < SESSIONS; i++) corvid_session_destroy(sessions[i]);
}

static void test_context(void **state)
{
    (void)state;
    corvid_session *s = new_session(model);
    expect_refused(&(corvid_input){s, tokens, CONTEXT + 1, NULL, NULL}, 1, CORVID_ERROR_LIMIT);
    feed(s, tokens, CONTEXT - 1, NULL, NULL);
    expect_refused(&(corvid_input){s, tokens, 2, NULL, NULL}, 1, CORVID_ERROR_LIMIT);
    feed(s, tokens, 1, NULL, NULL);
    expect_refused(&(corvid_input){s, tokens, 1, NULL, NULL}, 1, CORVID_ERROR_LIMIT);
    /* a count so large that length + count wraps is refused before any token is read */
    expect_refused(&(corvid_input){s, tokens, SIZE_MAX, NULL, NULL}, 1, CORVID_ERROR_LIMIT);
    reset(s);
    feed(s, tokens, CONTEXT, NULL, NULL);
    corvid_session_destroy(s);
}

/* logits and all_logits agree, and neither is needed */
static void test_outputs(void **state)
{
    (void)state;
    corvid_session *s = new_session(model);
    float last[VOCABULARY], all[CONTEXT][VOCABULARY];
    feed(s, tokens, 5, NULL, NULL);
    reset(s);
    feed(s, tokens, CONTEXT, last, all[0]);
    assert_memory_equal(last, all[CONTEXT - 1], sizeof last);
    reset(s);
    for (int i = 0; i < CONTEXT; i++) {
        feed(s, tokens + i, 1, last, NULL);
        assert_true(max_difference(last, all[i], VOCABULARY) <= 0);
    }
    corvid_session_destroy(s);
}

static void expect_no_restore(corvid_session *s, const void *blob, size_t size, corvid_error_code code)
{
    corvid_error err = {0};
    assert_false(corvid_session_restore(s, blob, size, &err));
    if (code != CORVID_OK && err.code != code)
        fail_msg("code %d, expected %d: %s", (int)err.code, (int)code, err.message);
    assert_true(*err.message);
    assert_false(corvid_session_restore(s, blob, size, NULL));
}

static void test_damaged_blobs(void **state)
{
    (void)state;
    corvid_error err;
    corvid_session *s = new_session(model), *foreign = new_session(other);
    void *blob;
    size_t size;
    float before[VOCABULARY], after[VOCABULARY];
    feed(s, tokens, 11, NULL, NULL);
    if (!corvid_session_save(s, &blob, &size, &err)) fail_msg("%s", err.message);
    feed(s, tokens + 11, 1, before, NULL);
    unsigned char *bytes = malloc(size + 2);
    assert_non_null(bytes);
    memcpy(bytes, blob, size);
    for (size_t at = 0; at < size; at += at < 64 ? 1 : 131) { /* all of the header */
        bytes[at] ^= 0x41;
        expect_no_restore(s, bytes, size, CORVID_OK);
        bytes[at] ^= 0x41;
    }
    for (size_t n = 0; n < size; n += n < 64 ? 1 : 67) {
        void *cut = malloc(n ? n : 1); /* of its own, so that a sanitizer sees a read behind its end */
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        expect_no_restore(s, cut, n, CORVID_ERROR_FORMAT);
        free(cut);
    }
    expect_no_restore(s, bytes, size + 1, CORVID_ERROR_FORMAT);
    expect_no_restore(foreign, bytes, size, CORVID_ERROR_ARGUMENT);
    /* what was refused has changed nothing; and a blob may lie at any address */
    assert_int_equal(corvid_session_length(s), 12);
    memmove(bytes + 1, bytes, size);
    if (!corvid_session_restore(s, bytes + 1, size, &err)) fail_msg("%s", err.message);
    assert_int_equal(corvid_session_length(s), 11);
    feed(s, tokens + 11, 1, after, NULL);
    assert_true(max_difference(before, after, VOCABULARY) <= 0);
    free(bytes);
    free(blob);
    corvid_session_destroy(s);
    corvid_session_destroy(foreign);
}

/* The same file opened with another context or step size. */
static void test_blob_elsewhere(void **state)
{
    static const struct {
        uint32_t context, step_tokens;
        corvid_error_code code;
    } cases[] = {{CONTEXT, 4, CORVID_OK},
                 {CONTEXT + 9, 4, CORVID_OK},
                 {10, 4, CORVID_ERROR_LIMIT},
                 {CONTEXT, 7, CORVID_ERROR_FORMAT}};
    (void)state;
    corvid_error err;
    corvid_session *s = new_session(model);
    void *blob;
    size_t size;
    feed(s, tokens, 15, NULL, NULL);
    if (!corvid_session_save(s, &blob, &size, &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < COUNT(cases); i++) {
        corvid_model *again =
            open_model(device, tiny_gemma_write(TINY_LAYERS).text, 1, cases[i].context, cases[i].step_tokens);
        corvid_session *there = new_session(again);
        if (cases[i].code != CORVID_OK) expect_no_restore(there, blob, size, cases[i].code);
        else if (!corvid_session_restore(there, blob, size, &err)) fail_msg("%s", err.message);
        else assert_true(state_difference(s, there) <= 0);
        corvid_session_destroy(there);
        corvid_model_close(again);
    }
    free(blob);
    corvid_session_destroy(s);
}

static void test_empty_session(void **state)
{
    (void)state;
    corvid_error err;
    corvid_session *s = new_session(model);
    void *blob;
    size_t size;
    if (!corvid_session_save(s, &blob, &size, &err)) fail_msg("%s", err.message);
    feed(s, tokens, 5, NULL, NULL);
    if (!corvid_session_restore(s, blob, size, &err)) fail_msg("%s", err.message);
    assert_int_equal(corvid_session_length(s), 0);
    free(blob);
    assert_true(corvid_session_save(s, &blob, &size, NULL));
    assert_true(corvid_session_restore(s, blob, size, NULL));
    free(blob);
    corvid_session_destroy(s);
}

static void test_tokens(void **state)
{
    (void)state;
    int32_t *list = NULL;
    size_t n = 9;
    const char *bytes;
    assert_true(corvid_tokenize(model, "", 0, 0, &list, &n, NULL));
    assert_int_equal(n, 0);
    free(list);
    assert_true(corvid_tokenize(model, "AB\0C", 4, CORVID_TOKENIZE_BOS, &list, &n, NULL));
    assert_true(n >= 4);
    assert_int_equal(list[0], corvid_model_describe(model)->bos);
    free(list);
    static const int32_t outside[] = {-1, INT32_MIN, VOCABULARY, INT32_MAX};
    for (size_t i = 0; i < COUNT(outside); i++) {
        assert_int_equal(corvid_piece(model, outside[i], &bytes), 0);
        assert_false(corvid_ends_text(model, outside[i]));
    }
    assert_true(corvid_ends_text(model, corvid_model_describe(model)->eos));
    assert_false(corvid_tokenize_file("/no/such/file", "x", 1, 0, &list, &n, NULL));
}

static void test_nothing(void **state)
{
    (void)state;
    corvid_session_destroy(NULL);
    corvid_model_close(NULL);
    corvid_device_close(NULL);
    corvid_file_close(NULL);
    corvid_sampler_destroy(NULL);
    assert_null(corvid_file_open("/no/such/file", NULL));
    assert_null(corvid_model_open(device, "/no/such/file", NULL, NULL));
    assert_false(corvid_quantize("/no/such/file", "/no/such/folder/file", "Q8_0", NULL, NULL, NULL));
    assert_false(corvid_quantize("/no/such/file", "/no/such/folder/file", "Q9", NULL, NULL, NULL));
    char *text;
    assert_false(corvid_explain("/no/such/file", &text, NULL));
    corvid_sampling s = corvid_sampling_defaults(model);
    s.top_p = 2;
    assert_null(corvid_sampler_create(model, &s, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_inputs),  cmocka_unit_test(test_session_limit),
        cmocka_unit_test(test_context),       cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_damaged_blobs), cmocka_unit_test(test_blob_elsewhere),
        cmocka_unit_test(test_empty_session), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
