//! Every exported function by name, for wgpuGetProcAddress and for the test that calls them all.
use crate::abi::WGPUStringView;
use crate::*;

/// Any function.
pub type Proc = Option<unsafe extern "C" fn()>;

macro_rules! exports {
    ($($module:ident: $($name:ident),*;)*) => {
        /// Name and address of every exported function.
        pub const EXPORTS: &[(&str, Address)] = &[
            $( $( (stringify!($name), Address($module::$name as *const ())) ),* ),*
        ];
    };
}

/// The address of a function of any type.
#[derive(Clone, Copy)]
pub struct Address(pub *const ());
// SAFETY: code, never written
unsafe impl Sync for Address {}

exports! {
    adapter: wgpuAdapterAddRef, wgpuAdapterGetFeatures, wgpuAdapterGetInfo, wgpuAdapterGetLimits,
        wgpuAdapterHasFeature, wgpuAdapterInfoFreeMembers, wgpuAdapterRelease, wgpuAdapterRequestDevice,
        wgpuSupportedFeaturesFreeMembers;
    bind_group: wgpuBindGroupAddRef, wgpuBindGroupLayoutAddRef, wgpuBindGroupLayoutRelease,
        wgpuBindGroupLayoutSetLabel, wgpuBindGroupRelease, wgpuBindGroupSetLabel, wgpuDeviceCreateBindGroup,
        wgpuDeviceCreateBindGroupLayout, wgpuDeviceCreatePipelineLayout, wgpuPipelineLayoutAddRef,
        wgpuPipelineLayoutRelease, wgpuPipelineLayoutSetLabel;
    buffer: wgpuBufferAddRef, wgpuBufferDestroy, wgpuBufferGetConstMappedRange, wgpuBufferGetMapState,
        wgpuBufferGetMappedRange, wgpuBufferGetSize, wgpuBufferGetUsage, wgpuBufferMapAsync,
        wgpuBufferReadMappedRange, wgpuBufferRelease, wgpuBufferSetLabel, wgpuBufferUnmap, wgpuBufferWriteMappedRange,
        wgpuDeviceCreateBuffer;
    corvid: corvidWgpuAbiTable, corvidWgpuAdapterGetCooperativeMatrices,
        corvidWgpuDeviceCreateShaderModulePassthrough, corvidWgpuDeviceGetMemory, corvidWgpuGetName,
        corvidWgpuGetVersion, wgpuGetVersion;
    device: wgpuDeviceAddRef, wgpuDeviceDestroy, wgpuDeviceGetAdapterInfo, wgpuDeviceGetFeatures, wgpuDeviceGetLimits,
        wgpuDeviceGetLostFuture, wgpuDeviceGetQueue, wgpuDeviceHasFeature, wgpuDevicePoll, wgpuDevicePopErrorScope,
        wgpuDevicePushErrorScope, wgpuDeviceRelease, wgpuDeviceSetLabel, wgpuDeviceStartGraphicsDebuggerCapture,
        wgpuDeviceStopGraphicsDebuggerCapture;
    encoder: wgpuCommandBufferAddRef, wgpuCommandBufferRelease, wgpuCommandBufferSetLabel, wgpuCommandEncoderAddRef,
        wgpuCommandEncoderBeginComputePass, wgpuCommandEncoderClearBuffer, wgpuCommandEncoderCopyBufferToBuffer,
        wgpuCommandEncoderFinish, wgpuCommandEncoderInsertDebugMarker, wgpuCommandEncoderPopDebugGroup,
        wgpuCommandEncoderPushDebugGroup, wgpuCommandEncoderRelease, wgpuCommandEncoderResolveQuerySet,
        wgpuCommandEncoderSetLabel, wgpuCommandEncoderWriteTimestamp, wgpuDeviceCreateCommandEncoder;
    exports: wgpuGetProcAddress;
    instance: wgpuCreateInstance, wgpuGetInstanceFeatures, wgpuGetInstanceLimits, wgpuHasInstanceFeature,
        wgpuInstanceAddRef, wgpuInstanceEnumerateAdapters, wgpuInstanceGetWGSLLanguageFeatures,
        wgpuInstanceHasWGSLLanguageFeature, wgpuInstanceProcessEvents, wgpuInstanceRelease,
        wgpuInstanceRequestAdapter, wgpuInstanceWaitAny, wgpuSupportedInstanceFeaturesFreeMembers,
        wgpuSupportedWGSLLanguageFeaturesFreeMembers;
    log: wgpuSetLogCallback, wgpuSetLogLevel;
    pass: wgpuComputePassEncoderAddRef, wgpuComputePassEncoderDispatchWorkgroups,
        wgpuComputePassEncoderDispatchWorkgroupsIndirect, wgpuComputePassEncoderEnd,
        wgpuComputePassEncoderInsertDebugMarker, wgpuComputePassEncoderPopDebugGroup,
        wgpuComputePassEncoderPushDebugGroup, wgpuComputePassEncoderRelease, wgpuComputePassEncoderSetBindGroup,
        wgpuComputePassEncoderSetImmediates, wgpuComputePassEncoderSetLabel, wgpuComputePassEncoderSetPipeline,
        wgpuComputePassEncoderWriteTimestamp;
    pipeline: wgpuComputePipelineAddRef, wgpuComputePipelineGetBindGroupLayout, wgpuComputePipelineRelease,
        wgpuComputePipelineSetLabel, wgpuDeviceCreateComputePipeline, wgpuDeviceCreateComputePipelineAsync;
    pipeline_cache: corvidWgpuAdapterGetPipelineCacheKey, corvidWgpuDeviceCreatePipelineCache,
        corvidWgpuPipelineCacheAddRef, corvidWgpuPipelineCacheGetData, corvidWgpuPipelineCacheRelease;
    query: wgpuDeviceCreateQuerySet, wgpuQuerySetAddRef, wgpuQuerySetDestroy, wgpuQuerySetGetCount,
        wgpuQuerySetGetType, wgpuQuerySetRelease, wgpuQuerySetSetLabel;
    queue: wgpuQueueAddRef, wgpuQueueGetTimestampPeriod, wgpuQueueOnSubmittedWorkDone, wgpuQueueRelease,
        wgpuQueueSetLabel, wgpuQueueSubmit, wgpuQueueSubmitForIndex, wgpuQueueWriteBuffer;
    recording: corvidWgpuCommandEncoderFinishRecording, corvidWgpuRecordingAddRef, corvidWgpuRecordingRelease,
        corvidWgpuRecordingReplay;
    shader: wgpuDeviceCreateShaderModule, wgpuDeviceCreateShaderModuleTrusted, wgpuShaderModuleAddRef,
        wgpuShaderModuleGetCompilationInfo, wgpuShaderModuleRelease, wgpuShaderModuleSetLabel;
}

/// The function of a name, to be cast to its type; null if this library lacks it. Any thread.
///
/// # Safety
/// `name` is valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuGetProcAddress(name: WGPUStringView) -> Proc {
    let name = name.get()?;
    let found = EXPORTS.iter().find(|e| e.0 == name)?;
    Some(std::mem::transmute::<*const (), unsafe extern "C" fn()>(found.1 .0))
}
