/* kernel.c - WGSL to pipelines; buffers to bind groups. Layouts are explicit: a kernel need not use every binding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "gpu/native.h"

enum { MAX_BINDINGS = 17 };

static WGPUBindGroupLayout create_layout(struct gpu *gpu, const char *name, const char *bindings)
{
    WGPUBindGroupLayoutEntry entries[MAX_BINDINGS];
    size_t n = strlen(bindings);
    for (size_t i = 0; i < n; i++) {
        WGPUBufferBindingType type = bindings[i] == 'u'   ? WGPUBufferBindingType_Uniform
                                     : bindings[i] == 'r' ? WGPUBufferBindingType_ReadOnlyStorage
                                                          : WGPUBufferBindingType_Storage;
        entries[i] = (WGPUBindGroupLayoutEntry){
            .binding = (uint32_t)i, .visibility = WGPUShaderStage_Compute, .buffer = {.type = type}};
    }
    WGPUBindGroupLayoutDescriptor d = {.label = view(name), .entryCount = n, .entries = entries};
    return gpu->w.DeviceCreateBindGroupLayout(gpu->device, &d);
}

static WGPUShaderModule create_module(struct gpu *gpu, const char *name, const char *wgsl)
{
    CorvidWgpuShaderModuleOptions options = {
        .chain = {.sType = (WGPUSType)CorvidWgpuSType_ShaderModuleOptions},
        .runtimeChecks = gpu->trusted ? WGPUShaderRuntimeChecks_None : CorvidWgpuRuntimeChecks_All,
    };
    WGPUShaderSourceWGSL source = {.chain = {.sType = WGPUSType_ShaderSourceWGSL}, .code = view(wgsl)};
    WGPUShaderModuleDescriptor d = {.nextInChain = &source.chain, .label = view(name)};
    if (gpu->w.GetName) source.chain.next = &options.chain;
    else if (gpu->trusted) return gpu->w.DeviceCreateShaderModuleTrusted(gpu->device, &d, WGPUShaderRuntimeChecks_None);
    return gpu->w.DeviceCreateShaderModule(gpu->device, &d);
}

static WGPUComputePipeline create_pipeline(struct gpu *gpu, const char *name, WGPUPipelineLayout layout,
                                           WGPUShaderModule module)
{
    CorvidWgpuComputePipelineOptions options = {
        .chain = {.sType = (WGPUSType)CorvidWgpuSType_ComputePipelineOptions},
        .cache = gpu->pipeline_cache,
        .zeroInitializeWorkgroupMemory = gpu->trusted ? WGPUOptionalBool_False : WGPUOptionalBool_True,
    };
    WGPUComputePipelineDescriptor d = {.nextInChain = gpu->w.GetName ? &options.chain : NULL,
                                       .label = view(name),
                                       .layout = layout,
                                       .compute = {.module = module, .entryPoint = view("main")}};
    return gpu->w.DeviceCreateComputePipeline(gpu->device, &d);
}

static WGPUShaderModule create_spirv_module(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv)
{
    CorvidWgpuPassthroughEntryPoint entry = {.name = view("main"), .workgroupSize = {spirv->threads, 1, 1}};
    CorvidWgpuPassthroughDescriptor d = {.label = view(name),
                                         .entryPointCount = 1,
                                         .entryPoints = &entry,
                                         .spirvWords = spirv->n_words,
                                         .spirv = spirv->words};
    return gpu->w.DeviceCreateShaderModulePassthrough(gpu->device, &d);
}

/* from WGSL, or from SPIR-V where wgsl is NULL */
static struct gpu_kernel *create_kernel(struct gpu *gpu, const char *name, const char *wgsl,
                                        const struct gpu_spirv *spirv, const char *bindings, struct error *err)
{
    uint32_t storage = 0;
    for (const char *b = bindings; *b; b++) storage += *b != 'u';
    if (strlen(bindings) > MAX_BINDINGS || storage > gpu->info.max_storage_buffers) {
        fail(err, ERR_LIMIT, "kernel %s binds %u storage buffers, the device allows %u", name, storage,
             gpu->info.max_storage_buffers);
        return NULL;
    }
    struct gpu_kernel *k = calloc(1, sizeof *k);
    if (!k) return fail_memory(err, "a kernel"), NULL;
    const struct webgpu *w = &gpu->w;
    const struct trace_zone zone = trace_begin("compile");
    k->gpu = gpu;
    k->n_bindings = strlen(bindings);
    snprintf(k->name, sizeof k->name, "%s", name);
    k->layout = create_layout(gpu, name, bindings);
    WGPUPipelineLayoutDescriptor ld = {.label = view(name), .bindGroupLayoutCount = 1, .bindGroupLayouts = &k->layout};
    WGPUPipelineLayout layout = w->DeviceCreatePipelineLayout(gpu->device, &ld);
    bool ok = gpu_check(gpu, err);
    WGPUShaderModule module = NULL;
    if (ok) module = wgsl ? create_module(gpu, name, wgsl) : create_spirv_module(gpu, name, spirv);
    ok = ok && gpu_check(gpu, err) && module;
    if (ok) {
        k->pipeline = create_pipeline(gpu, name, layout, module);
        ok = gpu_check(gpu, err) && k->pipeline;
    }
    if (module) w->ShaderModuleRelease(module);
    if (layout) w->PipelineLayoutRelease(layout);
    trace_end(zone, name);
    if (ok) return k;
    fail_in(err, "kernel %s", name);
    gpu_kernel_destroy(k);
    return NULL;
}

