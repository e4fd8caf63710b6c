//! Every exported function is called with handles that are null, released, of another kind or no handles at all; in
//! debug builds each says so and does nothing. Live handles with null for all the rest must not crash either.
use std::mem::zeroed;
use std::sync::LazyLock;

use super::*;
use crate::corvid::*;
use crate::exports::*;
use crate::handles::Object;
use crate::log::*;
use crate::pipeline_cache::*;
use crate::query::*;
use crate::recording::*;

/// A function with this handle first and zeros for the rest; whether an 8-byte result (a handle, a future) was null.
type Call<T> = fn(*const T) -> bool;

fn nothing<R>(result: R) -> bool {
    // SAFETY: as many bytes as there are
    size_of::<R>() != 8 || unsafe { std::mem::transmute_copy::<R, u64>(&result) } == 0
}

macro_rules! call {
    ($f:ident 1 $h:ident) => {
        $f($h)
    };
    ($f:ident 2 $h:ident) => {
        $f($h, zeroed())
    };
    ($f:ident 3 $h:ident) => {
        $f($h, zeroed(), zeroed())
    };
    ($f:ident 4 $h:ident) => {
        $f($h, zeroed(), zeroed(), zeroed())
    };
    ($f:ident 5 $h:ident) => {
        $f($h, zeroed(), zeroed(), zeroed(), zeroed())
    };
    ($f:ident 6 $h:ident) => {
        $f($h, zeroed(), zeroed(), zeroed(), zeroed(), zeroed())
    };
}

macro_rules! functions {
    ($($kind:ident $arity:tt: $($f:ident),*;)*) => {
        /// By the kind of the first argument.
        fn for_each(visit: &mut impl Visit) {
            $( $( #[allow(unused_unsafe)] visit.function::<$kind>(stringify!($f), |h| unsafe {
                nothing(call!($f $arity h))
            }); )* )*
        }
    };
}

