/* test_cli.c - the command line end to end, without a GPU: usage, files, streams, and text made by the scalar
 * reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/run_cli.h"

#define RUN "$C run --device reference"
#define CHAT "$C chat --device reference --temp 0 -n 12"
#define BUILT_IN "$(dirname $C)/../share/corvid/rwkv7-tiny-q8_0.gguf"
#define PROMPT "'User: Tell me a story about a fox.\n\nAssistant:'"

static const char *const commands[] = {"run",  "chat",    "bench",   "devices",  "doctor",
                                       "tune", "inspect", "explain", "quantize", "tokenize"};

/* ---- usage ---- */

static void test_help_and_version(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$C --help");
    cli_expect(&r, 0, "exit codes:", NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_non_null(strstr(r.out, commands[i]));
        char usage[64];
        snprintf(usage, sizeof usage, "usage: corvid %s", commands[i]);
        struct cli_result help = cli_run("$C %s --help", commands[i]);
        cli_expect(&help, 0, usage, NULL);
        struct cli_result version = cli_run("$C %s --version", commands[i]);
        cli_expect(&version, 0, "corvid ", NULL);
        cli_free(&help);
        cli_free(&version);
    }
    cli_free(&r);
    r = cli_run("$C --version");
    cli_expect(&r, 0, "corvid ", NULL);
    cli_free(&r);
}

static void test_wrong_usage(void **state)
{
    static const struct {
        const char *command, *message;
    } cases[] = {
        {"$C", "command is missing"},
        {"$C rnu", "did you mean run?"},
        {"$C xyzzy", "unknown command 'xyzzy'"},
        {"$C ''", "unknown command ''"},
        {"$C --verison", "did you mean --version?"},
        {"$C run --prmpt x", "did you mean --prompt?"},
        {"$C run -z", "unknown option '-z'"},
        {"$C run -p", "-p needs a value"},
        {"$C run --temp", "--temp needs a value"},
        {"$C run --json=1 -p x", "takes no value"},
        {"$C run x", "unexpected argument 'x'"},
        {"$C run", "a prompt is missing"},
        {"$C run -p a -f b", "exclude each other"},
        {"$C run -p x --stop ''", "--stop is empty"},
        {"$C run -p x --temp nan", "--temp is 'nan'"},
        {"$C run -p x --temp inf", "--temp is 'inf'"},
        {"$C run -p x --temp 0x10", "--temp is '0x10'"},
        {"$C run -p x --temp 1e999", "--temp is '1e999'"},
        {"$C run -p x --temp -1", "--temp is '-1'"},
        {"$C run -p x --temp ''", "--temp is ''"},
        {"$C run -p x --top-p 1.5", "from 0 to 1"},
        {"$C run -p x --top-k -1", "--top-k is '-1'"},
        {"$C run -p x -n 99999999999999999999", "-n is '99999999999999999999'"},
        {"$C run -p x -n 5x", "-n is '5x'"},
        {"$C run -p x -n ' 5'", "-n is ' 5'"},
        {"$C run -p x -n 1.5", "-n is '1.5'"},
        {"$C run -p x -n -2", "-n is '-2'"},
        {"$C run -p x --seed -1", "--seed is '-1'"},
        {"$C bench -b 0", "-b is '0'"},
        {"$C bench -b 1,,2", "-b is '1,,2'"},
        {"$C bench -b 1,2,", "-b is '1,2,'"},
        {"$C bench -r 0", "-r is '0'"},
        {"$C bench -o xml", "expected md, json or csv"},
        {"$C inspect", "too few arguments"},
        {"$C inspect a b", "unexpected argument 'b'"},
        {"$C quantize a b", "too few arguments"},
        {"$C chat hello", "unexpected argument 'hello'"},
        {"$C devices --runtime", "--runtime needs a value"},
        {"$C doctor x", "unexpected argument 'x'"},
        {"$C tune x", "unexpected argument 'x'"},
        {"$C tune --no-tuning", "unknown option '--no-tuning'"},
        {"$C doctor --context 5", "unknown option '--context'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) cli_expect_error(cases[i].command, 2, cases[i].message);
}

/* What is wrong with a runtime is said before any GPU is needed. */
static void test_wrong_runtimes(void **state)
{
    static const char *const uses[] = {"devices", "devices --probe", "doctor", "run -p x", "chat </dev/null", "bench"};
    (void)state;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        char command[256];
        snprintf(command, sizeof command, "CORVID_WEBGPU=nonsense $C %s%s", uses[i],
                 strcmp(uses[i], "doctor") ? "" : " >$T/report");
        cli_expect_error(command, 1, "no WebGPU runtime is called \"nonsense\": expected wgpu30");
    }
    cli_expect_error("$C devices --runtime nonsense", 1, "wgpu-native (libwgpu_native.so), or the path");
    cli_expect_error("CORVID_WEBGPU=nonsense $C devices --runtime /missing/lib.so", 1, "/missing/lib.so");
    cli_expect_error("$C run --runtime $T/missing.so -p x", 1, "missing.so");
    cli_expect_error("echo hello >$T/broken.so && $C run --runtime $T/broken.so -p x", 1, "broken.so cannot be used");
    /* a library that is none of WebGPU's */
    cli_expect_error("$C run --runtime libm.so.6 -p x", 1, "libm.so.6 cannot be used");
    /* a known one that is not there: a copy of the program has no lib/corvid beside it */
    cli_expect_error("mkdir -p $T/bin && cp $C $T/bin/corvid && $T/bin/corvid run --runtime wgpu30 -m x -p x", 1,
                     "looked for libcorvid_wgpu.so");
    struct cli_result r = cli_run("cat $T/report");
    cli_expect(&r, 0, "corvid ", NULL);
    cli_free(&r);
}

/* ---- files ---- */

static void test_bad_files(void **state)
{
    static const char *const uses[] = {"inspect $T/%s", "explain -m $T/%s", "tokenize -m $T/%s -p x",
                                       "run --device reference -m $T/%s -p x", "quantize $T/%s $T/new.gguf Q8_0"};
    static const char *const files[] = {"missing.gguf", "folder.gguf", "empty.gguf", "text.gguf", "cut.gguf"};
    (void)state;
    struct cli_result r = cli_run("cd $T && mkdir folder.gguf && : >empty.gguf && echo hello >text.gguf && "
                                  "head -c 3000 " BUILT_IN " >cut.gguf");
    cli_expect(&r, 0, NULL, NULL);
    cli_free(&r);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            char use[128], command[160];
            snprintf(use, sizeof use, "%s", uses[i]);
            char *at = strstr(use, "%s");
            snprintf(command, sizeof command, "$C %.*s%s%s", (int)(at - use), use, files[k], at + 2);
            cli_expect_error(command, 1, files[k]);
        }
    }
    r = cli_run("ls $T/new.gguf");
    assert_int_not_equal(r.code, 0);
    cli_free(&r);
}

