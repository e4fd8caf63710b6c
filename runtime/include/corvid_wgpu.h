/* corvid_wgpu.h - what the runtime of this folder adds to webgpu.h and wgpu.h: matrix units, shaders passed through,
 * pipeline caches, memory hints and reports, and switches for checks. Include webgpu.h and wgpu.h first.
 *
 * Structs whose first member is `chain` are chained into a descriptor of webgpu.h, with the sType named at each. Values
 * beyond the headers' own are in 0x00C0xxxx. Functions may be missing in another library: ask for each by its name. All
 * of them may be called from any thread. Text in a WGPUStringView follows webgpu.h's rules. After an invalid call the
 * device's error path hears of it and the result is null or 0. */
#ifndef CORVID_WGPU_H
#define CORVID_WGPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ---- */

/* "corvid-wgpu 0.1.0 (wgpu 30.0.1)"; static */
const char *corvidWgpuGetName(void);

/* of this header: major, minor and patch, one byte each */
uint32_t corvidWgpuGetVersion(void);

/* ---- numbers ---- */

typedef enum CorvidWgpuSType {
    CorvidWgpuSType_InstanceOptions = 0x00C00001,
    CorvidWgpuSType_DeviceOptions = 0x00C00002,
    CorvidWgpuSType_ShaderModuleOptions = 0x00C00003,
    CorvidWgpuSType_ComputePipelineOptions = 0x00C00004,
    CorvidWgpuSType_Force32 = 0x7FFFFFFF
} CorvidWgpuSType;

/* Features to ask adapters and devices for. Others have numbers of wgpu.h: WGPUNativeFeature_CooperativeMatrix (needs
 * experimentalFeatures; WGSL then knows `enable wgpu_cooperative_matrix;`), _MemoryDecorationCoherent (`@coherent`),
 * _PipelineCache, _MappablePrimaryBuffers, _Subgroup, _TimestampQueryInsidePasses. */
typedef enum CorvidWgpuFeature {
    CorvidWgpuFeature_PassthroughShaders = 0x00C00001, /* corvidWgpuDeviceCreateShaderModulePassthrough */
    CorvidWgpuFeature_Force32 = 0x7FFFFFFF
} CorvidWgpuFeature;

/* ---- instance: chained into WGPUInstanceDescriptor ---- */

/* beyond WGPUInstanceFlag: reject what WebGPU's standard rejects and wgpu would allow */
#define CorvidWgpuInstanceFlag_StrictCompliance UINT64_C(0x80)

typedef struct CorvidWgpuInstanceOptions {
    WGPUChainedStruct chain; /* CorvidWgpuSType_InstanceOptions */
    uint64_t flags;          /* WGPUInstanceFlag bits: Debug, Validation, GPUBasedValidation, ... */
    /* Creating a buffer fails, or the device is lost, when a heap is fuller than this share of its budget; 0: never.
     * Only where the driver tells budgets. */
    uint32_t creationBudgetPercent, lossBudgetPercent;
} CorvidWgpuInstanceOptions;

/* ---- device: chained into WGPUDeviceDescriptor ---- */

typedef enum CorvidWgpuMemoryHint {
    CorvidWgpuMemoryHint_Performance = 0, /* large blocks */
    CorvidWgpuMemoryHint_MemoryUsage = 1, /* small blocks */
    CorvidWgpuMemoryHint_Manual = 2,      /* blockBytesMin .. blockBytesMax */
    CorvidWgpuMemoryHint_Force32 = 0x7FFFFFFF
} CorvidWgpuMemoryHint;

typedef struct CorvidWgpuDeviceOptions {
    WGPUChainedStruct chain;          /* CorvidWgpuSType_DeviceOptions */
    WGPUBool experimentalFeatures;    /* allow what wgpu calls experimental: it may have undefined behaviour */
    CorvidWgpuMemoryHint memoryHint;
    uint64_t blockBytesMin, blockBytesMax; /* of memory that buffers share, for Manual */
    uint32_t compileThreads; /* of wgpuDeviceCreateComputePipelineAsync, started when used; 0: one a CPU, at most 8 */
} CorvidWgpuDeviceOptions;

