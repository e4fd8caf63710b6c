/* device.c - adapters and the device. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "gpu/native.h"

enum { MAX_ADAPTERS = 32 };

#define NO_ADAPTER                                                                                                     \
    "no GPU driver was found: install your GPU's Vulkan driver, or for software rendering on the CPU "                 \
    "(Debian, Ubuntu) type: sudo apt-get install mesa-vulkan-drivers libvulkan1"

static const char *backend_name(WGPUBackendType type)
{
    switch (type) {
    case WGPUBackendType_Vulkan: return "Vulkan";
    case WGPUBackendType_Metal: return "Metal";
    case WGPUBackendType_D3D12: return "D3D12";
    case WGPUBackendType_OpenGL:
    case WGPUBackendType_OpenGLES: return "OpenGL";
    default: return "other";
    }
}

/* kinds by preference; the index is the rank */
static const char *const kinds[] = {"discrete", "integrated", "unknown", "software"};

static unsigned kind_rank(WGPUAdapterType type)
{
    switch (type) {
    case WGPUAdapterType_DiscreteGPU: return 0;
    case WGPUAdapterType_IntegratedGPU: return 1;
    case WGPUAdapterType_CPU: return 3;
    default: return 2;
    }
}

static unsigned describe(const struct webgpu *w, WGPUAdapter adapter, struct gpu_info *info)
{
    *info = (struct gpu_info){0};
    snprintf(info->runtime, sizeof info->runtime, "%s", w->runtime);
    snprintf(info->runtime_version, sizeof info->runtime_version, "%s", w->version);
    WGPUAdapterInfo a = {0};
    unsigned rank = 2;
    if (w->AdapterGetInfo(adapter, &a) == WGPUStatus_Success) {
        gpu_copy_text(info->name, sizeof info->name, a.device);
        gpu_copy_text(info->driver, sizeof info->driver, a.description);
        snprintf(info->backend, sizeof info->backend, "%s", backend_name(a.backendType));
        rank = kind_rank(a.adapterType);
        w->AdapterInfoFreeMembers(a);
    }
    snprintf(info->kind, sizeof info->kind, "%s", kinds[rank]);
    WGPULimits l = {0};
    w->AdapterGetLimits(adapter, &l);
    info->max_buffer_bytes = l.maxBufferSize;
    info->max_binding_bytes = l.maxStorageBufferBindingSize;
    info->max_workgroup_threads = l.maxComputeInvocationsPerWorkgroup;
    info->max_workgroup_bytes = l.maxComputeWorkgroupStorageSize;
    info->max_groups = l.maxComputeWorkgroupsPerDimension;
    info->max_storage_buffers = l.maxStorageBuffersPerShaderStage;
    info->storage_alignment = l.minStorageBufferOffsetAlignment;
    info->uniform_alignment = l.minUniformBufferOffsetAlignment;
    gpu_features_describe(w, adapter, info);
    gpu_matrix_shapes(w, adapter, info->matrix_shapes, sizeof info->matrix_shapes);
    return rank;
}

/* adapters[0 .. return), best first, with their descriptions */
static size_t enumerate(const struct webgpu *w, WGPUInstance instance, WGPUAdapter *adapters, struct gpu_info *infos)
{
    WGPUInstanceEnumerateAdapterOptions options = {.backends = WGPUInstanceBackend_Primary};
    WGPUAdapter all[MAX_ADAPTERS];
    size_t found = w->InstanceEnumerateAdapters(instance, &options, NULL);
    if (!found || found > MAX_ADAPTERS) return 0;
    w->InstanceEnumerateAdapters(instance, &options, all);
    struct gpu_info described[MAX_ADAPTERS];
    unsigned ranks[MAX_ADAPTERS];
    for (size_t i = 0; i < found; i++) ranks[i] = describe(w, all[i], &described[i]);
    size_t n = 0;
    for (unsigned rank = 0; rank < 4; rank++)
        for (size_t i = 0; i < found; i++)
            if (ranks[i] == rank) {
                adapters[n] = all[i];
                infos[n++] = described[i];
            }
    return n;
}

static WGPUInstance create_instance(const struct webgpu *w, bool validate)
{
    const WGPUInstanceFlag all_checks =
        WGPUInstanceFlag_Debug | WGPUInstanceFlag_Validation | WGPUInstanceFlag_GPUBasedValidation;
    WGPUInstanceExtras extras = {
        .chain = {.sType = (WGPUSType)WGPUSType_InstanceExtras},
        .backends = WGPUInstanceBackend_Primary,
        /* without the flag for debugging no label reaches the driver */
        .flags = validate                  ? all_checks
                 : gpu_capture_is_wanted() ? WGPUInstanceFlag_Debug
                                           : WGPUInstanceFlag_Empty,
    };
    WGPUInstanceDescriptor d = {.nextInChain = &extras.chain};
    return w->CreateInstance(&d);
}