static void test_bad_prompt_files(void **state)
{
    (void)state;
    cli_expect_error("$C tokenize -f $T/missing.txt", 1, "missing.txt");
    cli_expect_error("$C tokenize -f $T", 1, "is a folder");
    cli_expect_error("$C tokenize -p - <&-", 1, "standard input");
}

static void test_inspect(void **state)
{
    (void)state;
    json_t *file = cli_json("$C inspect --json " BUILT_IN);
    json_t *metadata = json_object_get(file, "metadata"), *tensors = json_object_get(file, "tensors");
    json_t *architecture = json_object_get(metadata, "general.architecture");
    assert_string_equal(json_string_value(json_object_get(architecture, "value")), "rwkv7");
    json_t *vocabulary = json_object_get(metadata, "tokenizer.ggml.tokens");
    assert_int_equal(json_integer_value(json_object_get(vocabulary, "count")), 2560);
    assert_int_equal(json_array_size(json_object_get(vocabulary, "value")), 8);
    json_int_t n = 0, bytes = 0, sum = 0;
    size_t i;
    const char *type;
    json_t *item;
    json_object_foreach(json_object_get(file, "totals"), type, item)
    {
        n += json_integer_value(json_object_get(item, "tensors"));
        bytes += json_integer_value(json_object_get(item, "bytes"));
    }
    assert_int_equal(n, json_array_size(tensors));
    json_array_foreach(tensors, i, item) sum += json_integer_value(json_object_get(item, "bytes"));
    assert_int_equal(sum, bytes);
    assert_true(bytes > 0 && bytes < json_integer_value(json_object_get(file, "bytes")));
    assert_true(json_object_get(json_object_get(file, "totals"), "Q8_0"));
    json_decref(file);
    struct cli_result r = cli_run("$C inspect " BUILT_IN);
    cli_expect(&r, 0, "general.architecture (string) = \"rwkv7\"", NULL);
    cli_expect(&r, 0, "token_embd.weight", NULL);
    cli_free(&r);
}

