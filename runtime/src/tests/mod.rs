//! Tests through the exported functions, as C calls them. Those that need a GPU take the first adapter there is:
//! software Vulkan will do.
mod bad_handles;
mod compute;
mod errors;
mod events;
mod extras;
mod pipelines;
mod recordings;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use crate::abi::*;
use crate::adapter::*;
use crate::bind_group::*;
use crate::buffer::*;
use crate::device::*;
use crate::encoder::*;
use crate::instance::*;
use crate::pass::*;
use crate::pipeline::*;
use crate::queue::*;
use crate::shader::*;

pub const NO_TEXT: WGPUStringView = WGPUStringView { data: null(), length: WGPU_STRLEN };

/// What callbacks saw, as text.
#[derive(Default)]
pub struct Seen(Mutex<Vec<String>>);

impl Seen {
    pub fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
    pub fn pointer(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}

/// # Safety
/// `user` came from `Seen::pointer`.
pub unsafe fn seen<'a>(user: *mut c_void) -> &'a Seen {
    &*user.cast::<Seen>()
}

pub fn text(view: WGPUStringView) -> String {
    unsafe { view.get() }.unwrap_or_default().into_owned()
}

unsafe extern "C" fn on_error(_: *const *const Device, kind: Enum, message: WGPUStringView, user: Data, _: Data) {
    seen(user).add(format!("error {kind}: {}", text(message)));
}

unsafe extern "C" fn on_lost(_: *const *const Device, reason: Enum, _: WGPUStringView, user: Data, _: Data) {
    seen(user).add(format!("lost {reason}"));
}

unsafe extern "C" fn on_device(status: Enum, device: *const Device, message: WGPUStringView, user: Data, _: Data) {
    assert_eq!(status, WGPURequestDeviceStatus::Success, "{}", text(message));
    *user.cast::<*const Device>() = device;
}

/// An instance, the first adapter, a device with what features there are of `wanted`, and what its callbacks saw.
pub struct Gpu {
    pub instance: *const Instance,
    pub adapter: *const Adapter,
    pub device: *const Device,
    pub queue: *const Queue,
    pub seen: Box<Seen>,
}

impl Gpu {
    pub fn new() -> Self {
        Self::with(&[], null())
    }

    pub fn with(wanted: &[Enum], chain: *const WGPUChainedStruct) -> Self {
        let timed = [WGPUInstanceFeatureName::TimedWaitAny];
        let d = WGPUInstanceDescriptor {
            nextInChain: null(),
            requiredFeatureCount: 1,
            requiredFeatures: timed.as_ptr(),
            requiredLimits: null(),
        };
        let seen = Box::<Seen>::default();
        unsafe {
            let instance = wgpuCreateInstance(&d);
            let count = wgpuInstanceEnumerateAdapters(instance, null(), null_mut());
            assert!(count > 0, "these tests need a Vulkan driver: software will do (mesa-vulkan-drivers)");
            let mut adapters = vec![null(); count];
            assert_eq!(wgpuInstanceEnumerateAdapters(instance, null(), adapters.as_mut_ptr()), count);
            adapters[1..].iter().for_each(|&a| wgpuAdapterRelease(a));
            let adapter = adapters[0];
            let features: Vec<_> = wanted.iter().copied().filter(|&f| wgpuAdapterHasFeature(adapter, f) != 0).collect();
            let device = Self::open(adapter, &features, chain, &seen);
            Self { instance, adapter, device, queue: wgpuDeviceGetQueue(device), seen }
        }
    }

    unsafe fn open(
        a: *const Adapter,
        features: &[Enum],
        chain: *const WGPUChainedStruct,
        seen: &Seen,
    ) -> *const Device {
        let mut d: WGPUDeviceDescriptor = std::mem::zeroed();
        (d.nextInChain, d.label) = (chain, WGPUStringView::of("test"));
        (d.requiredFeatureCount, d.requiredFeatures) = (features.len(), features.as_ptr());
        d.deviceLostCallbackInfo = info(WGPUCallbackMode::AllowSpontaneous, Some(on_lost), seen.pointer());
        d.uncapturedErrorCallbackInfo.callback = Some(on_error);
        d.uncapturedErrorCallbackInfo.userdata1 = seen.pointer();
        let mut device = null();
        let to = std::ptr::from_mut::<*const Device>(&mut device).cast();
        wgpuAdapterRequestDevice(a, &d, info(WGPUCallbackMode::AllowSpontaneous, Some(on_device), to));
        assert!(!device.is_null());
        device
    }

    pub fn buffer(&self, usage: u32, size: u64) -> *const Buffer {
        let d = buffer_descriptor(usage, size);
        unsafe { wgpuDeviceCreateBuffer(self.device, &d) }
    }

    pub fn module(&self, wgsl: &str) -> *const ShaderModule {
        let source = wgsl_source(wgsl);
        let d = WGPUShaderModuleDescriptor { nextInChain: &source.chain, label: WGPUStringView::of("module") };
        unsafe { wgpuDeviceCreateShaderModule(self.device, &d) }
    }

    pub fn pipeline(&self, module: *const ShaderModule) -> *const ComputePipeline {
        unsafe { wgpuDeviceCreateComputePipeline(self.device, &pipeline_descriptor(module)) }
    }