bool gpu_list(const char *runtime, struct gpu_info *infos, size_t capacity, size_t *count, struct error *err)
{
    struct webgpu w;
    if (!webgpu_load(&w, runtime, err)) return false;
    WGPUInstance instance = create_instance(&w, false);
    WGPUAdapter adapters[MAX_ADAPTERS];
    struct gpu_info all[MAX_ADAPTERS];
    *count = instance ? enumerate(&w, instance, adapters, all) : 0;
    for (size_t i = 0; i < *count; i++) {
        if (i < capacity) infos[i] = all[i];
        w.AdapterRelease(adapters[i]);
    }
    if (instance) w.InstanceRelease(instance);
    webgpu_unload(&w);
    return *count ? true : fail(err, ERR_NO_DEVICE, NO_ADAPTER);
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
        if (i == n) return true;
    }
    return false;
}

/* the index of the adapter that `wanted` names; n if none */
static size_t choose(const struct gpu_info *infos, size_t n, const char *wanted)
{
    if (!wanted || !*wanted) return 0;
    char *end;
    unsigned long index = strtoul(wanted, &end, 10);
    if (!*end && isdigit((unsigned char)*wanted)) return index < n ? index : n;
    for (size_t i = 0; i < n; i++)
        if (contains(infos[i].name, wanted)) return i;
    return n;
}

static bool choose_adapter(struct gpu *gpu, const char *wanted, struct error *err)
{
    WGPUAdapter adapters[MAX_ADAPTERS];
    struct gpu_info infos[MAX_ADAPTERS];
    size_t n = enumerate(&gpu->w, gpu->instance, adapters, infos);
    if (!n) return fail(err, ERR_NO_DEVICE, NO_ADAPTER);
    size_t index = choose(infos, n, wanted);
    for (size_t i = 0; i < n; i++) {
        if (i != index) {
            gpu->w.AdapterRelease(adapters[i]);
            continue;
        }
        gpu->adapter = adapters[i];
        gpu->info = infos[i];
    }
    if (index == n)
        return fail(err, ERR_NO_DEVICE, "no device matches \"%s\": `corvid devices` lists what there is", wanted);
    return true;
}

/* nothing can check what is passed through, so that whoever wants checks gets WGSL */
static bool may_have_fragments(const struct gpu *gpu)
{
    const struct gpu_info *info = &gpu->info;
    return gpu->trusted && info->passthrough && info->matrix_units && info->subgroup_size == 32 &&
           gpu_multiplies(info, "f16 -> f32", "16x16x16");
}

struct gpu *gpu_open(const struct gpu_options *options, struct error *err)
{
    static const struct gpu_options defaults;
    const struct gpu_options *o = options ? options : &defaults;
    struct gpu *gpu = calloc(1, sizeof *gpu);
    if (!gpu) return fail_memory(err, "the device"), NULL;
    atomic_flag_clear(&gpu->error_lock);
    const struct trace_zone zone = trace_begin("open device");
    if (!webgpu_load(&gpu->w, o->runtime, err)) return trace_end(zone, NULL), free(gpu), NULL;
    gpu_hear_log(gpu, o->validate);
    gpu->instance = create_instance(&gpu->w, o->validate);
    bool ok = gpu->instance ? choose_adapter(gpu, o->device, err)
                            : fail(err, ERR_NO_DEVICE, "the WebGPU library made no instance");
    if (ok) {
        gpu->info.shader_f16 &= !o->no_f16;
        gpu->info.subgroups &= !o->no_subgroups;
        gpu->info.matrix_units &= !o->no_matrix;
#ifdef NDEBUG
        gpu->trusted = !o->validate && !o->check_shaders;
#endif
        ok = gpu_request_device(gpu, err);
    }
    if (ok) {
        gpu_pipeline_cache_open(gpu, o);
        gpu->info.subgroup_size = gpu->info.subgroups ? gpu_probe_subgroups(gpu) : 0;
        gpu->info.subgroups = gpu->info.subgroup_size != 0;
        gpu->info.fragments = may_have_fragments(gpu) && gpu_probe_fragments(gpu);
        ok = gpu_check(gpu, err);
    }
    if (ok && trace_is_on()) profile_create(gpu);
    trace_end(zone, gpu->info.name);
    if (ok) return gpu;
    gpu_close(gpu);
    return NULL;
}

void gpu_close(struct gpu *gpu)
{
    if (!gpu) return;
    if (gpu->profile) profile_end(gpu);
    for (int i = 0; i < GPU_TICKETS; i++)
        if (gpu->tickets[i].buffer) gpu->w.BufferRelease(gpu->tickets[i].buffer);
    gpu_pipeline_cache_close(gpu);
    if (gpu->queue) gpu->w.QueueRelease(gpu->queue);
    if (gpu->device) {
        gpu->w.DeviceDestroy(gpu->device);
        gpu->w.DeviceRelease(gpu->device);
    }
    if (gpu->adapter) gpu->w.AdapterRelease(gpu->adapter);
    if (gpu->instance) gpu->w.InstanceRelease(gpu->instance);
    gpu_hear_log(gpu, false);
    webgpu_unload(&gpu->w);
    free(gpu->profile);
    free(gpu);
}

const struct gpu_info *gpu_describe(const struct gpu *gpu) { return &gpu->info; }
