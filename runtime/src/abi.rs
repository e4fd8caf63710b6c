//! The C structs of webgpu.h and wgpu.h that compute needs, byte for byte, with C's own names. Enums are plain
//! integers here: a C caller may pass any value. `layouts` tells an ABI test what this file believes.
#![allow(non_snake_case)]
use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

use crate::adapter::Adapter;
use crate::bind_group::{BindGroupLayout, PipelineLayout};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::pipeline::ComputePipeline;
use crate::query::QuerySet;
use crate::shader::ShaderModule;

pub use crate::values::*;

pub type WGPUBool = u32;
pub type WGPUFlags = u64;
/// Any enum of the headers.
pub type Enum = u32;
pub type Data = *mut c_void;

pub const WGPU_STRLEN: usize = usize::MAX;
pub const WGPU_WHOLE_SIZE: u64 = u64::MAX;
pub const WGPU_WHOLE_MAP_SIZE: usize = usize::MAX;
pub const UNDEFINED_U32: u32 = u32::MAX;
pub const UNDEFINED_U64: u64 = u64::MAX;

/// Defines C structs and lists their sizes and offsets.
macro_rules! structs {
    ($list:ident: $($name:ident $(<$p:ident>)? { $($field:ident: $ty:ty),* $(,)? })*) => {
        $(
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $name $(<$p>)? { $(pub $field: $ty),* }
        )*
        /// ("Struct", size) and ("Struct.field", offset) of every struct above.
        pub fn $list() -> Vec<(String, u64)> {
            let mut all = Vec::new();
            $( structs!(@layout all, $name $(<$p>)?, $($field),*); )*
            all
        }
    };
    (@layout $all:ident, $name:ident, $($field:ident),*) => {
        $all.push((stringify!($name).to_string(), size_of::<$name>() as u64));
        $( $all.push((concat!(stringify!($name), ".", stringify!($field)).replace("r#", ""),
                      offset_of!($name, $field) as u64)); )*
    };
    // generic structs are listed by their aliases
    (@layout $all:ident, $name:ident<$p:ident>, $($field:ident),*) => {};
}
pub(crate) use structs;

/// Lists a callback info struct by the name C gives it.
macro_rules! callback_infos {
    ($list:ident: $($name:ident, $callback:ident, fn($($arg:ty),*);)*) => {
        $(
            pub type $callback = Option<unsafe extern "C" fn($($arg,)* Data, Data)>;
            pub type $name = CallbackInfo<$callback>;
        )*
        pub fn $list() -> Vec<(String, u64)> {
            let mut all = Vec::new();
            $(
                all.push((stringify!($name).to_string(), size_of::<$name>() as u64));
                all.push((concat!(stringify!($name), ".nextInChain").into(), offset_of!($name, nextInChain) as u64));
                all.push((concat!(stringify!($name), ".mode").into(), offset_of!($name, mode) as u64));
                all.push((concat!(stringify!($name), ".callback").into(), offset_of!($name, callback) as u64));
                all.push((concat!(stringify!($name), ".userdata1").into(), offset_of!($name, userdata1) as u64));
                all.push((concat!(stringify!($name), ".userdata2").into(), offset_of!($name, userdata2) as u64));
            )*
            all
        }
    };
}

type Chain = *const WGPUChainedStruct;

