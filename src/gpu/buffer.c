/* buffer.c - device buffers, pools of ranges in them, and what the runtime tells of memory. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "gpu/native.h"

/* b->bytes are wanted */
static bool make(struct gpu_buffer *b, const char *label, struct error *err)
{
    struct gpu *gpu = b->gpu;
    if (b->bytes > gpu->info.max_buffer_bytes)
        return fail(err, ERR_LIMIT, "%s: a buffer of %llu MiB is needed, the device allows %llu MiB", label,
                    (unsigned long long)(b->bytes >> 20), (unsigned long long)(gpu->info.max_buffer_bytes >> 20));
    WGPUBufferDescriptor d = {
        .label = view(label),
        .usage = WGPUBufferUsage_Storage | WGPUBufferUsage_Uniform | WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
        .size = b->bytes,
    };
    b->handle = gpu->w.DeviceCreateBuffer(gpu->device, &d);
    if (gpu_check(gpu, err) && b->handle) return true;
    return fail_in(err, "%s (%llu MiB)", label, (unsigned long long)(b->bytes >> 20));
}

struct gpu_buffer *gpu_buffer_create(struct gpu *gpu, const char *label, uint64_t bytes, struct error *err)
{
    struct gpu_buffer *b = calloc(1, sizeof *b);
    if (!b) return fail_memory(err, label), NULL;
    *b = (struct gpu_buffer){.gpu = gpu, .bytes = bytes};
    if (make(b, label, err)) return b;
    gpu_buffer_destroy(b);
    return NULL;
}

void gpu_buffer_destroy(struct gpu_buffer *buffer)
{
    if (!buffer) return;
    if (buffer->handle) {
        buffer->gpu->w.BufferDestroy(buffer->handle);
        buffer->gpu->w.BufferRelease(buffer->handle);
    }
    free(buffer);
}

void gpu_write(struct gpu *gpu, struct gpu_buffer *buffer, uint64_t at, const void *data, uint64_t bytes)
{
    gpu->w.QueueWriteBuffer(gpu->queue, buffer->handle, at, data, (size_t)bytes);
}

enum { POOL_MAX_BUFFERS = 1024 };

struct gpu_pool {
    struct gpu *gpu;
    const char *label;
    uint64_t buffer_bytes, total;
    struct gpu_buffer *buffers[POOL_MAX_BUFFERS]; /* bytes: planned so far */
    size_t n_buffers;
};

struct gpu_pool *gpu_pool_create(struct gpu *gpu, const char *label, uint64_t buffer_bytes)
{
    struct gpu_pool *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    uint64_t limit = gpu->info.max_buffer_bytes & ~(uint64_t)255;
    *p = (struct gpu_pool){.gpu = gpu, .label = label};
    p->buffer_bytes = buffer_bytes < limit ? round_up(buffer_bytes, 256) : limit;
    return p;
}

bool gpu_pool_alloc(struct gpu_pool *pool, uint64_t bytes, struct gpu_range *range, struct error *err)
{
    const uint64_t alignment = 256; /* WebGPU's largest minimum for binding offsets */
    uint64_t size;
    if (!bytes || !checked_align(bytes, alignment, &size) || size > UINT64_MAX / 2)
        return fail(err, ERR_LIMIT, "%s: %llu bytes cannot be allocated", pool->label, (unsigned long long)bytes);
    struct gpu_buffer *b = pool->n_buffers ? pool->buffers[pool->n_buffers - 1] : NULL;
    if (!b || b->bytes + size > pool->buffer_bytes) {
        if (pool->n_buffers == POOL_MAX_BUFFERS) return fail(err, ERR_LIMIT, "%s: too many buffers", pool->label);
        b = calloc(1, sizeof *b);
        if (!b) return fail_memory(err, pool->label);
        b->gpu = pool->gpu;
        pool->buffers[pool->n_buffers++] = b;
    }
    *range = (struct gpu_range){b, b->bytes, bytes};
    b->bytes += size;
    pool->total += size;
    return true;
}

bool gpu_pool_make(struct gpu_pool *pool, struct error *err)
{
    for (size_t i = 0; i < pool->n_buffers; i++) {
        char label[64];
        snprintf(label, sizeof label, "%s %zu", pool->label, i);
        if (!make(pool->buffers[i], label, err)) return false;
    }
    return true;
}

uint64_t gpu_pool_bytes(const struct gpu_pool *pool) { return pool->total; }

void gpu_pool_destroy(struct gpu_pool *pool)
{
    if (!pool) return;
    for (size_t i = 0; i < pool->n_buffers; i++) gpu_buffer_destroy(pool->buffers[i]);
    free(pool);
}

_Static_assert((int)GPU_MAX_HEAPS == (int)CORVID_WGPU_MAX_HEAPS, "every heap that the runtime tells of");

bool gpu_memory_now(struct gpu *gpu, struct gpu_memory *out)
{
    CorvidWgpuMemory m = {0};
    *out = (struct gpu_memory){.n_heaps = 0};
    if (!gpu->w.DeviceGetMemory || gpu->w.DeviceGetMemory(gpu->device, &m) != WGPUStatus_Success) return false;
    out->allocated_bytes = m.allocatedBytes;
    out->reserved_bytes = m.reservedBytes;
    out->n_heaps = m.heapCount < GPU_MAX_HEAPS ? m.heapCount : GPU_MAX_HEAPS;
    for (size_t i = 0; i < out->n_heaps; i++) {
        const CorvidWgpuMemoryHeap *h = &m.heaps[i];
        out->heaps[i] = (struct gpu_heap){h->bytes, h->budgetBytes, h->usedBytes, h->deviceLocal};
    }
    return true;
}
