/* test_cli_gpu.c - the command line end to end on a GPU or software Vulkan, and what it says where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/run_cli.h"

#define PROMPT "'User: Tell me a story about a fox.\n\nAssistant:'"
/* no Vulkan driver, no OpenGL through EGL */
#define NO_GPU "VK_DRIVER_FILES=/dev/null VK_ICD_FILENAMES=/dev/null __EGL_VENDOR_LIBRARY_FILENAMES=/dev/null $C "

static void test_devices(void **state)
{
    (void)state;
    json_t *devices = cli_json("$C devices --json"), *device;
    size_t i;
    assert_true(json_array_size(devices) >= 1);
    static const char *const numbers[] = {"max_buffer_bytes",      "max_binding_bytes",   "max_storage_buffers",
                                          "max_workgroup_threads", "max_workgroup_bytes", "max_workgroups",
                                          "storage_alignment",     "uniform_alignment"};
    json_array_foreach(devices, i, device)
    {
        assert_int_equal(json_integer_value(json_object_get(device, "index")), i);
        assert_true(json_string_length(json_object_get(device, "name")) > 0);
        assert_true(json_string_length(json_object_get(device, "runtime")) > 0);
        assert_true(json_string_length(json_object_get(device, "runtime_version")) > 0);
        assert_null(json_object_get(device, "subgroup_size"));
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            assert_true(json_integer_value(json_object_get(device, numbers[k])) > 0);
    }
    struct cli_result r = cli_run("$C devices");
    cli_expect(&r, 0, json_string_value(json_object_get(json_array_get(devices, 0), "name")), NULL);
    cli_free(&r);
    json_decref(devices);
}

static void test_devices_probed(void **state)
{
    (void)state;
    json_t *devices = cli_json("$C devices --probe --json"), *device;
    size_t i;
    json_array_foreach(devices, i, device)
    {
        assert_null(json_object_get(device, "error"));
        bool subgroups = json_is_true(json_object_get(device, "subgroups"));
        assert_int_equal(json_integer_value(json_object_get(device, "subgroup_size")) > 0, subgroups);
    }
    json_decref(devices);
    struct cli_result r = cli_run("$C devices --probe");
    cli_expect(&r, 0, "matrix shapes", NULL);
    cli_free(&r);
}

/* Every way to name the runtime that is there leads to it. */
static void test_choosing_a_runtime(void **state)
{
    static const char *const uses[] = {"CORVID_WEBGPU=wgpu-native $C devices", "$C devices --runtime wgpu-native",
                                       "CORVID_WEBGPU=nonsense $C devices --runtime wgpu-native",
                                       "$C devices --runtime $(dirname $C)/../lib/corvid/libwgpu_native.so"};
    (void)state;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        json_t *devices = cli_json("%s --json", uses[i]);
        const char *runtime = json_string_value(json_object_get(json_array_get(devices, 0), "runtime"));
        assert_string_equal(runtime, "wgpu-native");
        json_decref(devices);
    }
    json_t *a = cli_json("$C run --runtime wgpu-native --temp 0 -n 2 --json -p x");
    json_decref(a);
}

static void test_doctor(void **state)
{
    (void)state;
    json_t *report = cli_json("$C doctor --json"), *checks = json_object_get(report, "checks"), *check;
    assert_true(json_string_length(json_object_get(report, "system")) > 0);
    assert_true(json_integer_value(json_object_get(json_object_get(report, "device"), "max_buffer_bytes")) > 0);
    assert_int_equal(json_integer_value(json_object_get(report, "wrong")), 0);
    assert_string_equal(json_string_value(json_object_get(report, "advice")), "");
    assert_true(json_array_size(checks) > 20);
    size_t i;
    json_array_foreach(checks, i, check)
    {
        assert_true(json_is_true(json_object_get(check, "ok")));
        json_t *nmse = json_object_get(check, "nmse"), *limit = json_object_get(check, "limit");
        assert_true(json_is_real(nmse) && json_real_value(nmse) <= json_real_value(limit));
    }
    json_decref(report);
    struct cli_result r = cli_run("$C doctor --no-f16 --no-subgroups --no-matrix");
    cli_expect(&r, 0, "matmul Q4_K", NULL);
    cli_expect(&r, 0, "checks are right", NULL);
    assert_null(strstr(r.out, "\n--no"));
    cli_free(&r);
}

