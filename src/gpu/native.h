/* native.h - inside of gpu/: the WebGPU functions that Corvid calls, loaded at run time, and struct gpu. */
#ifndef CORVID_GPU_NATIVE_H
#define CORVID_GPU_NATIVE_H

#include <stdatomic.h>

#include <webgpu.h>
#include <wgpu.h>
/* after those two */
#include <corvid_wgpu.h>

#include "base/trace.h"
#include "gpu/gpu.h"

/* clang-format off */
/* in every implementation */
#define WEBGPU_FUNCTIONS(X)                                                                                         \
    X(CreateInstance) X(InstanceRelease) X(InstanceProcessEvents)                                                   \
    X(AdapterGetInfo) X(AdapterInfoFreeMembers) X(AdapterGetLimits) X(AdapterHasFeature)                            \
    X(AdapterRequestDevice) X(AdapterRelease)                                                                       \
    X(DeviceGetQueue) X(DeviceRelease) X(DeviceDestroy) X(DeviceCreateBuffer) X(DeviceCreateShaderModule)           \
    X(DeviceCreateBindGroupLayout) X(DeviceCreateBindGroup) X(DeviceCreatePipelineLayout)                           \
    X(DeviceCreateComputePipeline) X(DeviceCreateCommandEncoder)                                                    \
    X(BufferDestroy) X(BufferRelease) X(BufferMapAsync) X(BufferUnmap) X(BufferGetMappedRange)                      \
    X(BufferGetConstMappedRange)                                                                                    \
    X(ShaderModuleRelease) X(BindGroupLayoutRelease) X(BindGroupRelease) X(PipelineLayoutRelease)                   \
    X(ComputePipelineRelease)                                                                                       \
    X(CommandEncoderBeginComputePass) X(CommandEncoderCopyBufferToBuffer) X(CommandEncoderClearBuffer)              \
    X(CommandEncoderFinish) X(CommandEncoderRelease) X(CommandBufferRelease)                                        \
    X(ComputePassEncoderSetPipeline) X(ComputePassEncoderSetBindGroup) X(ComputePassEncoderDispatchWorkgroups)      \
    X(ComputePassEncoderEnd) X(ComputePassEncoderRelease)                                                           \
    X(QueueWriteBuffer) X(QueueRelease)

/* beyond the standard: wgpu.h */
#define WGPU_NATIVE_FUNCTIONS(X) \
    X(InstanceEnumerateAdapters) X(DevicePoll) X(QueueSubmitForIndex) X(DeviceCreateShaderModuleTrusted)

/* may be missing: NULL then */
#define WEBGPU_OPTIONAL_FUNCTIONS(X)                                    \
    X(GetVersion) X(SetLogCallback) X(SetLogLevel)                      \
    X(DeviceStartGraphicsDebuggerCapture) X(DeviceStopGraphicsDebuggerCapture)                                          \
    X(DeviceCreateQuerySet) X(QuerySetRelease) X(CommandEncoderResolveQuerySet) X(QueueGetTimestampPeriod)              \
    X(ComputePassEncoderWriteTimestamp)

/* of the wgpu30 runtime (runtime/include/corvid_wgpu.h), corvidWgpu...; NULL elsewhere. Where GetName is there, the
 * chained structs of that header are understood too. */
#define CORVID_WGPU_FUNCTIONS(X)                                                                  \
    X(GetName) X(AdapterGetCooperativeMatrices) X(DeviceCreateShaderModulePassthrough)            \
    X(DeviceCreatePipelineCache) X(PipelineCacheGetData) X(PipelineCacheRelease)                  \
    X(AdapterGetPipelineCacheKey) X(DeviceGetMemory) X(CommandEncoderFinishRecording) X(RecordingReplay)      \
    X(RecordingRelease)
/* clang-format on */

struct webgpu {
    void *library;
    char runtime[32], version[24]; /* "wgpu-native" or a file's name, "29.0.0.0" or "unknown" */
#define X(name) __typeof__(&wgpu##name) name;
    WEBGPU_FUNCTIONS(X)
    WGPU_NATIVE_FUNCTIONS(X)
    WEBGPU_OPTIONAL_FUNCTIONS(X)
#undef X
#define X(name) __typeof__(&corvidWgpu##name) name;
    CORVID_WGPU_FUNCTIONS(X)
#undef X
};

/* Finds and loads the library. runtime: a name that native.c knows, or a path; NULL: what CORVID_WEBGPU says, else the
 * best that is there. Names are looked for in lib/corvid beside the program's bin, then in the system's folders. */
bool webgpu_load(struct webgpu *w, const char *runtime, struct error *err);
void webgpu_unload(struct webgpu *w);

/* a host-visible copy of a range, reused */
struct gpu_ticket {
    WGPUBuffer buffer;
    uint64_t capacity, bytes;
    WGPUSubmissionIndex submission;
    bool open, submitted;
    volatile bool done, ok; /* set by the map callback */
};

enum { GPU_MAX_COMMANDS = 8 };