/* Text from a file or an argument must not move the cursor or colour the screen. */
static void test_no_terminal_injection(void **state)
{
    (void)state;
    struct cli_result r =
        cli_run("sed 's/RWKV-7 Tiny/RWKV-7 T\\x1bn\\n/' " BUILT_IN " >$T/evil.gguf; $C inspect $T/evil.gguf");
    cli_expect(&r, 0, "\"RWKV-7 T\\x1bn\\n\"", NULL);
    assert_null(strchr(r.out, '\x1b'));
    cli_free(&r);
    r = cli_run("$C $(printf 'x\\033[31m')");
    cli_expect(&r, 2, NULL, "unknown command");
    assert_null(strchr(r.err, '\x1b'));
    cli_free(&r);
}

static void test_explain(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$C explain");
    cli_expect(&r, 0, "WKV7", NULL);
    cli_free(&r);
}

static void test_quantize(void **state)
{
    (void)state;
    cli_expect_error("$C quantize " BUILT_IN " $T/again.gguf Q8_0", 1, "nothing to change to Q8_0");
    json_t *out = cli_json("cp $S/tests/golden/rwkv7/rand-rwkv7.gguf $T/same.gguf && $C quantize $T/same.gguf "
                           "$T/q8.gguf Q8_0 && $C inspect --json $T/q8.gguf");
    json_t *q8 = json_object_get(json_object_get(out, "totals"), "Q8_0");
    /* 34 bytes for 32 weights */
    json_int_t bytes = json_integer_value(json_object_get(q8, "bytes"));
    assert_true(bytes > 0);
    assert_int_equal(bytes * 32, json_integer_value(json_object_get(q8, "parameters")) * 34);
    json_decref(out);
    cli_expect_error("$C quantize " BUILT_IN " $T/bad.gguf Q9_9", 1, "Q9_9");
    struct cli_result r = cli_run("ls $T/bad.gguf*");
    assert_int_not_equal(r.code, 0);
    cli_free(&r);
    cli_expect_error("$C quantize $T/same.gguf $T/./same.gguf Q8_0", 2, "are one file");
    cli_expect_error("ln -s same.gguf $T/link.gguf && $C quantize $T/same.gguf $T/link.gguf Q8_0", 2, "are one file");
    cli_expect_error("$C quantize $T/same.gguf $T Q8_0", 1, "is a folder");
    cli_expect_error("$C quantize $T/same.gguf $T/none/new.gguf Q8_0", 1, "none/new.gguf");
}

static void test_quantize_floats(void **state)
{
    (void)state;
    struct cli_result found = cli_run("ls ${CORVID_SHARED:-$S/../shared}/models/rwkv7-tiny-f16.gguf");
    int code = found.code;
    cli_free(&found);
    if (code) skip();
    json_t *file = cli_json("$C quantize ${CORVID_SHARED:-$S/../shared}/models/rwkv7-tiny-f16.gguf $T/q4.gguf Q4_K && "
                            "$C inspect --json $T/q4.gguf");
    json_t *q4 = json_object_get(json_object_get(file, "totals"), "Q4_K");
    /* 144 bytes for 256 weights */
    json_int_t bytes = json_integer_value(json_object_get(q4, "bytes"));
    assert_true(bytes > 0);
    assert_int_equal(bytes * 256, json_integer_value(json_object_get(q4, "parameters")) * 144);
    json_decref(file);
    struct cli_result r = cli_run(RUN " -m $T/q4.gguf --temp 0 -n 8 -p %s", PROMPT);
    cli_expect(&r, 0, " Once upon a", NULL);
    cli_free(&r);
}

/* ---- tokens ---- */