static void test_choosing_a_device(void **state)
{
    (void)state;
    json_t *a = cli_json("$C run --device 0 --temp 0 -n 4 --json -p x");
    json_decref(a);
    cli_expect_error("$C run --device 'no such device' -p x", 1, "no such device");
    cli_expect_error("$C run --device 99 -p x", 1, "99");
}

static void test_no_gpu(void **state)
{
    static const char *const uses[] = {"devices", "doctor >$T/report", "run -p x", "tune", "chat </dev/null", "bench"};
    (void)state;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        char command[256];
        snprintf(command, sizeof command, NO_GPU "%s", uses[i]);
        cli_expect_error(command, 1, "mesa-vulkan-drivers");
    }
    struct cli_result r = cli_run(NO_GPU "run --device reference --temp 0 -n 2 -p x");
    cli_expect(&r, 0, "", NULL);
    cli_free(&r);
}

static void test_no_library(void **state)
{
    (void)state;
    cli_expect_error("CORVID_WEBGPU=/nonexistent.so $C devices", 1, "/nonexistent.so");
}

/* The GPU writes what the scalar reference writes; with and without the optional features. */
static void test_run(void **state)
{
    static const char *const options[] = {"", "--no-f16", "--no-subgroups", "--check-shaders",
                                          "--validate --no-f16 --no-subgroups"};
    (void)state;
    json_t *reference = cli_json("$C run --device reference --temp 0 -n 5 --json -p %s", PROMPT);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        json_t *a = cli_json("$C run %s --temp 0 -n 5 --json -p %s", options[i], PROMPT);
        assert_string_equal(json_string_value(json_object_get(a, "text")),
                            json_string_value(json_object_get(reference, "text")));
        json_decref(a);
    }
    json_decref(reference);
}

static void test_run_twice(void **state)
{
    (void)state;
    struct cli_result a = cli_run("$C run --seed 3 -n 40 -p %s", PROMPT);
    struct cli_result b = cli_run("$C run --seed 3 -n 40 -p %s", PROMPT);
    cli_expect(&a, 0, " ", NULL);
    assert_string_equal(a.out, b.out);
    cli_free(&a);
    cli_free(&b);
}

/* A story ends by itself, at the empty line that the chat format ends with or at the end token. */
static void test_ends(void **state)
{
    (void)state;
    json_t *a = cli_json("$C run --temp 0 -n 400 --stop \"$(printf '\\n\\nx')\" --stop 'User:' --json -p %s", PROMPT);
    assert_string_equal(json_string_value(json_object_get(a, "finish_reason")), "stop");
    assert_null(strstr(json_string_value(json_object_get(a, "text")), "User:"));
    json_decref(a);
}

static void test_chat(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$C chat --temp 0 </dev/null");
    cli_expect(&r, 0, "> Tell me a story about a fox.\n", NULL);
    assert_non_null(strstr(r.out, "fox"));
    cli_free(&r);
    r = cli_run("printf 'What is 2213 plus 124?\\n/save %%s\\n/stats\\n' $T/saved | $C chat --temp 0");
    cli_expect(&r, 0, "2337", NULL);
    cli_expect(&r, 0, "turns: 1", NULL);
    cli_free(&r);
    r = cli_run("printf '/load %%s\\n/stats\\n' $T/saved | $C chat --temp 0");
    cli_expect(&r, 0, "turns: 1", NULL);
    cli_free(&r);
}

