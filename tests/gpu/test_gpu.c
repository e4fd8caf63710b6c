/* test_gpu.c - buffers, pools, kernels, passes, readback and their errors, on whatever device there is. */
#define _POSIX_C_SOURCE 200809L

#include "gpu/gpu.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char double_wgsl[] = "struct Params { factor: u32 }\n"
                                  "@group(0) @binding(0) var<uniform> params: Params;\n"
                                  "@group(0) @binding(1) var<storage, read> x: array<u32>;\n"
                                  "@group(0) @binding(2) var<storage, read_write> y: array<u32>;\n"
                                  "@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
                                  "    y[id.x] = x[id.x] * params.factor;\n"
                                  "}\n";

static const char *device(void) { return getenv("CORVID_DEVICE"); }

static int open_gpu(void **state)
{
    struct error err = {0};
    *state = gpu_open(&(struct gpu_options){.device = device(), .validate = true}, &err);
    if (!*state) fprintf(stderr, "no GPU: %s\n", err.message);
    return *state ? 0 : 1;
}

static int close_gpu(void **state)
{
    gpu_close(*state);
    return 0;
}

static struct gpu_buffer *buffer_of(struct gpu *gpu, uint64_t bytes)
{
    struct error err = {0};
    struct gpu_buffer *b = gpu_buffer_create(gpu, "test", bytes, &err);
    if (!b) fail_msg("%s", err.message);
    return b;
}

/* reads range into out, in a submission of its own */
static void read_range(struct gpu *gpu, struct gpu_range range, void *out)
{
    unsigned ticket;
    const void *data;
    gpu_begin(gpu, "test");
    assert_true(gpu_read(gpu, range, &ticket, NULL));
    assert_true(gpu_submit(gpu, NULL));
    assert_true(gpu_wait(gpu, ticket, &data, NULL));
    memcpy(out, data, (size_t)range.bytes);
    gpu_release(gpu, ticket);
}

/* ---- devices ---- */

static void lists_devices(void **state)
{
    (void)state;
    struct gpu_info infos[32];
    size_t n = 0, same = 0;
    assert_true(gpu_list(NULL, infos, 32, &n, NULL));
    assert_in_range(n, 1, 32);
    for (size_t i = 0; i < n; i++) {
        assert_true(infos[i].name[0] && infos[i].backend[0] && infos[i].kind[0]);
        assert_true(infos[i].max_workgroup_threads >= 256 && infos[i].max_workgroup_bytes >= 16384);
        assert_true(infos[i].max_binding_bytes >= 128 << 20 && infos[i].max_groups >= 65535);
    }
    assert_true(gpu_list(NULL, NULL, 0, &same, NULL));
    assert_int_equal(same, n);
}

static void options_take_features_away(void **state)
{
    (void)state;
    struct gpu_options options = {.device = device(), .no_f16 = true, .no_subgroups = true};
    struct gpu *gpu = gpu_open(&options, NULL);
    assert_non_null(gpu);
    assert_false(gpu_describe(gpu)->shader_f16 || gpu_describe(gpu)->subgroups || gpu_describe(gpu)->subgroup_size);
    gpu_close(gpu);
}

static void subgroups_have_a_size(void **state)
{
    const struct gpu_info *info = gpu_describe(*state);
    if (!info->subgroups) skip();
    assert_in_range(info->subgroup_size, 4, 128);
    assert_int_equal(info->subgroup_size & (info->subgroup_size - 1), 0);
}

static void no_such_device(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(gpu_open(&(struct gpu_options){.device = "nonexistent"}, &err));
    assert_int_equal(err.code, ERR_NO_DEVICE);
    assert_non_null(strstr(err.message, "nonexistent"));
    err = (struct error){0};
    assert_null(gpu_open(&(struct gpu_options){.device = "999"}, &err));
    assert_int_equal(err.code, ERR_NO_DEVICE);
}

static void no_such_library(void **state)
{
    (void)state;
    const char *set = getenv("CORVID_WEBGPU");
    char *before = set ? strdup(set) : NULL;
    struct error err = {0};
    setenv("CORVID_WEBGPU", "/nonexistent/libwgpu_native.so", 1);
    struct gpu *gpu = gpu_open(NULL, &err);
    if (before) setenv("CORVID_WEBGPU", before, 1);
    else unsetenv("CORVID_WEBGPU");
    free(before);
    assert_null(gpu);
    assert_int_equal(err.code, ERR_NO_DEVICE);
    assert_non_null(strstr(err.message, "/nonexistent/libwgpu_native.so"));
}