static void test_tokenize(void **state)
{
    static const int expected[] = {1172, 59, 1376, 568, 289, 2043, 1859, 289, 1007, 47, 257, 2533, 59};
    (void)state;
    json_t *object = cli_json("$C tokenize --json -p %s", PROMPT), *item;
    json_t *tokens = json_object_get(object, "tokens");
    size_t i, n = sizeof expected / sizeof *expected;
    assert_int_equal(json_integer_value(json_object_get(object, "count")), n);
    assert_int_equal(json_array_size(tokens), n);
    assert_int_equal(json_array_size(json_object_get(object, "pieces")), n);
    json_array_foreach(tokens, i, item) assert_int_equal(json_integer_value(item), expected[i]);
    json_decref(object);
    struct cli_result r = cli_run("printf 'User:' | $C tokenize --ids -p -");
    cli_expect(&r, 0, "1172 59\n", NULL);
    cli_free(&r);
    r = cli_run("$C tokenize -p User:");
    cli_expect(&r, 0, "1172  User\n", NULL);
    cli_free(&r);
}

/* ---- text ---- */

static void test_run_json(void **state)
{
    (void)state;
    json_t *a = cli_json(RUN " --temp 0 -n 12 --json -p %s", PROMPT);
    json_t *b = cli_json(RUN " --temp 0 -n 12 --json -p %s", PROMPT);
    assert_string_equal(json_string_value(json_object_get(a, "prompt")),
                        "User: Tell me a story about a fox.\n\nAssistant:");
    assert_int_equal(json_array_size(json_object_get(a, "prompt_tokens")), 13);
    assert_int_equal(json_array_size(json_object_get(a, "tokens")), 12);
    assert_string_equal(json_string_value(json_object_get(a, "finish_reason")), "length");
    assert_true(json_string_length(json_object_get(a, "text")) > 0);
    assert_true(json_equal(json_object_get(a, "tokens"), json_object_get(b, "tokens")));
    json_t *timings = json_object_get(a, "timings");
    assert_true(json_real_value(json_object_get(timings, "load_ms")) > 0);
    assert_int_equal(json_integer_value(json_object_get(timings, "prefill_tokens")), 13);
    assert_int_equal(json_integer_value(json_object_get(timings, "decode_tokens")), 11);
    assert_true(json_real_value(json_object_get(timings, "prefill_tokens_per_second")) > 0);
    assert_true(json_real_value(json_object_get(timings, "decode_tokens_per_second")) > 0);
    struct cli_result r = cli_run(RUN " --temp 0 -n 12 -p %s", PROMPT);
    cli_expect(&r, 0, "", NULL);
    assert_string_equal(r.out, json_string_value(json_object_get(a, "text")));
    cli_free(&r);
    json_decref(a);
    json_decref(b);
}

static void test_seed(void **state)
{
    (void)state;
    json_t *a = cli_json(RUN " --temp 2 --top-p 1 --seed 7 -n 12 --json -p %s", PROMPT);
    json_t *b = cli_json(RUN " --temp 2 --top-p 1 --seed 7 -n 12 --json -p %s", PROMPT);
    json_t *c = cli_json(RUN " --temp 2 --top-p 1 --seed 8 -n 12 --json -p %s", PROMPT);
    assert_int_equal(json_integer_value(json_object_get(a, "seed")), 7);
    assert_true(json_equal(json_object_get(a, "tokens"), json_object_get(b, "tokens")));
    assert_false(json_equal(json_object_get(a, "tokens"), json_object_get(c, "tokens")));
    json_decref(a);
    json_decref(b);
    json_decref(c);
}

/* A story begins "Once upon a time there was": words that cannot be cut elsewhere by accident. */
static void test_stop(void **state)
{
    (void)state;
    json_t *whole = cli_json(RUN " --temp 0 -n 16 --json -p %s", PROMPT);
    const char *text = json_string_value(json_object_get(whole, "text"));
    size_t length = strlen(text);
    assert_true(length > 16);
    /* from the middle of the text, over token borders */
    char stop[7] = "";
    memcpy(stop, text + 8, 6);
    assert_null(strpbrk(stop, "'\\"));
    json_t *cut = cli_json(RUN " --temp 0 -n 16 --json --stop @never@ --stop '%s' -p %s", stop, PROMPT);
    size_t first = (size_t)(strstr(text, stop) - text);
    const char *cut_text = json_string_value(json_object_get(cut, "text"));
    assert_int_equal(strlen(cut_text), first);
    assert_memory_equal(cut_text, text, first);
    assert_string_equal(json_string_value(json_object_get(cut, "finish_reason")), "stop");
    /* the beginning of a stop string that never comes whole is not lost */
    json_t *kept = cli_json(RUN " --temp 0 -n 16 --json --stop '%s@' -p %s", text + length - 3, PROMPT);
    assert_string_equal(json_string_value(json_object_get(kept, "text")), text);
    json_decref(whole);
    json_decref(cut);
    json_decref(kept);
}