    /// Runs a pipeline on one buffer, and gives the buffer's contents.
    pub fn run(&self, pipeline: *const ComputePipeline, data: &[u32], groups: u32) -> Vec<u32> {
        let bytes = std::mem::size_of_val(data);
        let usage = WGPUBufferUsage::Storage | WGPUBufferUsage::CopyDst | WGPUBufferUsage::CopySrc;
        let buffer = self.buffer(usage, bytes as u64);
        let back = self.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, bytes as u64);
        unsafe {
            wgpuQueueWriteBuffer(self.queue, buffer, 0, data.as_ptr().cast(), bytes);
            let layout = wgpuComputePipelineGetBindGroupLayout(pipeline, 0);
            let group = self.bind(layout, buffer, bytes as u64);
            let encoder = wgpuDeviceCreateCommandEncoder(self.device, null());
            let pass = wgpuCommandEncoderBeginComputePass(encoder, null());
            wgpuComputePassEncoderSetPipeline(pass, pipeline);
            wgpuComputePassEncoderSetBindGroup(pass, 0, group, 0, null());
            wgpuComputePassEncoderDispatchWorkgroups(pass, groups, 1, 1);
            wgpuComputePassEncoderEnd(pass);
            wgpuComputePassEncoderRelease(pass);
            wgpuCommandEncoderCopyBufferToBuffer(encoder, buffer, 0, back, 0, bytes as u64);
            let commands = wgpuCommandEncoderFinish(encoder, null());
            wgpuCommandEncoderRelease(encoder);
            let index = wgpuQueueSubmitForIndex(self.queue, 1, &commands);
            assert!(index > 0);
            wgpuCommandBufferRelease(commands);
            let result = self.read(back, data.len(), index);
            wgpuBindGroupLayoutRelease(layout);
            wgpuBindGroupRelease(group);
            wgpuBufferRelease(buffer);
            wgpuBufferRelease(back);
            result
        }
    }

    pub fn bind(&self, layout: *const BindGroupLayout, buffer: *const Buffer, size: u64) -> *const BindGroup {
        let mut entry: WGPUBindGroupEntry = unsafe { std::mem::zeroed() };
        (entry.buffer, entry.size) = (buffer, size);
        let d = WGPUBindGroupDescriptor { nextInChain: null(), label: NO_TEXT, layout, entryCount: 1, entries: &entry };
        unsafe { wgpuDeviceCreateBindGroup(self.device, &d) }
    }

    /// The contents of a mappable buffer after a submission, waited for by wgpuDevicePoll.
    pub unsafe fn read(&self, buffer: *const Buffer, count: usize, index: u64) -> Vec<u32> {
        let heard = Seen::default();
        let on_mapped: WGPUBufferMapCallback = Some(on_mapped);
        let call = info(WGPUCallbackMode::AllowProcessEvents, on_mapped, heard.pointer());
        wgpuBufferMapAsync(buffer, WGPUMapMode::Read.into(), 0, count * 4, call);
        assert_eq!(heard.take(), [""; 0], "not before a poll");
        wgpuDevicePoll(self.device, 1, &index);
        assert_eq!(heard.take(), ["mapped 1: "]);
        let data = wgpuBufferGetConstMappedRange(buffer, 0, count * 4).cast::<u32>();
        let result = std::slice::from_raw_parts(data, count).to_vec();
        wgpuBufferUnmap(buffer);
        result
    }

    pub fn expect_no_errors(&self) {
        assert_eq!(self.seen.take(), [""; 0]);
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        wgpuQueueRelease(self.queue);
        wgpuDeviceRelease(self.device);
        wgpuAdapterRelease(self.adapter);
        wgpuInstanceRelease(self.instance);
    }
}

pub fn info<F>(mode: Enum, callback: F, user: Data) -> CallbackInfo<F> {
    CallbackInfo { nextInChain: null(), mode, callback, userdata1: user, userdata2: null_mut() }
}

pub unsafe extern "C" fn on_mapped(status: Enum, message: WGPUStringView, user: Data, _: Data) {
    seen(user).add(format!("mapped {status}: {}", text(message)));
}

pub fn buffer_descriptor(usage: u32, size: u64) -> WGPUBufferDescriptor {
    WGPUBufferDescriptor { nextInChain: null(), label: NO_TEXT, usage: usage.into(), size, mappedAtCreation: 0 }
}

pub fn wgsl_source(wgsl: &str) -> WGPUShaderSourceWGSL {
    let chain = WGPUChainedStruct { next: null(), sType: WGPUSType::ShaderSourceWGSL };
    WGPUShaderSourceWGSL { chain, code: WGPUStringView::of(wgsl) }
}

pub fn pipeline_descriptor(module: *const ShaderModule) -> WGPUComputePipelineDescriptor {
    WGPUComputePipelineDescriptor {
        nextInChain: null(),
        label: NO_TEXT,
        layout: null(),
        compute: WGPUComputeState {
            nextInChain: null(),
            module,
            entryPoint: WGPUStringView::of("main"),
            constantCount: 0,
            constants: null(),
        },
    }
}

/// Adds 1 to each number of a buffer, 64 a workgroup.
pub const ADD_ONE: &str = "@group(0) @binding(0) var<storage, read_write> b: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) { b[i.x] += 1u; }";