struct gpu {
    struct webgpu w;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice device;
    WGPUQueue queue;
    struct gpu_info info;
    bool trusted;                           /* shaders without run-time checks and zeroed workgroup memory */
    CorvidWgpuPipelineCache pipeline_cache; /* NULL: none */
    bool hears_log, capturing;
    uint64_t n_steps; /* that gpu_capture_begin saw */

    const char *label;                            /* of what is being recorded */
    WGPUCommandBuffer commands[GPU_MAX_COMMANDS]; /* recorded, in order */
    size_t n_commands;
    bool incomplete;                 /* something could not be recorded */
    bool in_list;                    /* between gpu_list_begin and gpu_list_end */
    WGPUCommandEncoder encoder;      /* for what comes after them; NULL: nothing yet */
    WGPUComputePassEncoder pass;     /* open while dispatches follow each other */
    const struct gpu_kernel *kernel; /* set in the pass */

    struct profile *profile; /* profile.c; NULL: nothing is timed */
    struct trace_zone encoding;

    struct gpu_ticket tickets[GPU_TICKETS];
    WGPUSubmissionIndex last_submission;
    atomic_flag error_lock;
    struct error error; /* first one since gpu_check */
    bool lost;
};

struct gpu_buffer {
    struct gpu *gpu;
    WGPUBuffer handle;
    uint64_t bytes;
};

struct gpu_kernel {
    struct gpu *gpu;
    WGPUBindGroupLayout layout;
    WGPUComputePipeline pipeline;
    size_t n_bindings;
    char name[192];
};

struct gpu_bindings {
    struct gpu *gpu;
    WGPUBindGroup handle;
};

struct gpu_list {
    struct gpu *gpu;
    CorvidWgpuRecording recording;
};

static inline WGPUStringView view(const char *text) { return (WGPUStringView){text, text ? WGPU_STRLEN : 0}; }

/* errors.c. The library calls gpu_on_... from within a failing call or a poll; they only store. One device of a process
 * at a time hears the library's log, the one that asked last. */
void gpu_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message, void *user, void *unused);
void gpu_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason, WGPUStringView message, void *user,
                 void *unused);
void gpu_hear_log(struct gpu *gpu, bool hear);
void gpu_copy_text(char *out, size_t capacity, WGPUStringView text); /* 0-terminated, cut if need be */

/* The environment has CORVID_CAPTURE=1: a debugger is to see labels and one step. */
bool gpu_capture_is_wanted(void);

/* features.c: sets the flags of what the adapter offers, */
void gpu_features_describe(const struct webgpu *w, WGPUAdapter adapter, struct gpu_info *info);

/* and opens gpu->device and its queue with those that are set in gpu->info. Where that fails with experimental ones it
 * is tried without them, and their flags are cleared. */
bool gpu_request_device(struct gpu *gpu, struct error *err);

/* pipeline_cache.c: lends the options' kept kernels to the runtime. Without success there is no cache. */
void gpu_pipeline_cache_open(struct gpu *gpu, const struct gpu_options *options);
void gpu_pipeline_cache_close(struct gpu *gpu);

/* What its matrix units multiply, as text; "" if the runtime does not tell. */
void gpu_matrix_shapes(const struct webgpu *w, WGPUAdapter adapter, char *out, size_t capacity);

/* Runs one workgroup of a kernel that writes `bytes` to its only binding: what judge says of them, or 0 if it cannot.
 * Destroys the kernel, which may be NULL. */
uint32_t gpu_probe_run(struct gpu *gpu, struct gpu_kernel *kernel, uint64_t bytes, uint32_t (*judge)(const void *data));

/* Runs a small kernel to learn the subgroup size and whether lanes are linear; 0 if subgroups cannot be used. */
uint32_t gpu_probe_subgroups(struct gpu *gpu);

/* Runs a small kernel to learn whether gpu_info.fragments holds. Needs passthrough, matrix units and 32 lanes. */
bool gpu_probe_fragments(struct gpu *gpu);

/* pass.c: records what comes next. */
WGPUCommandEncoder gpu_encoder(struct gpu *gpu);

/* profile.c: timestamps of dispatches while a trace records (base/trace.h). All after profile_create need a profile. */
void profile_create(struct gpu *gpu); /* of an open device; may leave gpu->profile NULL */
/* Hands over all that is under way. The profile itself is to be freed after the device: callbacks may write to it. */
void profile_end(struct gpu *gpu);
void profile_begin(struct gpu *gpu); /* in gpu_begin */
/* A pass begins: fills in where its timestamps go. */
void profile_begin_pass(struct gpu *gpu, WGPUComputePassDescriptor *d, WGPUPassTimestampWrites *writes);
/* Passes must have one dispatch only. */
bool profile_splits_passes(const struct gpu *gpu);
void profile_dispatched(struct gpu *gpu, const struct gpu_kernel *kernel, const uint32_t groups[3]);
void profile_resolve(struct gpu *gpu); /* the last commands before the encoder is finished */
void profile_submitted(struct gpu *gpu, bool ok);
void profile_collect(struct gpu *gpu); /* hands what is there to the trace; does not wait */

#endif