static void test_prompts(void **state)
{
    (void)state;
    json_t *a = cli_json(RUN " --temp 0 -n 4 --json -p 'One two'");
    json_t *b = cli_json("printf 'One two' | " RUN " --temp 0 -n 4 --json -p -");
    json_t *c = cli_json("printf 'One two' >$T/p && " RUN " --temp=0 -n4 --json -f $T/p");
    assert_true(json_equal(json_object_get(a, "tokens"), json_object_get(b, "tokens")));
    assert_true(json_equal(json_object_get(a, "tokens"), json_object_get(c, "tokens")));
    json_decref(a);
    json_decref(b);
    json_decref(c);
    /* broken UTF-8 is still a prompt, and JSON stays JSON */
    a = cli_json("printf 'a\\377\\000b' | " RUN " --temp 0 -n 2 --json -p -");
    assert_int_equal(json_string_length(json_object_get(a, "prompt")), 6);
    json_decref(a);
    a = cli_json(RUN " -n 0 --json -p x");
    assert_int_equal(json_array_size(json_object_get(a, "tokens")), 0);
    json_decref(a);
}

static void test_streams(void **state)
{
    (void)state;
    struct cli_result r = cli_run("{ " RUN " -n 40 -p %s; echo code $? >&2; } | head -c 1", PROMPT);
    cli_expect(&r, 0, " ", "code 0\n");
    cli_free(&r);
    r = cli_run("{ $C inspect " BUILT_IN "; echo code $? >&2; } | head -c 1");
    cli_expect(&r, 0, "G", "code 0\n");
    cli_free(&r);
    cli_expect_error("$C --help >/dev/full", 1, "cannot write the output");
    cli_expect_error(RUN " -n 4 -p x >/dev/full", 1, "cannot write the output");
    cli_expect_error("$C --help >&-", 1, "cannot write the output");
    cli_expect_error(RUN " -n 4 --json -p x >/dev/full", 1, "cannot write the output");
}

static void test_interrupt(void **state)
{
    (void)state;
    /* a shell's background job ignores Ctrl-C, its foreground child does not */
    struct cli_result r = cli_run("(sleep 2; kill -INT $(cat $T/pid)) & sh -c 'echo $$ >$T/pid; exec " RUN
                                  " --ignore-eos -n -1 -p x' >/dev/null");
    cli_expect(&r, 130, NULL, "");
    cli_free(&r);
}

/* ---- chat ---- */

static void test_chat_without_input(void **state)
{
    static const char *const inputs[] = {"</dev/null", "<&-", "< $T/nothing"};
    (void)state;
    struct cli_result r = cli_run(": >$T/nothing");
    cli_free(&r);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        r = cli_run(CHAT " %s", inputs[i]);
        cli_expect(&r, 0, "> Tell me a story about a fox.\n", NULL);
        assert_true(strlen(r.out) > strlen("> Tell me a story about a fox.\n") + 10);
        cli_free(&r);
    }
}

static void test_chat_lines(void **state)
{
    (void)state;
    struct cli_result r = cli_run("printf 'Hello.\\n/stats\\n/reset\\n/stats\\n/help\\n/quit\\nnot read\\n' | " CHAT);
    cli_expect(&r, 0, "turns: 1, tokens in the state: ", NULL);
    cli_expect(&r, 0, "turns: 0, tokens in the state: 0", NULL);
    cli_expect(&r, 0, "/load", NULL);
    cli_free(&r);
    r = cli_run("printf '/nonsense\\n' | " CHAT);
    cli_expect(&r, 1, "/reset", "'/nonsense' is no command");
    cli_free(&r);
    cli_expect_error("printf '/save\\n' | " CHAT, 1, "/save needs a value");
}