structs! { struct_layouts:
    WGPUStringView { data: *const c_char, length: usize }
    WGPUChainedStruct { next: Chain, sType: Enum }
    WGPUFuture { id: u64 }
    WGPUFutureWaitInfo { future: WGPUFuture, completed: WGPUBool }

    CallbackInfo<F> { nextInChain: Chain, mode: Enum, callback: F, userdata1: Data, userdata2: Data }
    WGPUUncapturedErrorCallbackInfo {
        nextInChain: Chain, callback: WGPUUncapturedErrorCallback, userdata1: Data, userdata2: Data,
    }

    WGPUInstanceLimits { nextInChain: Chain, timedWaitAnyMaxCount: usize }
    WGPUInstanceDescriptor {
        nextInChain: Chain, requiredFeatureCount: usize, requiredFeatures: *const Enum,
        requiredLimits: *const WGPUInstanceLimits,
    }
    WGPUSupportedInstanceFeatures { featureCount: usize, features: *const Enum }
    WGPUSupportedFeatures { featureCount: usize, features: *const Enum }
    WGPUSupportedWGSLLanguageFeatures { featureCount: usize, features: *const Enum }
    WGPURequestAdapterOptions {
        nextInChain: Chain, featureLevel: Enum, powerPreference: Enum, forceFallbackAdapter: WGPUBool,
        backendType: Enum, compatibleSurface: *const c_void,
    }
    WGPUAdapterInfo {
        nextInChain: Chain, vendor: WGPUStringView, architecture: WGPUStringView, device: WGPUStringView,
        description: WGPUStringView, backendType: Enum, adapterType: Enum, vendorID: u32, deviceID: u32,
        subgroupMinSize: u32, subgroupMaxSize: u32,
    }
    WGPULimits {
        nextInChain: Chain, maxTextureDimension1D: u32, maxTextureDimension2D: u32, maxTextureDimension3D: u32,
        maxTextureArrayLayers: u32, maxBindGroups: u32, maxBindGroupsPlusVertexBuffers: u32,
        maxBindingsPerBindGroup: u32, maxDynamicUniformBuffersPerPipelineLayout: u32,
        maxDynamicStorageBuffersPerPipelineLayout: u32, maxSampledTexturesPerShaderStage: u32,
        maxSamplersPerShaderStage: u32, maxStorageBuffersPerShaderStage: u32, maxStorageTexturesPerShaderStage: u32,
        maxUniformBuffersPerShaderStage: u32, maxUniformBufferBindingSize: u64, maxStorageBufferBindingSize: u64,
        minUniformBufferOffsetAlignment: u32, minStorageBufferOffsetAlignment: u32, maxVertexBuffers: u32,
        maxBufferSize: u64, maxVertexAttributes: u32, maxVertexBufferArrayStride: u32,
        maxInterStageShaderVariables: u32, maxColorAttachments: u32, maxColorAttachmentBytesPerSample: u32,
        maxComputeWorkgroupStorageSize: u32, maxComputeInvocationsPerWorkgroup: u32, maxComputeWorkgroupSizeX: u32,
        maxComputeWorkgroupSizeY: u32, maxComputeWorkgroupSizeZ: u32, maxComputeWorkgroupsPerDimension: u32,
        maxImmediateSize: u32,
    }
    WGPUQueueDescriptor { nextInChain: Chain, label: WGPUStringView }
    WGPUDeviceDescriptor {
        nextInChain: Chain, label: WGPUStringView, requiredFeatureCount: usize, requiredFeatures: *const Enum,
        requiredLimits: *const WGPULimits, defaultQueue: WGPUQueueDescriptor,
        deviceLostCallbackInfo: WGPUDeviceLostCallbackInfo,
        uncapturedErrorCallbackInfo: WGPUUncapturedErrorCallbackInfo,
    }
    WGPUBufferDescriptor {
        nextInChain: Chain, label: WGPUStringView, usage: WGPUFlags, size: u64, mappedAtCreation: WGPUBool,
    }
    WGPUBufferBindingLayout { nextInChain: Chain, r#type: Enum, hasDynamicOffset: WGPUBool, minBindingSize: u64 }
    WGPUSamplerBindingLayout { nextInChain: Chain, r#type: Enum }
    WGPUTextureBindingLayout { nextInChain: Chain, sampleType: Enum, viewDimension: Enum, multisampled: WGPUBool }
    WGPUStorageTextureBindingLayout { nextInChain: Chain, access: Enum, format: Enum, viewDimension: Enum }
    WGPUBindGroupLayoutEntry {
        nextInChain: Chain, binding: u32, visibility: WGPUFlags, bindingArraySize: u32,
        buffer: WGPUBufferBindingLayout, sampler: WGPUSamplerBindingLayout, texture: WGPUTextureBindingLayout,
        storageTexture: WGPUStorageTextureBindingLayout,
    }
    WGPUBindGroupLayoutDescriptor {
        nextInChain: Chain, label: WGPUStringView, entryCount: usize, entries: *const WGPUBindGroupLayoutEntry,
    }
    WGPUBindGroupEntry {
        nextInChain: Chain, binding: u32, buffer: *const Buffer, offset: u64, size: u64, sampler: *const c_void,
        textureView: *const c_void,
    }
    WGPUBindGroupDescriptor {
        nextInChain: Chain, label: WGPUStringView, layout: *const BindGroupLayout, entryCount: usize,
        entries: *const WGPUBindGroupEntry,
    }
    WGPUPipelineLayoutDescriptor {
        nextInChain: Chain, label: WGPUStringView, bindGroupLayoutCount: usize,
        bindGroupLayouts: *const *const BindGroupLayout, immediateSize: u32,
    }
    WGPUShaderModuleDescriptor { nextInChain: Chain, label: WGPUStringView }
    WGPUShaderSourceWGSL { chain: WGPUChainedStruct, code: WGPUStringView }
    WGPUShaderSourceSPIRV { chain: WGPUChainedStruct, codeSize: u32, code: *const u32 }
    WGPUCompilationMessage {
        nextInChain: Chain, message: WGPUStringView, r#type: Enum, lineNum: u64, linePos: u64, offset: u64,
        length: u64,
    }
    WGPUCompilationInfo { nextInChain: Chain, messageCount: usize, messages: *const WGPUCompilationMessage }
    WGPUConstantEntry { nextInChain: Chain, key: WGPUStringView, value: f64 }
    WGPUComputeState {
        nextInChain: Chain, module: *const ShaderModule, entryPoint: WGPUStringView, constantCount: usize,
        constants: *const WGPUConstantEntry,
    }
    WGPUComputePipelineDescriptor {
        nextInChain: Chain, label: WGPUStringView, layout: *const PipelineLayout, compute: WGPUComputeState,
    }
    WGPUQuerySetDescriptor { nextInChain: Chain, label: WGPUStringView, r#type: Enum, count: u32 }
    WGPUPassTimestampWrites {
        nextInChain: Chain, querySet: *const QuerySet, beginningOfPassWriteIndex: u32, endOfPassWriteIndex: u32,
    }
    WGPUComputePassDescriptor {
        nextInChain: Chain, label: WGPUStringView, timestampWrites: *const WGPUPassTimestampWrites,
    }
    WGPUCommandEncoderDescriptor { nextInChain: Chain, label: WGPUStringView }
    WGPUCommandBufferDescriptor { nextInChain: Chain, label: WGPUStringView }

    WGPUNativeDisplayHandle { r#type: Enum, data: [usize; 2] }
    WGPUInstanceExtras {
        chain: WGPUChainedStruct, backends: WGPUFlags, flags: WGPUFlags, dx12ShaderCompiler: Enum,
        gles3MinorVersion: Enum, glFenceBehaviour: Enum, dxcPath: WGPUStringView, dxcMaxShaderModel: Enum,
        dx12PresentationSystem: Enum, budgetForDeviceCreation: *const u8, budgetForDeviceLoss: *const u8,
        displayHandle: WGPUNativeDisplayHandle,
    }
    WGPUDeviceExtras { chain: WGPUChainedStruct, tracePath: WGPUStringView }
    WGPUInstanceEnumerateAdapterOptions { nextInChain: Chain, backends: WGPUFlags }
}

callback_infos! { callback_layouts:
    WGPUBufferMapCallbackInfo, WGPUBufferMapCallback, fn(Enum, WGPUStringView);
    WGPUCompilationInfoCallbackInfo, WGPUCompilationInfoCallback, fn(Enum, *const WGPUCompilationInfo);
    WGPUCreateComputePipelineAsyncCallbackInfo, WGPUCreateComputePipelineAsyncCallback,
        fn(Enum, *const ComputePipeline, WGPUStringView);
    WGPUDeviceLostCallbackInfo, WGPUDeviceLostCallback, fn(*const *const Device, Enum, WGPUStringView);
    WGPUPopErrorScopeCallbackInfo, WGPUPopErrorScopeCallback, fn(Enum, Enum, WGPUStringView);
    WGPUQueueWorkDoneCallbackInfo, WGPUQueueWorkDoneCallback, fn(Enum, WGPUStringView);
    WGPURequestAdapterCallbackInfo, WGPURequestAdapterCallback, fn(Enum, *const Adapter, WGPUStringView);
    WGPURequestDeviceCallbackInfo, WGPURequestDeviceCallback, fn(Enum, *const Device, WGPUStringView);
}

pub type WGPUUncapturedErrorCallback =
    Option<unsafe extern "C" fn(*const *const Device, Enum, WGPUStringView, Data, Data)>;
pub type WGPULogCallback = Option<unsafe extern "C" fn(Enum, WGPUStringView, Data)>;

/// What an array argument must be: `count` elements, or nothing for a null pointer.
///
/// # Safety
/// `first` points to `count` elements or is null.
pub unsafe fn array<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() || count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(first, count)
    }
}

impl WGPUStringView {
    /// The text, `None` for the null value. Bytes that are not UTF-8 are replaced.
    ///
    /// # Safety
    /// The view is valid as webgpu.h describes it.
    pub unsafe fn get<'a>(&self) -> Option<std::borrow::Cow<'a, str>> {
        if self.data.is_null() {
            return if self.length == WGPU_STRLEN { None } else { Some("".into()) };
        }
        let bytes = match self.length {
            WGPU_STRLEN => std::ffi::CStr::from_ptr(self.data).to_bytes(),
            n => std::slice::from_raw_parts(self.data.cast::<u8>(), n),
        };
        Some(String::from_utf8_lossy(bytes))
    }

    /// A view of `text`, valid as long as `text` is.
    pub fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }
}
