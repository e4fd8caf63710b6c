/* probe.c - what the API does not tell: the subgroup size, and whether lane = thread % size. Kernels that use
 * subgroups rely on both; where the probe fails they use workgroup memory instead. */
#include "gpu/native.h"

enum { THREADS = 128 };

static const char probe_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> out: array<vec4u>;\n"
    "@compute @workgroup_size(128)\n"
    "fn main(@builtin(local_invocation_index) thread: u32, @builtin(subgroup_invocation_id) lane: u32,\n"
    "        @builtin(subgroup_size) size: u32) {\n"
    "    let other = subgroupShuffleXor(thread, 1u);\n"
    "    out[thread] = vec4u(lane, size, subgroupAdd(1u), other);\n"
    "}\n";

struct lane {
    uint32_t lane, size, sum, other;
};

static uint32_t judge(const struct lane *lanes)
{
    uint32_t size = lanes[0].size;
    if (size < 4 || size > 128 || (size & (size - 1))) return 0;
    for (uint32_t i = 0; i < THREADS; i++)
        if (lanes[i].lane != i % size || lanes[i].size != size || lanes[i].sum != size || lanes[i].other != (i ^ 1))
            return 0;
    return size;
}

uint32_t gpu_probe_subgroups(struct gpu *gpu)
{
    struct gpu_buffer *out = gpu_buffer_create(gpu, "probe", THREADS * 16, NULL);
    struct gpu_kernel *kernel = out ? gpu_kernel_create(gpu, "probe", probe_wgsl, "w", NULL) : NULL;
    struct gpu_range range = {out, 0, THREADS * 16};
    struct gpu_bindings *bindings = kernel ? gpu_bindings_create(gpu, kernel, &range, 1, NULL) : NULL;
    uint32_t size = 0;
    unsigned ticket;
    if (bindings) {
        gpu_begin(gpu, "probe");
        gpu_dispatch(gpu, kernel, bindings, (uint32_t[]){1, 1, 1});
        bool reading = gpu_read(gpu, range, &ticket, NULL);
        const void *data;
        if (gpu_submit(gpu, NULL) && reading && gpu_wait(gpu, ticket, &data, NULL)) size = judge(data);
        if (reading) gpu_release(gpu, ticket);
    }
    gpu_bindings_destroy(bindings);
    gpu_kernel_destroy(kernel);
    gpu_buffer_destroy(out);
    return size;
}
