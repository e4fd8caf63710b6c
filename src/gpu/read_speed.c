/* read_speed.c - how fast a kernel reads memory that no cache holds.
 *
 * The kernel adds up 16-byte vectors of a large buffer, neighbours by neighbouring threads. It runs n and then 3 n times
 * in one submission each; the difference is 2 n reads without the cost of submitting and waiting. The best of several
 * counts. */
#include <string.h>

#include "base/clock.h"
#include "gpu/native.h"

enum { THREADS = 256, GROUPS = 2048, ROUNDS = 5, MAX_TIMES = 64 };
static const uint64_t most_bytes = 512u << 20, least_bytes = 16u << 20;
static const uint64_t enough_ns = 4000000; /* of the shorter submission */

static const char read_wgsl[] =
    "@group(0) @binding(0) var<storage, read> x: array<vec4f>;\n"
    "@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;\n"
    "@compute @workgroup_size(256)\n"
    "fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {\n"
    "    let stride = groups.x * 256u;\n"
    "    let n = arrayLength(&x);\n"
    "    var a = vec4f(); var b = vec4f(); var c = vec4f(); var d = vec4f();\n"
    "    var i = id.x;\n"
    "    for (; i + 3u * stride < n; i += 4u * stride) {\n"
    "        a += x[i]; b += x[i + stride]; c += x[i + 2u * stride]; d += x[i + 3u * stride];\n"
    "    }\n"
    "    for (; i < n; i += stride) { a += x[i]; }\n"
    "    let sum = (a + b) + (c + d);\n"
    "    if (any(sum != vec4f())) { y[id.x] = sum; }\n" /* never: the buffer holds zeros */
    "}\n";

struct reader {
    struct gpu *gpu;
    struct gpu_buffer *x, *y;
    struct gpu_kernel *kernel;
    struct gpu_bindings *bindings;
    uint64_t bytes;
    uint32_t groups;
};

static bool read_times(struct reader *r, int times, uint64_t *ns, struct error *err)
{
    uint64_t start = clock_ns();
    unsigned ticket;
    const void *data;
    gpu_begin(r->gpu, "read speed");
    for (int i = 0; i < times; i++) gpu_dispatch(r->gpu, r->kernel, r->bindings, (uint32_t[]){r->groups, 1, 1});
    bool reading = gpu_read(r->gpu, (struct gpu_range){r->y, 0, 16}, &ticket, err);
    bool ok = gpu_submit(r->gpu, reading ? err : NULL) && reading && gpu_wait(r->gpu, ticket, &data, err);
    if (reading) gpu_release(r->gpu, ticket);
    *ns = clock_ns() - start;
    return ok;
}

static bool measure(struct reader *r, double *bytes_per_second, struct error *err)
{
    int times = 1;
    uint64_t short_ns, long_ns;
    *bytes_per_second = 0;
    if (!read_times(r, 1, &short_ns, err)) return false; /* the first one also clears the buffer */
    while (read_times(r, times, &short_ns, err) && short_ns < enough_ns && times < MAX_TIMES) times *= 2;
    for (int i = 0; i < ROUNDS; i++) {
        if (!read_times(r, times, &short_ns, err) || !read_times(r, 3 * times, &long_ns, err)) return false;
        if (long_ns <= short_ns) continue;
        double speed = 2.0 * times * (double)r->bytes * 1e9 / (double)(long_ns - short_ns);
        if (speed > *bytes_per_second) *bytes_per_second = speed;
    }
    return *bytes_per_second > 0 || fail(err, ERR_DEVICE, "the time of reading memory cannot be measured");
}

bool gpu_read_speed(struct gpu *gpu, double *bytes_per_second, struct error *err)
{
    struct reader r = {.gpu = gpu, .bytes = most_bytes, .groups = GROUPS};
    const struct gpu_info *info = gpu_describe(gpu);
    if (info->max_workgroup_threads < THREADS)
        return fail(err, ERR_UNSUPPORTED, "reading is measured with %d threads a workgroup, the device allows %u",
                    THREADS, info->max_workgroup_threads);
    while (r.bytes > info->max_binding_bytes || r.bytes > info->max_buffer_bytes) r.bytes /= 2;
    if (r.groups > info->max_groups) r.groups = info->max_groups;
    while (!r.x && r.bytes >= 2 * least_bytes) {
        r.x = gpu_buffer_create(gpu, "read speed", r.bytes, NULL);
        if (!r.x) r.bytes /= 2;
    }
    if (!r.x) r.x = gpu_buffer_create(gpu, "read speed", r.bytes, err);
    r.y = r.x ? gpu_buffer_create(gpu, "read speed", (uint64_t)r.groups * THREADS * 16, err) : NULL;
    r.kernel = r.y ? gpu_kernel_create(gpu, "read speed", read_wgsl, "rw", err) : NULL;
    const struct gpu_range ranges[] = {{r.x, 0, r.bytes}, {r.y, 0, (uint64_t)r.groups * THREADS * 16}};
    r.bindings = r.kernel ? gpu_bindings_create(gpu, r.kernel, ranges, 2, err) : NULL;
    bool ok = r.bindings && measure(&r, bytes_per_second, err);
    gpu_bindings_destroy(r.bindings);
    gpu_kernel_destroy(r.kernel);
    gpu_buffer_destroy(r.x);
    gpu_buffer_destroy(r.y);
    return ok;
}
