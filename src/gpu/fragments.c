/* fragments.c - whether a thread's elements of the matrices of matrix units lie as kernels that build them from registers
 * expect. The extension leaves the layout to the driver; this is that of NVIDIA's f16 units. */
#include "gpu/native.h"

#ifdef CORVID_SPIRV

#include <fragments_spirv.h>

enum { LANES = 32, ELEMENTS = 8, ITEMS = 256 };

/* A, B: [row, column] = 16 row + column, made of elements; C: its elements */
static bool judge(const float *items)
{
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
    const uint64_t bytes = (2 * ITEMS + LANES * ELEMENTS) * sizeof(float);
    struct gpu_buffer *out = gpu_buffer_create(gpu, "probe", bytes, NULL);
    struct gpu_kernel *kernel = out ? gpu_kernel_create_spirv(gpu, "fragments", &spirv, "w", NULL) : NULL;
    struct gpu_range range = {out, 0, bytes};
    struct gpu_bindings *bindings = kernel ? gpu_bindings_create(gpu, kernel, &range, 1, NULL) : NULL;
    bool right = false;
    unsigned ticket;
    if (bindings) {
        gpu_begin(gpu, "probe");
        gpu_dispatch(gpu, kernel, bindings, (uint32_t[]){1, 1, 1});
        bool reading = gpu_read(gpu, range, &ticket, NULL);
        const void *data;
        if (gpu_submit(gpu, NULL) && reading && gpu_wait(gpu, ticket, &data, NULL)) right = judge(data);
        if (reading) gpu_release(gpu, ticket);
    }
    gpu_bindings_destroy(bindings);
    gpu_kernel_destroy(kernel);
    gpu_buffer_destroy(out);
    return right;
}

#else

bool gpu_probe_fragments(struct gpu *gpu) { return (void)gpu, false; }

#endif
