/* test_product.c - the matrix products of bench/gpu against their scalar reference, those that the device can run. */
#include "product.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct gpu *gpu;

static int open_gpu(void **state)
{
    (void)state;
    struct error err = {0};
    gpu = gpu_open(&(struct gpu_options){.device = getenv("CORVID_DEVICE")}, &err);
    if (!gpu) fprintf(stderr, "no GPU: %s\n", err.message);
    return gpu ? 0 : 1;
}

static int close_gpu(void **state)
{
    (void)state;
    gpu_close(gpu);
    return 0;
}

static void is_right(void **state)
{
    const struct product *p = *state;
    const char *obstacle = product_obstacle(p, gpu_describe(gpu));
    if (obstacle) {
        print_message("%s: %s\n", p->name, obstacle);
        skip();
    }
    struct product_result r;
    struct error err = {0};
    /* more than one tile in each direction, and more than one step of columns */
    if (!product_run(p, gpu, 3 * PRODUCT_MULTIPLE, 2000, 0, &r, &err)) fail_msg("%s", err.message);
    if (!r.ok) fail_msg("error %g", r.error);
}

static void spirv_needs_passthrough(void **state)
{
    (void)state;
    struct gpu_info *info = (struct gpu_info *)gpu_describe(gpu);
    const bool passes = info->passthrough;
    const uint32_t words[] = {0x07230203};
    struct error err = {0};
    info->passthrough = false;
    assert_null(gpu_kernel_create_spirv(gpu, "some", &(struct gpu_spirv){words, 1, 64}, "w", &err));
    assert_int_equal(err.code, ERR_DEVICE);
    info->passthrough = passes;
}

int main(void)
{
    struct CMUnitTest tests[16] = {cmocka_unit_test(spirv_needs_passthrough)};
    size_t n = 1;
    for (size_t i = 0; i < n_products; i++)
        tests[n++] = (struct CMUnitTest){products[i].name, is_right, NULL, NULL, (void *)&products[i]};
    return _cmocka_run_group_tests("product", tests, n, open_gpu, close_gpu);
}
