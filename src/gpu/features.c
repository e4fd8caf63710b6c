/* features.c - what adapters offer beyond WebGPU's core, as flags of struct gpu_info, and asking for a device with it.
 * A feature counts as offered only where the runtime has what it takes to use it. */
#include "gpu/native.h"

static const struct feature {
    uint32_t name; /* WGPUFeatureName or of the runtimes' own */
    size_t flag;   /* where its bool lies in struct gpu_info */
    bool experimental;
} table[] = {
#define FLAG(name) offsetof(struct gpu_info, name)
    {WGPUFeatureName_ShaderF16, FLAG(shader_f16), false},
    {WGPUNativeFeature_Subgroup, FLAG(subgroups), false},
    {WGPUFeatureName_TimestampQuery, FLAG(timestamps), false},
    {WGPUNativeFeature_TimestampQueryInsidePasses, FLAG(timestamps_in_passes), false},
    {WGPUNativeFeature_MemoryDecorationCoherent, FLAG(coherent), false},
    {WGPUNativeFeature_MappablePrimaryBuffers, FLAG(mappable), false},
    {WGPUNativeFeature_PipelineCache, FLAG(pipeline_cache), false},
    {CorvidWgpuFeature_PassthroughShaders, FLAG(passthrough), false},
    {WGPUNativeFeature_CooperativeMatrix, FLAG(matrix_units), true},
#undef FLAG
};
enum { N_FEATURES = sizeof table / sizeof *table };

static bool *flag_of(struct gpu_info *info, const struct feature *f) { return (bool *)((char *)info + f->flag); }

void gpu_features_describe(const struct webgpu *w, WGPUAdapter adapter, struct gpu_info *info)
{
    for (size_t i = 0; i < N_FEATURES; i++)
        *flag_of(info, &table[i]) = w->AdapterHasFeature(adapter, (WGPUFeatureName)table[i].name);
    info->timestamps_in_passes &= info->timestamps;
    info->pipeline_cache &= w->DeviceCreatePipelineCache && w->PipelineCacheGetData && w->AdapterGetPipelineCacheKey;
    info->passthrough &= w->DeviceCreateShaderModulePassthrough != NULL;
    /* wgpu-native shows the feature but has no switch for what wgpu calls experimental */
    info->matrix_units &= w->GetName && w->AdapterGetCooperativeMatrices;
}

/* the flags that are set, as names to ask a device for */
static size_t names_of(struct gpu_info *info, WGPUFeatureName names[N_FEATURES])
{
    size_t n = 0;
    for (size_t i = 0; i < N_FEATURES; i++)
        if (*flag_of(info, &table[i])) names[n++] = (WGPUFeatureName)table[i].name;
    return n;
}

static bool has_experimental(struct gpu_info *info)
{
    bool any = false;
    for (size_t i = 0; i < N_FEATURES; i++) any |= table[i].experimental && *flag_of(info, &table[i]);
    return any;
}

static void forgo_experimental(struct gpu_info *info)
{
    for (size_t i = 0; i < N_FEATURES; i++)
        if (table[i].experimental) *flag_of(info, &table[i]) = false;
}

struct device_request {
    bool done;
    WGPUDevice device;
    char message[256];
};

static void on_device(WGPURequestDeviceStatus status, WGPUDevice device, WGPUStringView message, void *user,
                      void *unused)
{
    (void)unused;
    struct device_request *r = user;
    r->device = status == WGPURequestDeviceStatus_Success ? device : NULL;
    gpu_copy_text(r->message, sizeof r->message, message);
    r->done = true;
}

/* Asks for a device with the features whose flags are set in gpu->info. */
static WGPUDevice request_device(struct gpu *gpu, struct device_request *r)
{
    WGPUFeatureName features[N_FEATURES];
    WGPULimits limits = {0};
    gpu->w.AdapterGetLimits(gpu->adapter, &limits);
    limits.maxImmediateSize = 0;
    CorvidWgpuDeviceOptions options = {
        .chain = {.sType = (WGPUSType)CorvidWgpuSType_DeviceOptions},
        .experimentalFeatures = has_experimental(&gpu->info),
        .memoryHint = CorvidWgpuMemoryHint_Performance,
    };
    WGPUDeviceDescriptor d = {
        .nextInChain = gpu->w.GetName ? &options.chain : NULL,
        .label = view("corvid"),
        .requiredFeatureCount = names_of(&gpu->info, features),
        .requiredFeatures = features,
        .requiredLimits = &limits,
        .defaultQueue = {.label = view("corvid")},
        .deviceLostCallbackInfo = {.mode = WGPUCallbackMode_AllowSpontaneous,
                                   .callback = gpu_on_lost,
                                   .userdata1 = gpu},
        .uncapturedErrorCallbackInfo = {.callback = gpu_on_error, .userdata1 = gpu},
    };
    *r = (struct device_request){0};
    WGPURequestDeviceCallbackInfo callback = {
        .mode = WGPUCallbackMode_AllowProcessEvents, .callback = on_device, .userdata1 = r};
    gpu->w.AdapterRequestDevice(gpu->adapter, &d, callback);
    while (!r->done) gpu->w.InstanceProcessEvents(gpu->instance);
    return r->device;
}

bool gpu_request_device(struct gpu *gpu, struct error *err)
{
    struct device_request r;
    gpu->device = request_device(gpu, &r);
    if (!gpu->device && has_experimental(&gpu->info)) {
        forgo_experimental(&gpu->info);
        gpu->device = request_device(gpu, &r);
    }
    if (!gpu->device) return fail(err, ERR_DEVICE, "%s: the device cannot be opened: %s", gpu->info.name, r.message);
    gpu->queue = gpu->w.DeviceGetQueue(gpu->device);
    return true;
}
