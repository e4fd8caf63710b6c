/* buffer.c - device buffers and pools of ranges in them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "gpu/native.h"

struct gpu_buffer *gpu_buffer_create(struct gpu *gpu, const char *label, uint64_t bytes, struct error *err)
{
    if (bytes > gpu->info.max_buffer_bytes) {
        fail(err, ERR_LIMIT, "%s: a buffer of %llu MiB is needed, the device allows %llu MiB", label,
             (unsigned long long)(bytes >> 20), (unsigned long long)(gpu->info.max_buffer_bytes >> 20));
        return NULL;
    }
    struct gpu_buffer *b = calloc(1, sizeof *b);
    if (!b) return fail_memory(err, label), NULL;
    WGPUBufferDescriptor d = {
        .label = view(label),
        .usage = WGPUBufferUsage_Storage | WGPUBufferUsage_Uniform | WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
        .size = bytes,
    };
    b->gpu = gpu;
    b->bytes = bytes;
    b->handle = gpu->w.DeviceCreateBuffer(gpu->device, &d);
    if (gpu_check(gpu, err) && b->handle) return b;
    fail_in(err, "%s (%llu MiB)", label, (unsigned long long)(bytes >> 20));
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
    uint64_t buffer_bytes, used; /* used: of the newest buffer */
    uint64_t total;
    struct gpu_buffer *buffers[POOL_MAX_BUFFERS];
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
    if (!bytes || !checked_align(bytes, alignment, &size))
        return fail(err, ERR_LIMIT, "%s: %llu bytes cannot be allocated", pool->label, (unsigned long long)bytes);
    struct gpu_buffer *b = pool->n_buffers ? pool->buffers[pool->n_buffers - 1] : NULL;
    if (!b || b->bytes - pool->used < size) {
        if (pool->n_buffers == POOL_MAX_BUFFERS) return fail(err, ERR_LIMIT, "%s: too many buffers", pool->label);
        uint64_t want = size > pool->buffer_bytes ? size : pool->buffer_bytes;
        char label[64];
        snprintf(label, sizeof label, "%s %zu", pool->label, pool->n_buffers);
        b = gpu_buffer_create(pool->gpu, label, want, err);
        if (!b) return false;
        pool->buffers[pool->n_buffers++] = b;
        pool->used = 0;
        pool->total += want;
    }
    *range = (struct gpu_range){b, pool->used, bytes};
    pool->used += size;
    return true;
}

uint64_t gpu_pool_bytes(const struct gpu_pool *pool) { return pool->total; }

void gpu_pool_destroy(struct gpu_pool *pool)
{
    if (!pool) return;
    for (size_t i = 0; i < pool->n_buffers; i++) gpu_buffer_destroy(pool->buffers[i]);
    free(pool);
}
