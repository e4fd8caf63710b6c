/* pipeline_cache.c - what the driver compiled, as bytes: lent to the runtime when a device is opened, asked back when
 * kernels were compiled. The bytes are the driver's own; wgpu puts the identity of adapter and driver before them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/native.h"

enum { KEY_CAPACITY = 512, MAX_BYTES = 256 << 20 };

/* "wgpu_pipeline_cache_vulkan_4318_9040, driver 580.159, wgpu30 30.0.1.0 (corvid-wgpu 0.1.0 (wgpu 30.0.1))" */
static bool key_of(const struct gpu *gpu, char key[KEY_CAPACITY])
{
    const struct webgpu *w = &gpu->w;
    size_t n = w->AdapterGetPipelineCacheKey(gpu->adapter, KEY_CAPACITY / 4, key);
    if (!n || n > KEY_CAPACITY / 4) return false;
    int more = snprintf(key + n, KEY_CAPACITY - n, ", %s, driver %s, %s %s (%s)", gpu->info.name, gpu->info.driver,
                        w->runtime, w->version, w->GetName ? w->GetName() : "");
    return more > 0 && (size_t)more < KEY_CAPACITY - n;
}

void gpu_pipeline_cache_open(struct gpu *gpu, const struct gpu_options *options)
{
    char key[KEY_CAPACITY];
    size_t bytes = 0;
    if (!gpu->info.pipeline_cache || !options->kept_kernels || !key_of(gpu, key)) return;
    void *data = options->kept_kernels(options->kept_user, key, &bytes);
    CorvidWgpuPipelineCacheDescriptor d = {
        .label = view("corvid"), .data = data, .size = data ? bytes : 0, .fallback = true};
    gpu->pipeline_cache = gpu->w.DeviceCreatePipelineCache(gpu->device, &d);
    free(data);
    gpu_check(gpu, NULL); /* without a cache everything works as well */
}

void *gpu_kernels_save(struct gpu *gpu, size_t *bytes)
{
    *bytes = 0;
    if (!gpu->pipeline_cache) return NULL;
    size_t capacity = gpu->w.PipelineCacheGetData(gpu->pipeline_cache, 0, NULL);
    if (!capacity || capacity > MAX_BYTES) return NULL;
    void *data = malloc(capacity);
    size_t got = data ? gpu->w.PipelineCacheGetData(gpu->pipeline_cache, capacity, data) : 0;
    if (got && got <= capacity) {
        *bytes = got;
        return data;
    }
    free(data); /* it has grown since: another thread compiles, and will ask again */
    return NULL;
}

void gpu_pipeline_cache_close(struct gpu *gpu)
{
    if (gpu->pipeline_cache) gpu->w.PipelineCacheRelease(gpu->pipeline_cache);
}
