/* fragments.c - whether a thread's elements of the matrices of matrix units lie as kernels that build them from
 * registers expect. The extension leaves the layout to the driver; this is that of NVIDIA's f16 units. */
#include "gpu/native.h"

#ifdef CORVID_SPIRV

#include <fragments_spirv.h>

enum { LANES = 32, ELEMENTS = 8, ITEMS = 256 };

/* A, B: [row, column] = 16 row + column, made of elements; C: its elements */
static uint32_t judge(const void *data)
{
    const float *items = data;
    bool right = true;
    for (unsigned i = 0; i < 2 * ITEMS; i++) right &= items[i] == (float)(i % ITEMS);
    for (unsigned i = 0; i < LANES * ELEMENTS; i++) {
        unsigned lane = i / ELEMENTS, e = i % ELEMENTS;
        unsigned row = lane / 4 + e / 4 * 8, column = lane % 4 * 2 + (e & 1) + (e >> 1 & 1) * 8;
        right &= items[2 * ITEMS + i] == (float)(16 * row + column);
    }
    return right;
}

bool gpu_probe_fragments(struct gpu *gpu)
{
    const struct gpu_spirv spirv = {fragments_spirv, sizeof fragments_spirv / sizeof *fragments_spirv, LANES};
    struct gpu_kernel *kernel = gpu_kernel_create_spirv(gpu, "fragments", &spirv, "w", NULL);
    return gpu_probe_run(gpu, kernel, (2 * ITEMS + LANES * ELEMENTS) * sizeof(float), judge);
}

#else

bool gpu_probe_fragments(struct gpu *gpu) { return (void)gpu, false; }

#endif