static void close_accepts_null(void **state)
{
    (void)state;
    gpu_close(NULL);
    gpu_buffer_destroy(NULL);
    gpu_kernel_destroy(NULL);
    gpu_bindings_destroy(NULL);
    gpu_pool_destroy(NULL);
}

/* ---- buffers ---- */

static void buffers_start_zeroed(void **state)
{
    struct gpu_buffer *b = buffer_of(*state, 4096);
    uint8_t got[4096], zeros[4096] = {0};
    memset(got, 1, sizeof got);
    read_range(*state, (struct gpu_range){b, 0, sizeof got}, got);
    assert_memory_equal(got, zeros, sizeof got);
    gpu_buffer_destroy(b);
}

static void reads_what_was_written(void **state)
{
    struct gpu_buffer *b = buffer_of(*state, 1024);
    uint32_t words[256], got[256], part[4] = {~0u, ~1u, ~2u, ~3u};
    for (uint32_t i = 0; i < 256; i++) words[i] = i * 2654435761u;
    gpu_write(*state, b, 0, words, sizeof words);
    gpu_write(*state, b, 400, part, sizeof part);
    memcpy(words + 100, part, sizeof part);
    read_range(*state, (struct gpu_range){b, 0, sizeof got}, got);
    assert_memory_equal(got, words, sizeof words);
    read_range(*state, (struct gpu_range){b, 396, 8}, got);
    assert_memory_equal(got, words + 99, 8);
    gpu_buffer_destroy(b);
}

static void copies_and_clears(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_buffer *a = buffer_of(gpu, 64), *b = buffer_of(gpu, 64);
    uint32_t words[16], got[16], want[16] = {0};
    for (uint32_t i = 0; i < 16; i++) words[i] = i + 1;
    gpu_write(gpu, a, 0, words, sizeof words);
    gpu_begin(gpu, "test");
    gpu_copy(gpu, (struct gpu_range){a, 8, 32}, (struct gpu_range){b, 16, 32});
    gpu_clear(gpu, (struct gpu_range){b, 24, 8});
    assert_true(gpu_submit(gpu, NULL));
    memcpy(want + 4, words + 2, 32);
    want[6] = want[7] = 0;
    read_range(gpu, (struct gpu_range){b, 0, sizeof got}, got);
    assert_memory_equal(got, want, sizeof want);
    gpu_buffer_destroy(a);
    gpu_buffer_destroy(b);
}

static void too_large_a_buffer(void **state)
{
    struct error err = {0};
    assert_null(gpu_buffer_create(*state, "huge", gpu_describe(*state)->max_buffer_bytes + 4, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "huge"));
}