/* ---- shader modules ---- */

/* beyond WGPUShaderRuntimeChecks */
#define CorvidWgpuRuntimeChecks_IntegerDivision UINT64_C(0x20) /* by zero, and overflow */
#define CorvidWgpuRuntimeChecks_All UINT64_C(0x3F)

/* Chained into WGPUShaderModuleDescriptor beside the source: the checks compiled in. It overrides what
 * wgpuDeviceCreateShaderModuleTrusted is given. Who leaves one out promises that the shader does not need it. */
typedef struct CorvidWgpuShaderModuleOptions {
    WGPUChainedStruct chain; /* CorvidWgpuSType_ShaderModuleOptions */
    uint64_t runtimeChecks;
} CorvidWgpuShaderModuleOptions;

typedef struct CorvidWgpuPassthroughEntryPoint {
    WGPUStringView name;
    uint32_t workgroupSize[3];
} CorvidWgpuPassthroughEntryPoint;

/* Code for one or several backends; the others are null. */
typedef struct CorvidWgpuPassthroughDescriptor {
    WGPUChainedStruct *nextInChain;
    WGPUStringView label;
    size_t entryPointCount;
    CorvidWgpuPassthroughEntryPoint const *entryPoints;
    size_t spirvWords; /* Vulkan */
    uint32_t const *spirv;
    WGPUStringView msl;  /* Metal */
    WGPUStringView hlsl; /* D3D12 */
} CorvidWgpuPassthroughDescriptor;

/* Gives code to the driver as it is: nothing checks it. Needs CorvidWgpuFeature_PassthroughShaders; a pipeline of such
 * a module needs a layout. The caller owns the module. */
WGPUShaderModule corvidWgpuDeviceCreateShaderModulePassthrough(WGPUDevice device,
                                                               CorvidWgpuPassthroughDescriptor const *descriptor);

/* ---- compute pipelines: chained into WGPUComputePipelineDescriptor ---- */

typedef struct CorvidWgpuPipelineCacheImpl *CorvidWgpuPipelineCache;

typedef struct CorvidWgpuComputePipelineOptions {
    WGPUChainedStruct chain;                        /* CorvidWgpuSType_ComputePipelineOptions */
    CorvidWgpuPipelineCache cache;                  /* or null */
    WGPUOptionalBool zeroInitializeWorkgroupMemory; /* Undefined: as True */
} CorvidWgpuComputePipelineOptions;

/* ---- pipeline caches (WGPUNativeFeature_PipelineCache; Vulkan) ---- */

typedef struct CorvidWgpuPipelineCacheDescriptor {
    WGPUChainedStruct *nextInChain;
    WGPUStringView label;
    uint8_t const *data; /* from corvidWgpuPipelineCacheGetData, or null; copied */
    size_t size;
    WGPUBool fallback; /* data that does not fit gives an empty cache; otherwise null and an error */
} CorvidWgpuPipelineCacheDescriptor;

/* wgpu checks the header of the data (its own version, backend, adapter, the driver's identity), and hands the rest to
 * the driver as it is: keep a hash beside the bytes and check it first. The caller owns the cache; several threads may
 * create pipelines with one at once. */
CorvidWgpuPipelineCache corvidWgpuDeviceCreatePipelineCache(WGPUDevice device,
                                                            CorvidWgpuPipelineCacheDescriptor const *descriptor);

/* The bytes to save: written if `capacity` is enough; their number in any case. It may grow between two calls while
 * pipelines are compiled. 0: nothing to save. */
size_t corvidWgpuPipelineCacheGetData(CorvidWgpuPipelineCache cache, size_t capacity, void *data);

void corvidWgpuPipelineCacheAddRef(CorvidWgpuPipelineCache cache);
void corvidWgpuPipelineCacheRelease(CorvidWgpuPipelineCache cache);

/* wgpu's name for caches of this adapter (backend, vendor, device), good for a file name: written, without a final 0,
 * if `capacity` is enough; its length in any case. 0: this backend has no caches. */
size_t corvidWgpuAdapterGetPipelineCacheKey(WGPUAdapter adapter, size_t capacity, char *text);