trait Visit {
    fn function<T: Object>(&mut self, name: &'static str, call: Call<T>);
}

functions! {
    Adapter 1: wgpuAdapterAddRef, wgpuAdapterRelease;
    Adapter 2: wgpuAdapterGetFeatures, wgpuAdapterGetInfo, wgpuAdapterGetLimits, wgpuAdapterHasFeature;
    Adapter 3: corvidWgpuAdapterGetCooperativeMatrices, corvidWgpuAdapterGetPipelineCacheKey,
        wgpuAdapterRequestDevice;
    BindGroup 1: wgpuBindGroupAddRef, wgpuBindGroupRelease;
    BindGroup 2: wgpuBindGroupSetLabel;
    BindGroupLayout 1: wgpuBindGroupLayoutAddRef, wgpuBindGroupLayoutRelease;
    BindGroupLayout 2: wgpuBindGroupLayoutSetLabel;
    Buffer 1: wgpuBufferAddRef, wgpuBufferDestroy, wgpuBufferGetMapState, wgpuBufferGetSize, wgpuBufferGetUsage,
        wgpuBufferRelease, wgpuBufferUnmap;
    Buffer 2: wgpuBufferSetLabel;
    Buffer 3: wgpuBufferGetConstMappedRange, wgpuBufferGetMappedRange;
    Buffer 4: wgpuBufferReadMappedRange, wgpuBufferWriteMappedRange;
    Buffer 5: wgpuBufferMapAsync;
    CommandBuffer 1: wgpuCommandBufferAddRef, wgpuCommandBufferRelease;
    CommandBuffer 2: wgpuCommandBufferSetLabel;
    CommandEncoder 1: wgpuCommandEncoderAddRef, wgpuCommandEncoderPopDebugGroup, wgpuCommandEncoderRelease;
    CommandEncoder 2: corvidWgpuCommandEncoderFinishRecording, wgpuCommandEncoderBeginComputePass, wgpuCommandEncoderFinish,
        wgpuCommandEncoderInsertDebugMarker, wgpuCommandEncoderPushDebugGroup, wgpuCommandEncoderSetLabel;
    CommandEncoder 3: wgpuCommandEncoderWriteTimestamp;
    CommandEncoder 4: wgpuCommandEncoderClearBuffer;
    CommandEncoder 6: wgpuCommandEncoderCopyBufferToBuffer, wgpuCommandEncoderResolveQuerySet;
    ComputePassEncoder 1: wgpuComputePassEncoderAddRef, wgpuComputePassEncoderEnd,
        wgpuComputePassEncoderPopDebugGroup, wgpuComputePassEncoderRelease;
    ComputePassEncoder 2: wgpuComputePassEncoderInsertDebugMarker, wgpuComputePassEncoderPushDebugGroup,
        wgpuComputePassEncoderSetLabel, wgpuComputePassEncoderSetPipeline;
    ComputePassEncoder 3: wgpuComputePassEncoderDispatchWorkgroupsIndirect, wgpuComputePassEncoderWriteTimestamp;
    ComputePassEncoder 4: wgpuComputePassEncoderDispatchWorkgroups, wgpuComputePassEncoderSetImmediates;
    ComputePassEncoder 5: wgpuComputePassEncoderSetBindGroup;
    ComputePipeline 1: wgpuComputePipelineAddRef, wgpuComputePipelineRelease;
    ComputePipeline 2: wgpuComputePipelineGetBindGroupLayout, wgpuComputePipelineSetLabel;
    Device 1: wgpuDeviceAddRef, wgpuDeviceDestroy, wgpuDeviceGetLostFuture, wgpuDeviceGetQueue, wgpuDeviceRelease,
        wgpuDeviceStartGraphicsDebuggerCapture, wgpuDeviceStopGraphicsDebuggerCapture;
    Device 2: corvidWgpuDeviceCreatePipelineCache, corvidWgpuDeviceCreateShaderModulePassthrough,
        corvidWgpuDeviceGetMemory, wgpuDeviceCreateBindGroup, wgpuDeviceCreateBindGroupLayout, wgpuDeviceCreateBuffer,
        wgpuDeviceCreateCommandEncoder, wgpuDeviceCreateComputePipeline, wgpuDeviceCreatePipelineLayout,
        wgpuDeviceCreateQuerySet, wgpuDeviceCreateShaderModule, wgpuDeviceGetAdapterInfo, wgpuDeviceGetFeatures,
        wgpuDeviceGetLimits, wgpuDeviceHasFeature, wgpuDevicePopErrorScope, wgpuDevicePushErrorScope,
        wgpuDeviceSetLabel;
    Device 3: wgpuDeviceCreateComputePipelineAsync, wgpuDeviceCreateShaderModuleTrusted, wgpuDevicePoll;
    Instance 1: wgpuInstanceAddRef, wgpuInstanceProcessEvents, wgpuInstanceRelease;
    Instance 2: wgpuInstanceGetWGSLLanguageFeatures, wgpuInstanceHasWGSLLanguageFeature;
    Instance 3: wgpuInstanceEnumerateAdapters, wgpuInstanceRequestAdapter;
    Instance 4: wgpuInstanceWaitAny;
    PipelineCache 1: corvidWgpuPipelineCacheAddRef, corvidWgpuPipelineCacheRelease;
    PipelineCache 3: corvidWgpuPipelineCacheGetData;
    PipelineLayout 1: wgpuPipelineLayoutAddRef, wgpuPipelineLayoutRelease;
    PipelineLayout 2: wgpuPipelineLayoutSetLabel;
    QuerySet 1: wgpuQuerySetAddRef, wgpuQuerySetDestroy, wgpuQuerySetGetCount, wgpuQuerySetGetType,
        wgpuQuerySetRelease;
    QuerySet 2: wgpuQuerySetSetLabel;
    Queue 1: wgpuQueueAddRef, wgpuQueueGetTimestampPeriod, wgpuQueueRelease;
    Queue 2: wgpuQueueOnSubmittedWorkDone, wgpuQueueSetLabel;
    Queue 3: wgpuQueueSubmit, wgpuQueueSubmitForIndex;
    Queue 5: wgpuQueueWriteBuffer;
    Recording 1: corvidWgpuRecordingAddRef, corvidWgpuRecordingRelease, corvidWgpuRecordingReplay;
    ShaderModule 1: wgpuShaderModuleAddRef, wgpuShaderModuleRelease;
    ShaderModule 2: wgpuShaderModuleGetCompilationInfo, wgpuShaderModuleSetLabel;
}

/// Functions that have no handle.
const FREE: &[&str] = &[
    "corvidWgpuAbiTable",
    "corvidWgpuGetName",
    "corvidWgpuGetVersion",
    "wgpuGetVersion",
    "wgpuAdapterInfoFreeMembers",
    "wgpuCreateInstance",
    "wgpuGetInstanceFeatures",
    "wgpuGetInstanceLimits",
    "wgpuGetProcAddress",
    "wgpuHasInstanceFeature",
    "wgpuSetLogLevel",
    "wgpuSupportedFeaturesFreeMembers",
    "wgpuSupportedInstanceFeaturesFreeMembers",
    "wgpuSupportedWGSLLanguageFeaturesFreeMembers",
    "wgpuSetLogCallback",
];

static LOG: LazyLock<Seen> = LazyLock::new(Seen::default);

unsafe extern "C" fn on_log(_: Enum, message: WGPUStringView, user: Data) {
    seen(user).add(text(message));
}

/// Kind, handle, and how to release it.
type Any = (&'static str, *const (), fn(*const ()));

/// One object of each kind.
struct Objects {
    gpu: Gpu,
    all: Vec<Any>,
}

impl Objects {
    fn new() -> Self {
        let gpu = Gpu::with(&[WGPUNativeFeature::PipelineCache, WGPUFeatureName::TimestampQuery], null());
        let mut all = Vec::new();
        fn put<T: Object>(all: &mut Vec<Any>, handle: *const T) {
            assert!(!handle.is_null(), "{}", T::KIND);
            all.push((T::KIND, handle.cast(), |h| crate::handles::release(h.cast::<T>()).unwrap()));
        }
        unsafe {
            let module = gpu.module(ADD_ONE);
            let pipeline = gpu.pipeline(module);
            let layout = wgpuComputePipelineGetBindGroupLayout(pipeline, 0);
            let buffer = gpu.buffer(WGPUBufferUsage::Storage | WGPUBufferUsage::CopyDst, 256);
            let group = gpu.bind(layout, buffer, 256);
            let finished = wgpuDeviceCreateCommandEncoder(gpu.device, null());
            let encoder = wgpuDeviceCreateCommandEncoder(gpu.device, null());
            let mut recording = null();
            put(&mut all, corvidWgpuCommandEncoderFinishRecording(finished, &mut recording));
            put(&mut all, recording);
            wgpuCommandEncoderRelease(finished);
            put(&mut all, wgpuCommandEncoderBeginComputePass(encoder, null()));
            let mut ld: WGPUPipelineLayoutDescriptor = zeroed();
            ld.label = NO_TEXT;
            put(&mut all, wgpuDeviceCreatePipelineLayout(gpu.device, &ld));
            let d = WGPUQuerySetDescriptor { nextInChain: null(), label: NO_TEXT, r#type: 2, count: 4 };
            put(&mut all, wgpuDeviceCreateQuerySet(gpu.device, &d));
            put(&mut all, module);
            put(&mut all, pipeline);
            put(&mut all, layout);
            put(&mut all, buffer);
            put(&mut all, group);
            put(&mut all, encoder);
            let d: CorvidWgpuPipelineCacheDescriptor = zeroed();
            let cache = corvidWgpuDeviceCreatePipelineCache(gpu.device, &d);
            if !cache.is_null() {
                put(&mut all, cache);
            }
        }
        gpu.seen.take();
        Self { gpu, all }
    }

    fn find<T: Object>(&self) -> *const T {
        match T::KIND {
            "WGPUInstance" => self.gpu.instance.cast(),
            "WGPUAdapter" => self.gpu.adapter.cast(),
            "WGPUDevice" => self.gpu.device.cast(),
            "WGPUQueue" => self.gpu.queue.cast(),
            kind => self.all.iter().find(|o| o.0 == kind).map_or(null(), |o| o.1.cast()),
        }
    }

    fn release(&mut self) {
        // children that record go first, as in a program
        self.all.drain(..).for_each(|(_, handle, release)| release(handle));
    }
}

struct CallBad {
    live: Objects,
    stale: Objects,
    names: Vec<&'static str>,
}

impl Visit for CallBad {
    fn function<T: Object>(&mut self, name: &'static str, call: Call<T>) {
        self.names.push(name);
        let other: *const T = match T::KIND {
            "WGPUDevice" => self.live.gpu.queue.cast(),
            _ => self.live.gpu.device.cast(),
        };
        let stale = self.stale.find::<T>();
        let bad = [null(), stale, other, (&raw const *self).cast(), std::ptr::without_provenance(8)];
        for (what, handle) in ["null", "released", "another kind", "no object", "no address"].iter().zip(bad) {
            LOG.take();
            assert!(call(handle), "{name}: a result for a handle that is {what}");
            let heard = LOG.take();
            let said = heard.iter().any(|line| line.starts_with(&format!("{name}: ")) && line.contains(T::KIND));
            assert!(said, "{name} said nothing about a handle that is {what}: {heard:?}");
        }
        assert_eq!(self.live.gpu.seen.take(), [""; 0], "{name}");
    }
}

struct CallLive(Objects);

impl Visit for CallLive {
    fn function<T: Object>(&mut self, name: &'static str, call: Call<T>) {
        let handle = self.0.find::<T>();
        let ends = ["Release", "AddRef", "DeviceDestroy"].iter().any(|end| name.ends_with(end));
        if !ends && !handle.is_null() {
            call(handle);
            let panics: Vec<_> = self.0.gpu.seen.take().into_iter().filter(|s| s.contains("panic")).collect();
            assert_eq!(panics, [""; 0], "{name}");
        }
    }
}

/// One test, for the log is one: all handles of all functions.
#[test]
#[cfg(debug_assertions)]
fn every_function_bears_bad_handles() {
    wgpuSetLogCallback(Some(on_log), LOG.pointer());
    let (live, mut stale) = (Objects::new(), Objects::new());
    let keep = stale.all.clone();
    stale.release();
    stale.all = keep; // for find
    wgpuQueueRelease(stale.gpu.queue);
    wgpuDeviceRelease(stale.gpu.device);
    wgpuAdapterRelease(stale.gpu.adapter);
    wgpuInstanceRelease(stale.gpu.instance);
    let mut bad = CallBad { live, stale, names: Vec::new() };
    for_each(&mut bad);
    let mut all: Vec<_> = bad.names.iter().chain(FREE).copied().collect();
    all.sort_unstable();
    let mut exports: Vec<_> = EXPORTS.iter().map(|e| e.0).collect();
    exports.sort_unstable();
    assert_eq!(all, exports, "every export is called");
    std::mem::forget(bad.stale.gpu); // released above
    bad.live.release();
    for_each(&mut CallLive(Objects::new()));
    wgpuSetLogCallback(None, null_mut());
}

/// Further handle arguments: the device hears of each bad one.
#[test]
fn second_handles_are_checked() {
    let o = Objects::new();
    let gpu = &o.gpu;
    let other: *const () = gpu.queue.cast();
    let handles = if cfg!(debug_assertions) { vec![null(), other] } else { vec![null()] };
    let (encoder, pass): (*const CommandEncoder, *const ComputePassEncoder) = (o.find(), o.find());
    let buffer: *const Buffer = o.find();
    for bad in handles {
        let check = |name: &str| {
            let errors = gpu.seen.take();
            assert!(errors.len() == 1 && errors[0].contains(name), "{name}: {errors:?}");
        };
        unsafe {
            wgpuQueueWriteBuffer(gpu.queue, bad.cast(), 0, null(), 0);
            check("wgpuQueueWriteBuffer");
            let list = [bad.cast::<CommandBuffer>()];
            wgpuQueueSubmit(gpu.queue, 1, list.as_ptr());
            check("wgpuQueueSubmit");
            assert_eq!(wgpuQueueSubmitForIndex(gpu.queue, 1, list.as_ptr()), 0);
            check("wgpuQueueSubmitForIndex");
            wgpuComputePassEncoderSetPipeline(pass, bad.cast());
            check("SetPipeline");
            wgpuComputePassEncoderDispatchWorkgroupsIndirect(pass, bad.cast(), 0);
            check("DispatchWorkgroupsIndirect");
            wgpuComputePassEncoderWriteTimestamp(pass, bad.cast(), 0);
            check("WriteTimestamp");
            wgpuCommandEncoderWriteTimestamp(encoder, bad.cast(), 0);
            check("WriteTimestamp");
            wgpuCommandEncoderClearBuffer(encoder, bad.cast(), 0, 4);
            check("ClearBuffer");
            wgpuCommandEncoderCopyBufferToBuffer(encoder, bad.cast(), 0, buffer, 0, 4);
            check("CopyBufferToBuffer");
            wgpuCommandEncoderCopyBufferToBuffer(encoder, buffer, 0, bad.cast(), 0, 4);
            check("CopyBufferToBuffer");
            wgpuCommandEncoderResolveQuerySet(encoder, bad.cast(), 0, 1, buffer, 0);
            check("ResolveQuerySet");
            wgpuCommandEncoderResolveQuerySet(encoder, o.find(), 0, 1, bad.cast(), 0);
            check("ResolveQuerySet");
            assert!(gpu.bind(bad.cast(), buffer, 256).is_null());
            check("CreateBindGroup");
            assert!(gpu.bind(o.find(), bad.cast(), 256).is_null());
            check("CreateBindGroup");
            assert!(gpu.pipeline(bad.cast()).is_null());
            check("CreateComputePipeline");
            if !bad.is_null() {
                let mut d = pipeline_descriptor(o.find());
                d.layout = bad.cast();
                assert!(wgpuDeviceCreateComputePipeline(gpu.device, &d).is_null());
                check("CreateComputePipeline");
                wgpuComputePassEncoderSetBindGroup(pass, 0, bad.cast(), 0, null());
                check("SetBindGroup");
            }
        }
    }
    let mut o = o;
    o.release();
}
