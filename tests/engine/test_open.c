/* test_open.c - opening models that are wrong or do not fit: a clear message, no crash. On the scalar reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "support/rewrite.h"
#include "support/temporary.h"
#include "support/tiny_gemma.h"

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static corvid_device *device;

static int set_up(void **state)
{
    (void)state;
    device = open_device(&(struct model_setup){.device = "reference"});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    corvid_device_close(device);
    return 0;
}

static void expect_refused(const char *path, const corvid_model_options *options, corvid_error_code code,
                           const char *message)
{
    corvid_error err = {0};
    corvid_model *model = corvid_model_open(device, path, options, &err);
    if (model) fail_msg("it opens, expected: %s", message);
    if (err.code != code || !strstr(err.message, message))
        fail_msg("code %d: %s; expected code %d: %s", (int)err.code, err.message, (int)code, message);
    assert_non_null(strstr(err.message, path)); /* which file it was */
    assert_null(corvid_model_open(device, path, options, NULL));
}

struct wrong {
    struct rewrite rewrite;
    corvid_error_code code;
    const char *message;
};

#define U32(name, value) {.key = name, .type = VALUE_U32, .number = value}
#define F32(name, value) {.key = name, .type = VALUE_F32, .number = value}
#define TEXT(name, value) {.key = name, .type = VALUE_STRING, .text = value}
#define DROP(name) {.drop = name}

static void refuse_all(const char *from, const struct wrong *cases, size_t n)
{
    struct path to = temporary("wrong.gguf");
    for (size_t i = 0; i < n; i++) {
        rewrite_model(from, to.text, &cases[i].rewrite);
        expect_refused(to.text, NULL, cases[i].code, cases[i].message);
    }
}

static void test_wrong_gemma(void **state)
{
    static const struct wrong cases[] = {
        {DROP("blk.3.attn_k.weight"), CORVID_ERROR_FORMAT, "blk.3.attn_k.weight"},
        {DROP("blk.6.post_ffw_norm.weight"), CORVID_ERROR_FORMAT, "blk.6.post_ffw_norm.weight"},
        {DROP("token_embd.weight"), CORVID_ERROR_FORMAT, "token_embd.weight"},
        {DROP("output_norm.weight"), CORVID_ERROR_FORMAT, "output_norm.weight"},
        {DROP("general.architecture"), CORVID_ERROR_FORMAT, "general.architecture"},
        {DROP("gemma3.block_count"), CORVID_ERROR_FORMAT, "gemma3.block_count"},
        {DROP("gemma3.attention.sliding_window"), CORVID_ERROR_FORMAT, "gemma3.attention.sliding_window"},
        {DROP("tokenizer.ggml.tokens"), CORVID_ERROR_FORMAT, "tokenizer.ggml.tokens"},
        {DROP("tokenizer.ggml.scores"), CORVID_ERROR_FORMAT, "tokenizer.ggml.scores"},
        {DROP("tokenizer.ggml.model"), CORVID_ERROR_FORMAT, "tokenizer.ggml.model"},
        {{.transpose = "blk.2.ffn_up.weight"}, CORVID_ERROR_FORMAT, "blk.2.ffn_up.weight"},
        {{.transpose = "token_embd.weight"}, CORVID_ERROR_FORMAT, "64 tokens, but token_embd.weight only 32 rows"},
        {{.other_type = "blk.0.attn_q.weight"}, CORVID_ERROR_UNSUPPORTED, "type number 99"},
        {TEXT("general.architecture", "llama"), CORVID_ERROR_UNSUPPORTED, "llama"},
        {TEXT("general.architecture", ""), CORVID_ERROR_UNSUPPORTED, "architecture"},
        {U32("general.architecture", 3), CORVID_ERROR_FORMAT, "general.architecture"},
        {TEXT("gemma3.block_count", "7"), CORVID_ERROR_FORMAT, "gemma3.block_count"},
        {U32("gemma3.block_count", 8), CORVID_ERROR_FORMAT, "blk.7."},
        {U32("gemma3.block_count", 0), CORVID_ERROR_FORMAT, "gemma3.block_count is 0"},
        {U32("gemma3.block_count", 4294967295.0), CORVID_ERROR_FORMAT, "gemma3.block_count is 4294967295"},
        {U32("gemma3.embedding_length", 36), CORVID_ERROR_FORMAT, "expected"},
        {U32("gemma3.feed_forward_length", 60), CORVID_ERROR_FORMAT, "ffn_"},
        {U32("gemma3.attention.head_count", 4), CORVID_ERROR_FORMAT, "attn_q"},
        {U32("gemma3.attention.head_count", 0), CORVID_ERROR_FORMAT, "head_count is 0"},
        {U32("gemma3.attention.head_count_kv", 3), CORVID_ERROR_FORMAT, "head_count"},
        {U32("gemma3.attention.key_length", 257), CORVID_ERROR_FORMAT, "key_length is 257"},
        {U32("gemma3.attention.sliding_window", 0), CORVID_ERROR_FORMAT, "sliding_window is 0"},
        {U32("gemma3.context_length", 0), CORVID_ERROR_FORMAT, "context_length is 0"},
        {F32("gemma3.attention.layer_norm_rms_epsilon", (double)-1), CORVID_ERROR_FORMAT, "epsilon"},
        {F32("gemma3.rope.freq_base", 0), CORVID_ERROR_FORMAT, "rope"},
        {F32("gemma3.rope.scaling.factor", -8), CORVID_ERROR_FORMAT, "rope"},
        {TEXT("tokenizer.ggml.model", "bert"), CORVID_ERROR_UNSUPPORTED, "bert"},
        {U32("tokenizer.ggml.bos_token_id", 64), CORVID_ERROR_FORMAT, "bos_token_id"},
    };
    (void)state;
    refuse_all(tiny_gemma_write(TINY_LAYERS).text, cases, COUNT(cases));
}