/* ---- recordings (Vulkan) ---- */

/* Dispatches that were recorded once and run many times, with the bind groups and sizes that they were recorded with. */
typedef struct CorvidWgpuRecordingImpl *CorvidWgpuRecording;

/* As wgpuCommandEncoderFinish; besides, the dispatches of the encoder's compute passes are kept in *recording, which
 * the caller owns. It is null where the device keeps none. All else that the encoder recorded is not kept. */
WGPUCommandBuffer corvidWgpuCommandEncoderFinishRecording(WGPUCommandEncoder encoder, CorvidWgpuRecording *recording);

/* A command buffer, to be submitted once, that runs the dispatches once more: after all that was submitted before,
 * and before all that is submitted later. The caller owns it. wgpu does not know what it uses: the pipelines, bind
 * groups and buffers must not be released or destroyed before it has run. */
WGPUCommandBuffer corvidWgpuRecordingReplay(CorvidWgpuRecording recording);

void corvidWgpuRecordingAddRef(CorvidWgpuRecording recording);
void corvidWgpuRecordingRelease(CorvidWgpuRecording recording); /* also while it runs */

/* ---- matrix units ---- */

typedef enum CorvidWgpuScalar {
    CorvidWgpuScalar_Other = 0,
    CorvidWgpuScalar_F16 = 1,
    CorvidWgpuScalar_F32 = 2,
    CorvidWgpuScalar_F64 = 3,
    CorvidWgpuScalar_I8 = 4,
    CorvidWgpuScalar_I16 = 5,
    CorvidWgpuScalar_I32 = 6,
    CorvidWgpuScalar_I64 = 7,
    CorvidWgpuScalar_U8 = 8,
    CorvidWgpuScalar_U16 = 9,
    CorvidWgpuScalar_U32 = 10,
    CorvidWgpuScalar_U64 = 11,
    CorvidWgpuScalar_BF16 = 12,
    CorvidWgpuScalar_Force32 = 0x7FFFFFFF
} CorvidWgpuScalar;

/* result (m x n) = a (m x k) * b (k x n) + c, by one subgroup */
typedef struct CorvidWgpuCooperativeMatrix {
    uint32_t m, n, k;
    CorvidWgpuScalar aType, bType, cType, resultType;
    WGPUBool saturating; /* integer sums stop at the ends of their range */
} CorvidWgpuCooperativeMatrix;

/* What the adapter multiplies: at most `capacity` entries are written; how many there are in any case. On Vulkan that
 * is all the driver lists for subgroups: WGSL reaches f16 and f32, SPIR-V the rest. */
size_t corvidWgpuAdapterGetCooperativeMatrices(WGPUAdapter adapter, size_t capacity, CorvidWgpuCooperativeMatrix *out);

/* ---- memory ---- */

#define CORVID_WGPU_MAX_HEAPS 16

typedef struct CorvidWgpuMemoryHeap {
    uint64_t bytes;
    uint64_t budgetBytes, usedBytes; /* this process's share as the driver estimates it now, and its use; 0: not told */
    WGPUBool deviceLocal;
} CorvidWgpuMemoryHeap;

typedef struct CorvidWgpuMemory {
    uint64_t allocatedBytes, reservedBytes; /* of this device: in use, and held; 0 where wgpu does not tell (Metal) */
    size_t allocationCount, blockCount;
    size_t heapCount; /* 0 where not told (Metal, D3D12) */
    CorvidWgpuMemoryHeap heaps[CORVID_WGPU_MAX_HEAPS];
} CorvidWgpuMemory;

WGPUStatus corvidWgpuDeviceGetMemory(WGPUDevice device, CorvidWgpuMemory *out);

/* ---- for tests ---- */

typedef struct CorvidWgpuAbiEntry {
    const char *name; /* "WGPULimits": its size; "WGPULimits.maxBufferSize": offset; "WGPUStatus_Success": value */
    uint64_t value;
} CorvidWgpuAbiEntry;

/* every struct and value of the ABI as the library has it, ended by a null name; static */
CorvidWgpuAbiEntry const *corvidWgpuAbiTable(void);

#ifdef __cplusplus
}
#endif

#endif