struct gpu_kernel *gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                     struct error *err)
{
    return create_kernel(gpu, name, wgsl, NULL, bindings, err);
}

struct gpu_kernel *gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                           const char *bindings, struct error *err)
{
    if (gpu->info.passthrough) return create_kernel(gpu, name, NULL, spirv, bindings, err);
    fail(err, ERR_DEVICE, "kernel %s is SPIR-V, which this device or runtime does not take", name);
    return NULL;
}

void gpu_kernel_destroy(struct gpu_kernel *kernel)
{
    if (!kernel) return;
    if (kernel->pipeline) kernel->gpu->w.ComputePipelineRelease(kernel->pipeline);
    if (kernel->layout) kernel->gpu->w.BindGroupLayoutRelease(kernel->layout);
    free(kernel);
}

struct gpu_bindings *gpu_bindings_create(struct gpu *gpu, const struct gpu_kernel *kernel,
                                         const struct gpu_range *ranges, size_t count, struct error *err)
{
    if (count != kernel->n_bindings) {
        fail(err, ERR_DEVICE, "kernel %s: %zu buffers bound, expected %zu", kernel->name, count, kernel->n_bindings);
        return NULL;
    }
    WGPUBindGroupEntry entries[MAX_BINDINGS];
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].bytes > gpu->info.max_binding_bytes) {
            fail(err, ERR_LIMIT, "kernel %s: binding %zu needs %llu MiB, the device allows %llu MiB", kernel->name, i,
                 (unsigned long long)(ranges[i].bytes >> 20), (unsigned long long)(gpu->info.max_binding_bytes >> 20));
            return NULL;
        }
        entries[i] = (WGPUBindGroupEntry){.binding = (uint32_t)i,
                                          .buffer = ranges[i].buffer->handle,
                                          .offset = ranges[i].at,
                                          .size = ranges[i].bytes};
    }
    struct gpu_bindings *b = calloc(1, sizeof *b);
    if (!b) return fail_memory(err, "a bind group"), NULL;
    WGPUBindGroupDescriptor d = {
        .label = view(kernel->name), .layout = kernel->layout, .entryCount = count, .entries = entries};
    b->gpu = gpu;
    b->handle = gpu->w.DeviceCreateBindGroup(gpu->device, &d);
    if (gpu_check(gpu, err) && b->handle) return b;
    fail_in(err, "kernel %s", kernel->name);
    gpu_bindings_destroy(b);
    return NULL;
}

void gpu_bindings_destroy(struct gpu_bindings *bindings)
{
    if (!bindings) return;
    if (bindings->handle) bindings->gpu->w.BindGroupRelease(bindings->handle);
    free(bindings);
}