/* A saved conversation goes on as if it had never stopped. */
static void test_chat_save(void **state)
{
    (void)state;
    struct cli_result whole = cli_run("printf 'What is 2 + 2?\\nHello.\\n/stats\\n' | " CHAT " | grep -v '^last'");
    struct cli_result first = cli_run("printf 'What is 2 + 2?\\n/save %%s\\n' $T/saved | " CHAT);
    struct cli_result second =
        cli_run("printf 'Bye.\\n/load %%s\\nHello.\\n/stats\\n' $T/saved | " CHAT " | grep -v '^last' | tail -n +2");
    cli_expect(&whole, 0, "turns: 2", NULL);
    cli_expect(&first, 0, "", NULL);
    cli_expect(&second, 0, "turns: 2", NULL);
    size_t n = strlen(first.out);
    assert_memory_equal(whole.out, first.out, n);
    assert_string_equal(whole.out + n, second.out);
    cli_free(&whole);
    cli_free(&first);
    cli_free(&second);
}

static void test_chat_bad_saves(void **state)
{
    (void)state;
    struct cli_result r = cli_run("cd $T && printf 'Hello.\\n/save good\\n' | " CHAT " >/dev/null && "
                                  "head -c 31 good >short && head -c 1000 good >cut && (cat good; echo) >long && "
                                  "sed 's/^CORVIDCH./CORVIDCH\\x63/' good >version && echo hello >text && ls -a");
    cli_expect(&r, 0, "good", NULL);
    assert_null(strstr(r.out, ".part"));
    cli_free(&r);
    cli_expect_error("cd $T && printf '/load short\\n' | " CHAT, 1, "is no conversation");
    cli_expect_error("cd $T && printf '/load text\\n' | " CHAT, 1, "is no conversation");
    cli_expect_error("cd $T && printf '/load cut\\n' | " CHAT, 1, "cut or damaged");
    cli_expect_error("cd $T && printf '/load long\\n' | " CHAT, 1, "cut or damaged");
    cli_expect_error("cd $T && printf '/load version\\n' | " CHAT, 1, "version 99");
    cli_expect_error("cd $T && printf '/load missing\\n' | " CHAT, 1, "missing");
    cli_expect_error("cd $T && printf '/load .\\n' | " CHAT, 1, "is a folder");
    cli_expect_error("cd $T && printf '/save none/x\\n' | " CHAT, 1, "none/x");
    /* one bit of the state */
    cli_expect_error("cd $T && { head -c 5000 good; printf '\\125'; tail -c +5002 good; } >bit && cmp -s bit good; "
                     "printf '/load bit\\n' | " CHAT,
                     1, "");
}

/* ---- bench ---- */

static void test_bench(void **state)
{
    (void)state;
    const char *bench = "$C bench --device reference -p 8 -n 4 -r 2 -b 1,2";
    json_t *rows = cli_json("%s -o json", bench), *row;
    size_t i;
    assert_int_equal(json_array_size(rows), 4);
    json_array_foreach(rows, i, row)
    {
        assert_int_equal(json_integer_value(json_object_get(row, "batch")), i < 2 ? 1 : 2);
        assert_int_equal(json_integer_value(json_object_get(row, "n_prompt")), i % 2 ? 0 : 8);
        assert_int_equal(json_integer_value(json_object_get(row, "n_gen")), i % 2 ? 4 : 0);
        assert_int_equal(json_array_size(json_object_get(row, "samples_ns")), 2);
        assert_true(json_real_value(json_object_get(row, "avg_ts")) > 0);
        assert_true(json_is_real(json_object_get(row, "stddev_ts")));
    }
    json_decref(rows);
    struct cli_result r = cli_run("%s", bench);
    cli_expect(&r, 0, " pp8 |", NULL);
    cli_expect(&r, 0, " tg4 |", NULL);
    cli_expect(&r, 0, " ± ", NULL);
    cli_free(&r);
    r = cli_run("%s -o csv | wc -l", bench);
    cli_expect(&r, 0, "5\n", NULL);
    cli_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_wrong_runtimes),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_prompt_files),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_no_terminal_injection),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_quantize),
        cmocka_unit_test(test_quantize_floats),
        cmocka_unit_test(test_tokenize),
        cmocka_unit_test(test_run_json),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_chat_without_input),
        cmocka_unit_test(test_chat_lines),
        cmocka_unit_test(test_chat_save),
        cmocka_unit_test(test_chat_bad_saves),
        cmocka_unit_test(test_bench),
    };
    return cmocka_run_group_tests_name("cli", tests, cli_setup, cli_teardown);
}