static void test_wrong_rwkv7(void **state)
{
    static const struct wrong cases[] = {
        {DROP("blk.1.time_mix_w1.weight"), CORVID_ERROR_FORMAT, "blk.1.time_mix_w1.weight"},
        {DROP("blk.2.time_mix_ln.bias"), CORVID_ERROR_FORMAT, "blk.2.time_mix_ln.bias"},
        {DROP("output.weight"), CORVID_ERROR_FORMAT, "output.weight"},
        {DROP("rwkv7.wkv.head_size"), CORVID_ERROR_FORMAT, "rwkv7.wkv.head_size"},
        {{.transpose = "blk.0.time_mix_g2.weight"}, CORVID_ERROR_FORMAT, "blk.0.time_mix_g2.weight"},
        {{.transpose = "blk.1.channel_mix_key.weight"}, CORVID_ERROR_FORMAT, "blk.1.channel_mix_key.weight"},
        {{.other_type = "blk.2.time_mix_k_k.weight"}, CORVID_ERROR_UNSUPPORTED, "type number 99"},
        {U32("rwkv7.wkv.head_size", 0), CORVID_ERROR_FORMAT, "head_size is 0"},
        {U32("rwkv7.wkv.head_size", 48), CORVID_ERROR_FORMAT, "no multiple"},
        {U32("rwkv7.token_shift_count", 1), CORVID_ERROR_UNSUPPORTED, "token_shift_count is 1"},
        {U32("rwkv7.embedding_length", 64), CORVID_ERROR_FORMAT, "expected"},
        {U32("rwkv7.feed_forward_length", 4), CORVID_ERROR_FORMAT, "channel_mix_key"},
    };
    (void)state;
    refuse_all(in_source("tests/golden/rwkv7/rand-rwkv7.gguf").text, cases, COUNT(cases));
}

static void test_wrong_files(void **state)
{
    (void)state;
    struct path path = temporary("no-such.gguf");
    expect_refused(path.text, NULL, CORVID_ERROR_IO, "no-such.gguf");
    path = temporary("empty.gguf");
    FILE *file = fopen(path.text, "wb");
    assert_non_null(file);
    fclose(file);
    expect_refused(path.text, NULL, CORVID_ERROR_IO, "is empty");
    expect_refused(in_source("README.md").text, NULL, CORVID_ERROR_FORMAT, "README.md");
}

static void test_wrong_options(void **state)
{
    static const struct {
        corvid_model_options options;
        const char *message;
    } cases[] = {
        {{.max_sessions = 1025}, "1025 sessions"},      {{.max_sessions = UINT32_MAX}, "4294967295 sessions"},
        {{.max_step_tokens = 4097}, "4097 tokens"},     {{.context = TINY_CONTEXT + 1}, "401 tokens"},
        {{.context = UINT32_MAX}, "4294967295 tokens"},
    };
    (void)state;
    struct path gemma = tiny_gemma_write(TINY_LAYERS);
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_refused(gemma.text, &cases[i].options, CORVID_ERROR_LIMIT, cases[i].message);
    corvid_model_options unknown = {.cache_type = (corvid_cache_type)(CORVID_CACHE_Q8_0 + 1)};
    expect_refused(gemma.text, &unknown, CORVID_ERROR_ARGUMENT, "cache_type 3");
}

static void test_description(void **state)
{
    (void)state;
    corvid_model *model = open_model(device, in_source(built_in_model).text, 2, 0, 0);
    const corvid_model_info *i = corvid_model_describe(model);
    assert_string_equal(i->architecture, "rwkv7");
    assert_string_equal(i->type, "Q8_0");
    assert_int_equal(i->layers, 6);
    assert_int_equal(i->embedding, 256);
    assert_int_equal(i->vocabulary, 2560);
    assert_int_equal(i->context, 0);
    assert_true(i->recurrent);
    /* twice two rows of 256 and four heads of 64 x 64, in six layers */
    assert_int_equal(i->state_bytes, 6 * (4 * 256 + 4 * 64 * 64) * sizeof(float));
    corvid_model_close(model);
    model = open_model(device, tiny_gemma_write(TINY_LAYERS).text, 1, 100, 0);
    i = corvid_model_describe(model);
    assert_string_equal(i->architecture, "gemma3");
    assert_string_equal(i->name, "tiny-gemma-7.gguf");
    assert_int_equal(i->context, 100);
    assert_int_equal(i->bos, 1);
    assert_int_equal(i->eos, 2);
    assert_false(i->recurrent);
    corvid_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_gemma),   cmocka_unit_test(test_wrong_rwkv7), cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_wrong_options), cmocka_unit_test(test_description),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