static void test_memory(void **state)
{
    (void)state;
    cli_expect_error("$C run --vram 1 -p x", 1, "MiB of device memory are needed, 1 are allowed");
    cli_expect_error("$C run --cache-type q4_0 -p x", 2, "expected f32, f16 or q8_0");
    struct cli_result r = cli_run("$C run --cache-type q8_0 --vram 1000 --verbose -n 1 --temp 0 -p %s", PROMPT);
    cli_expect(&r, 0, "", "memory: weights ");
    cli_expect(&r, 0, "", "start:  device ");
    cli_free(&r);
    r = cli_run("echo /stats | $C chat");
    cli_expect(&r, 0, "activations ", NULL);
    cli_free(&r);
}

/* It is stopped before it is done, which takes longer, and leaves nothing. */
static void test_tune(void **state)
{
    (void)state;
    cli_expect_error("$C tune --no-cache", 1, "set CORVID_CACHE to one");
    cli_expect_error("CORVID_CACHE=$T/t $C tune -m /missing.gguf", 1, "/missing.gguf");
    struct cli_result r = cli_run("CORVID_CACHE=$T/t timeout --preserve-status -s INT 2 $C tune; c=$?; "
                                  "ls $T/t/tuning-* 2>/dev/null; exit $c");
    cli_expect(&r, 130, "", "corvid: interrupted");
    assert_null(strstr(r.out, "tuning-"));
    cli_free(&r);
}

/* Compiled kernels are kept only where the runtime hands them out; nothing that is wrong with them stops anything. */
static void test_kept_kernels(void **state)
{
    (void)state;
    json_t *devices = cli_json("$C devices --json");
    bool kept = json_is_true(json_object_get(json_array_get(devices, 0), "pipeline_cache"));
    json_decref(devices);
    struct cli_result r = cli_run("CORVID_CACHE=$T/a $C run -v --no-cache -n 1 -p x && [ ! -e $T/a ]");
    cli_expect(&r, 0, "", "memory: ");
    cli_free(&r);
    r = cli_run("XDG_CACHE_HOME=$T/x CORVID_CACHE=off $C run -n 1 -p x && [ ! -e $T/x/corvid ]");
    cli_expect(&r, 0, "", NULL);
    cli_free(&r);
    if (!kept) return;
    r = cli_run("unset CORVID_CACHE; XDG_CACHE_HOME=$T/x $C run -v -n 1 -p x; ls $T/x/corvid");
    cli_expect(&r, 0, "kernels-", "were written");
    cli_free(&r);
    r = cli_run(
        "for f in $T/x/corvid/*; do echo damaged >$f; done; unset CORVID_CACHE; XDG_CACHE_HOME=$T/x $C run -n 1 -p x");
    cli_expect(&r, 0, "", "corvid: the file of compiled kernels ");
    cli_free(&r);
    r = cli_run("unset CORVID_CACHE; XDG_CACHE_HOME=$T/x $C run -v -n 1 -p x");
    cli_expect(&r, 0, "", "were read");
    cli_free(&r);
    r = cli_run("touch $T/file; CORVID_CACHE=$T/file/folder $C run -n 1 -p x");
    cli_expect(&r, 0, "", NULL); /* keeping nothing is no failure */
    cli_free(&r);
}

static void test_bench(void **state)
{
    (void)state;
    json_t *rows = cli_json("$C bench -p 8 -n 4 -r 1 -b 1,4 -o json");
    assert_int_equal(json_array_size(rows), 4);
    json_decref(rows);
    struct cli_result r = cli_run("$C bench -p 8 -n 4 -r 1");
    cli_expect(&r, 0, " tg4 |", NULL);
    cli_free(&r);
    r = cli_run("$C bench -p 8 -n 4 -r 1 -o csv");
    cli_expect(&r, 0, "avg_ts", NULL);
    cli_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_devices_probed),
        cmocka_unit_test(test_doctor),
        cmocka_unit_test(test_tune),
        cmocka_unit_test(test_choosing_a_device),
        cmocka_unit_test(test_choosing_a_runtime),
        cmocka_unit_test(test_no_gpu),
        cmocka_unit_test(test_no_library),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_run_twice),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_chat),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_kept_kernels),
        cmocka_unit_test(test_bench),
    };
    return cmocka_run_group_tests_name("cli_gpu", tests, cli_setup, cli_teardown);
}