static void pool_ranges_are_aligned_and_apart(void **state)
{
    enum { RANGES = 40, BYTES = 4096 };
    struct gpu_pool *pool = gpu_pool_create(*state, "pool", BYTES);
    struct gpu_range r[RANGES];
    uint64_t asked = 0;
    for (size_t i = 0; i < RANGES; i++) {
        uint64_t bytes = i == 20 ? 3 * BYTES : 4 + 92 * i; /* one is larger than the pool's buffers */
        assert_true(gpu_pool_alloc(pool, bytes, &r[i], NULL));
        asked += bytes;
        assert_int_equal(r[i].bytes, bytes);
        assert_int_equal(r[i].at % gpu_describe(*state)->storage_alignment, 0);
        assert_int_equal(r[i].at % gpu_describe(*state)->uniform_alignment, 0);
        for (size_t k = 0; k < i; k++)
            assert_true(r[k].buffer != r[i].buffer || r[k].at + r[k].bytes <= r[i].at || r[i].at + bytes <= r[k].at);
    }
    struct error err = {0};
    assert_false(gpu_pool_alloc(pool, UINT64_MAX - 3, &r[0], &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(gpu_pool_make(pool, NULL));
    assert_in_range(gpu_pool_bytes(pool), asked, asked + 256 * RANGES);
    /* every range can be written to its last byte */
    for (uint32_t i = 0; i < RANGES; i++) gpu_write(*state, r[i].buffer, r[i].at + r[i].bytes - 4, &i, 4);
    for (uint32_t i = 0; i < RANGES; i++) {
        uint32_t got = ~i;
        read_range(*state, (struct gpu_range){r[i].buffer, r[i].at + r[i].bytes - 4, 4}, &got);
        assert_int_equal(got, i);
    }
    gpu_pool_destroy(pool);
}

static void uploads_arrive_in_order(void **state)
{
    enum { WORDS = 1000, ROUNDS = 5 };
    struct gpu *gpu = *state;
    struct gpu_buffer *b = buffer_of(gpu, ROUNDS * WORDS * 4);
    struct gpu_upload *uploads[2];
    uint32_t got[WORDS];
    for (int i = 0; i < 2; i++) {
        uploads[i] = gpu_upload_create(gpu, WORDS * 4, NULL);
        assert_non_null(uploads[i]);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t *words = gpu_upload_begin(uploads[round % 2], NULL);
        assert_non_null(words);
        for (uint32_t i = 0; i < WORDS; i++) words[i] = round << 16 | i;
        /* halves change places */
        const struct gpu_upload_copy copies[] = {{0, {b, (round * WORDS + WORDS / 2) * 4, WORDS * 2}},
                                                 {WORDS * 2, {b, round * WORDS * 4, WORDS * 2}}};
        assert_true(gpu_upload_end(uploads[round % 2], copies, 2, NULL));
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        read_range(gpu, (struct gpu_range){b, round * sizeof got, sizeof got}, got);
        for (uint32_t i = 0; i < WORDS; i++) assert_int_equal(got[i], round << 16 | (i + WORDS / 2) % WORDS);
    }
    assert_non_null(gpu_upload_begin(uploads[0], NULL)); /* and not used any more */
    gpu_upload_destroy(uploads[0]);
    gpu_upload_destroy(uploads[1]); /* its last copies may still run */
    gpu_upload_destroy(NULL);
    assert_true(gpu_check(gpu, NULL));
    struct error err = {0};
    assert_null(gpu_upload_create(gpu, UINT64_C(1) << 60, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    gpu_buffer_destroy(b);
}

static void memory_is_told_as_it_is_used(void **state)
{
    struct gpu_memory before, after;
    if (!gpu_memory_now(*state, &before)) skip(); /* wgpu-native does not tell */
    struct gpu_buffer *b = buffer_of(*state, 40 << 20);
    assert_true(gpu_memory_now(*state, &after));
    assert_true(after.allocated_bytes >= before.allocated_bytes + (40 << 20));
    assert_true(after.reserved_bytes >= after.allocated_bytes);
    assert_in_range(after.n_heaps, 1, GPU_MAX_HEAPS);
    for (size_t i = 0; i < after.n_heaps; i++) assert_true(after.heaps[i].bytes >= 1 << 20);
    gpu_buffer_destroy(b);
}

/* ---- kernels and passes ---- */

static void dispatches_see_earlier_ones(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_buffer *params = buffer_of(gpu, 256), *a = buffer_of(gpu, 64), *b = buffer_of(gpu, 64);
    struct gpu_kernel *kernel = gpu_kernel_create(gpu, "double", double_wgsl, "urw", NULL);
    assert_non_null(kernel);
    const struct gpu_range there[] = {{params, 0, 256}, {a, 0, 64}, {b, 0, 64}};
    const struct gpu_range back[] = {{params, 0, 256}, {b, 0, 64}, {a, 0, 64}};
    struct gpu_bindings *there_bound = gpu_bindings_create(gpu, kernel, there, 3, NULL);
    struct gpu_bindings *back_bound = gpu_bindings_create(gpu, kernel, back, 3, NULL);
    assert_true(there_bound && back_bound);
    uint32_t factor = 3, words[16], got[16];
    for (uint32_t i = 0; i < 16; i++) words[i] = i;
    gpu_write(gpu, params, 0, &factor, 4);
    gpu_write(gpu, a, 0, words, 64);
    const uint32_t groups[3] = {4, 1, 1};
    unsigned ticket;
    const void *data;
    gpu_begin(gpu, "test");
    gpu_dispatch(gpu, kernel, there_bound, groups);
    gpu_dispatch(gpu, kernel, back_bound, groups);
    gpu_dispatch(gpu, kernel, there_bound, groups);
    assert_true(gpu_read(gpu, (struct gpu_range){b, 0, 64}, &ticket, NULL));
    assert_true(gpu_submit(gpu, NULL));
    factor = 5; /* too late for what is submitted */
    gpu_write(gpu, params, 0, &factor, 4);
    assert_true(gpu_wait(gpu, ticket, &data, NULL));
    memcpy(got, data, 64);
    gpu_release(gpu, ticket);
    for (uint32_t i = 0; i < 16; i++) assert_int_equal(got[i], 27 * i);
    gpu_bindings_destroy(there_bound);
    gpu_bindings_destroy(back_bound);
    gpu_kernel_destroy(kernel);
    gpu_buffer_destroy(params);
    gpu_buffer_destroy(a);
    gpu_buffer_destroy(b);
}

/* What a list does again is in order with all around it: copies, writes and other lists, in one submission or many. */
static void lists_run_again(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_buffer *params = buffer_of(gpu, 256), *a = buffer_of(gpu, 64), *b = buffer_of(gpu, 64);
    struct gpu_kernel *kernel = gpu_kernel_create(gpu, "double", double_wgsl, "urw", NULL);
    assert_non_null(kernel);
    const struct gpu_range in_a = {a, 0, 64}, in_b = {b, 0, 64}, there[] = {{params, 0, 256}, in_a, in_b};
    struct gpu_bindings *bindings = gpu_bindings_create(gpu, kernel, there, 3, NULL);
    assert_non_null(bindings);
    const uint32_t groups[3] = {4, 1, 1};
    uint32_t factor = 3, words[16], got[16], want[16];
    for (uint32_t i = 0; i < 16; i++) want[i] = words[i] = i + 1;
    gpu_write(gpu, params, 0, &factor, 4);
    gpu_write(gpu, b, 0, words, 64);
    gpu_begin(gpu, "test");
    gpu_copy(gpu, in_b, in_a);
    gpu_list_begin(gpu);
    gpu_dispatch(gpu, kernel, bindings, groups);
    struct gpu_list *list = gpu_list_end(gpu);
    gpu_copy(gpu, in_b, in_a);
    assert_true(gpu_submit(gpu, NULL));
    const struct gpu_info *info = gpu_describe(gpu);
    if (!strcmp(info->runtime, "wgpu30") && !strcmp(info->backend, "Vulkan")) assert_non_null(list);
    uint32_t power = factor;
    for (uint32_t round = 0; list && round < 6; round++) {
        factor = round + 2;
        gpu_write(gpu, params, 0, &factor, 4);
        gpu_begin(gpu, "test");
        for (uint32_t k = 0; k <= round; k++) { /* the last rounds have more commands than a submission takes */
            gpu_list_run(gpu, list);
            gpu_copy(gpu, in_b, in_a);
            power *= factor;
        }
        assert_true(gpu_submit(gpu, NULL));
    }
    gpu_list_destroy(list); /* while it runs */
    gpu_list_destroy(NULL);
    for (uint32_t i = 0; i < 16; i++) want[i] *= power;
    read_range(gpu, in_b, got);
    assert_memory_equal(got, want, 64);
    gpu_bindings_destroy(bindings);
    gpu_kernel_destroy(kernel);
    gpu_buffer_destroy(params);
    gpu_buffer_destroy(a);
    gpu_buffer_destroy(b);
}

/* and the device works on afterwards */
static void bad_kernel(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings)
{
    struct error err = {0};
    assert_null(gpu_kernel_create(gpu, name, wgsl, bindings, &err));
    assert_int_not_equal(err.code, ERR_NONE);
    assert_non_null(strstr(err.message, name));
    assert_true(gpu_check(gpu, NULL));
    struct gpu_kernel *good = gpu_kernel_create(gpu, "double", double_wgsl, "urw", NULL);
    assert_non_null(good);
    gpu_kernel_destroy(good);
}

static void bad_wgsl_names_the_kernel(void **state) { bad_kernel(*state, "misspelt", "@compute fun main() {}", ""); }

static void bad_types_name_the_kernel(void **state)
{
    bad_kernel(*state, "mistyped", "@compute @workgroup_size(1) fn main() { let a: u32 = 1.5; }", "");
}

static void no_entry_point_names_the_kernel(void **state)
{
    bad_kernel(*state, "mainless", "@compute @workgroup_size(1) fn other() {}", "");
}

static void wrong_layout_names_the_kernel(void **state) { bad_kernel(*state, "unbound", double_wgsl, "ur"); }

static void too_many_bindings(void **state)
{
    struct error err = {0};
    assert_null(gpu_kernel_create(*state, "greedy", double_wgsl, "urrrrrrrrrrrrrrrrrrrrrrrrrrr", &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "greedy"));
}

static void wrong_bindings(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_kernel *kernel = gpu_kernel_create(gpu, "double", double_wgsl, "urw", NULL);
    struct gpu_buffer *b = buffer_of(gpu, 1024);
    struct error err = {0};
    struct gpu_range r[] = {{b, 0, 256}, {b, 256, 256}, {b, 512, gpu_describe(gpu)->max_binding_bytes + 4}};
    assert_null(gpu_bindings_create(gpu, kernel, r, 3, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "double"));
    assert_null(gpu_bindings_create(gpu, kernel, r, 2, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    /* past the buffer's end: the device finds it */
    r[2].bytes = 1024;
    err = (struct error){0};
    assert_null(gpu_bindings_create(gpu, kernel, r, 3, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "double"));
    assert_true(gpu_check(gpu, NULL));
    gpu_buffer_destroy(b);
    gpu_kernel_destroy(kernel);
}

/* ---- tickets ---- */

static void tickets_run_out_and_come_back(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_buffer *b = buffer_of(gpu, 4 * GPU_TICKETS);
    unsigned tickets[GPU_TICKETS], one_more;
    uint32_t words[GPU_TICKETS];
    for (uint32_t i = 0; i < GPU_TICKETS; i++) words[i] = 100 + i;
    gpu_write(gpu, b, 0, words, sizeof words);
    for (int round = 0; round < 2; round++) {
        struct error err = {0};
        gpu_begin(gpu, "test");
        for (uint32_t i = 0; i < GPU_TICKETS; i++)
            assert_true(gpu_read(gpu, (struct gpu_range){b, 4 * i, 4}, &tickets[i], NULL));
        assert_false(gpu_read(gpu, (struct gpu_range){b, 0, 4}, &one_more, &err));
        assert_int_equal(err.code, ERR_LIMIT);
        assert_true(gpu_submit(gpu, NULL));
        for (uint32_t i = GPU_TICKETS; i-- > 0;) {
            const void *data;
            assert_true(gpu_wait(gpu, tickets[i], &data, NULL));
            assert_int_equal(*(const uint32_t *)data, 100 + i);
            gpu_release(gpu, tickets[i]);
        }
    }
    gpu_buffer_destroy(b);
}

static void released_unread(void **state)
{
    struct gpu *gpu = *state;
    struct gpu_buffer *b = buffer_of(gpu, 16);
    for (int i = 0; i < 3 * GPU_TICKETS; i++) {
        unsigned ticket;
        gpu_begin(gpu, "test");
        assert_true(gpu_read(gpu, (struct gpu_range){b, 0, 16}, &ticket, NULL));
        assert_true(gpu_submit(gpu, NULL));
        gpu_release(gpu, ticket);
    }
    assert_true(gpu_finish(gpu, NULL));
    gpu_buffer_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_devices),
        cmocka_unit_test(options_take_features_away),
        cmocka_unit_test(subgroups_have_a_size),
        cmocka_unit_test(no_such_device),
        cmocka_unit_test(no_such_library),
        cmocka_unit_test(close_accepts_null),
        cmocka_unit_test(buffers_start_zeroed),
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(copies_and_clears),
        cmocka_unit_test(too_large_a_buffer),
        cmocka_unit_test(pool_ranges_are_aligned_and_apart),
        cmocka_unit_test(uploads_arrive_in_order),
        cmocka_unit_test(memory_is_told_as_it_is_used),
        cmocka_unit_test(dispatches_see_earlier_ones),
        cmocka_unit_test(lists_run_again),
        cmocka_unit_test(bad_wgsl_names_the_kernel),
        cmocka_unit_test(bad_types_name_the_kernel),
        cmocka_unit_test(no_entry_point_names_the_kernel),
        cmocka_unit_test(wrong_layout_names_the_kernel),
        cmocka_unit_test(too_many_bindings),
        cmocka_unit_test(wrong_bindings),
        cmocka_unit_test(tickets_run_out_and_come_back),
        cmocka_unit_test(released_unread),
    };
    return cmocka_run_group_tests_name("gpu", tests, open_gpu, close_gpu);
}
