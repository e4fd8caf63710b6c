/* product.h - square matrix products that prove what a device's matrix units give: y[t, m] = sum_k x[t, k] w[m, k].
 *
 * The same product in WGSL and, where the build found a GLSL compiler, in SPIR-V: f16 with f32 sums, i8 with i32 sums.
 * Each is compared with a scalar reference. Corvid's own products are op cases; these are what they can hope for. */
#ifndef CORVID_BENCH_PRODUCT_H
#define CORVID_BENCH_PRODUCT_H

#include "gpu/gpu.h"

enum product_type { PRODUCT_F16, PRODUCT_I8 };

struct product {
    const char *name; /* "f16 WGSL, matrix units" */
    enum product_type type;
    const char *wgsl; /* name in product_shaders, or NULL: */
    const uint32_t *spirv;
    size_t n_words;
    uint32_t tile_rows; /* that a workgroup makes, for 128 tokens */
    bool matrix_units;  /* needed; else any device will do */
    double wanted;     /* T(FL)OP/s on an H100; 0: none */
};

extern const struct product products[];
extern const size_t n_products;
enum { PRODUCT_MULTIPLE = 256 }; /* sizes are multiples of it */

/* Why the device cannot run it ("no matrix units"), or NULL if it can. */
const char *product_obstacle(const struct product *p, const struct gpu_info *device);

struct product_result {
    double tera;  /* T(FL)OP/s; 0 if runs was 0 */
    double error; /* the largest: f16 as a share of the root of the sum of squares, i8 absolute */
    bool ok;      /* error is what it may be */
};

/* Makes a product of size^3 and compares `samples` of its results; then measures the fastest of 10 series of `runs`. */
bool product_run(const struct product *p, struct gpu *gpu, uint32_t size, uint32_t samples, unsigned runs,
                 struct product_result *result, struct error *err);

#endif
