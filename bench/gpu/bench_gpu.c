/* bench_gpu.c - `make bench-gpu`: what the device's matrix units give, and how much of it Corvid's products take.
 *
 *   bench_gpu [SIZE]   of the square products, a multiple of 256; default 4096, on software 256
 *
 * CORVID_WEBGPU and CORVID_DEVICE choose runtime and device. Exit code 1: something failed or was wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matmul_speed.h"
#include "product.h"

enum { SAMPLES = 1000, TOKENS = 512 };

static bool table_of_products(struct gpu *gpu, uint32_t size, unsigned runs)
{
    bool all_ok = true;
    printf("\n| square product, %u^3 | T(FL)OP/s | wanted on an H100 | largest error | |\n", size);
    printf("|---|---:|---:|---:|---|\n");
    for (size_t i = 0; i < n_products; i++) {
        const struct product *p = &products[i];
        const char *obstacle = product_obstacle(p, gpu_describe(gpu));
        struct product_result r;
        struct error err = {0};
        printf("| %s | ", p->name);
        if (obstacle) {
            printf("| | | skipped: %s |\n", obstacle);
            continue;
        }
        bool ran = product_run(p, gpu, size, SAMPLES, runs, &r, &err);
        if (!ran) printf("| | | failed: %s |\n", err.message);
        else printf("%.4g | %.0f | %.1e | %s |\n", r.tera, p->wanted, r.error, r.ok ? "right" : "WRONG");
        fflush(stdout);
        all_ok &= ran && r.ok;
    }
    return all_ok;
}

static bool table_of_matmuls(struct gpu *gpu, uint32_t divisor)
{
    static const uint32_t shapes[][2] = {{2560, 2560}, {10240, 2560}, {2560, 10240}};
    static const char *const types[] = {"F16", "Q8_0", "Q4_K"};
    bool all_ok = true;
    printf("\n| Corvid's product, %u tokens, TFLOP/s |", TOKENS / divisor);
    for (int t = 0; t < 3; t++) printf(" %s |", types[t]);
    printf("\n|---|---:|---:|---:|\n");
    for (int s = 0; s < 3; s++) {
        uint32_t rows = shapes[s][0] / divisor, cols = shapes[s][1] / divisor / 256 * 256;
        printf("| %u x %u |", rows, cols);
        for (int t = 0; t < 3; t++) {
            double tera;
            struct error err = {0};
            bool ok = matmul_speed(gpu, quant_find_name(types[t]), rows, cols, TOKENS / divisor, &tera, &err);
            if (ok) printf(" %.4g |", tera);
            else printf(" failed: %s |", err.message);
            fflush(stdout);
            all_ok &= ok;
        }
        printf("\n");
    }
    return all_ok;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct gpu *gpu = gpu_open(&(struct gpu_options){.device = getenv("CORVID_DEVICE")}, &err);
    if (!gpu) return fprintf(stderr, "bench_gpu: %s\n", err.message), 1;
    const struct gpu_info *info = gpu_describe(gpu);
    bool software = !strcmp(info->kind, "software");
    char *end = "";
    unsigned long size = argc > 1 ? strtoul(argv[1], &end, 10) : software ? 256 : 4096;
    if (argc > 2 || *end || !size || size > 16384 || size % PRODUCT_MULTIPLE)
        return fprintf(stderr, "usage: bench_gpu [SIZE], a multiple of %d up to 16384\n", PRODUCT_MULTIPLE), 2;
    printf("%s (%s), %s %s\nmatrix units: %s\n", info->name, info->driver, info->runtime, info->runtime_version,
           info->matrix_units ? info->matrix_shapes : "none in use");
    bool ok = table_of_products(gpu, (uint32_t)size, software ? 1 : 60);
    ok &= table_of_matmuls(gpu, software ? 8 : 1);
    gpu_close(gpu);
    return ok ? 0 : 1;
}
