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

static uint32_t judge_lanes(const void *data)
{
    const struct lane *lanes = data;
    uint32_t size = lanes[0].size;
    if (size < 4 || size > 128 || (size & (size - 1))) return 0;
    for (uint32_t i = 0; i < THREADS; i++)
        if (lanes[i].lane != i % size || lanes[i].size != size || lanes[i].sum != size || lanes[i].other != (i ^ 1))
            return 0;
    return size;
}

uint32_t gpu_probe_run(struct gpu *gpu, struct gpu_kernel *kernel, uint64_t bytes, uint32_t (*judge)(const void *data))
{
    struct gpu_range out = {kernel ? gpu_buffer_create(gpu, "probe", bytes, NULL) : NULL, 0, bytes};
    struct gpu_bindings *bindings = out.buffer ? gpu_bindings_create(gpu, kernel, &out, 1, NULL) : NULL;
    uint32_t verdict = 0;
    unsigned ticket;
    if (bindings) {
        gpu_begin(gpu, "probe");
        gpu_dispatch(gpu, kernel, bindings, (uint32_t[]){1, 1, 1});
        bool reading = gpu_read(gpu, out, &ticket, NULL);
        const void *data;
        if (gpu_submit(gpu, NULL) && reading && gpu_wait(gpu, ticket, &data, NULL)) verdict = judge(data);
        if (reading) gpu_release(gpu, ticket);
    }
    gpu_bindings_destroy(bindings);
    gpu_kernel_destroy(kernel);
    gpu_buffer_destroy(out.buffer);
    return verdict;
}

uint32_t gpu_probe_subgroups(struct gpu *gpu)
{
    struct gpu_kernel *kernel = gpu_kernel_create(gpu, "probe", probe_wgsl, "w", NULL);
    return gpu_probe_run(gpu, kernel, THREADS * sizeof(struct lane), judge_lanes);
}
