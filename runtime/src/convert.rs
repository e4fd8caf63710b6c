//! C's features, limits and names, as wgpu's and back.
use crate::abi::*;
use crate::boundary::{invalid, Fault};

/// Every feature that has a number in the headers. Two numbers may mean one feature.
const FEATURES: &[(Enum, wgpu::Features)] = {
    use wgpu::Features as F;
    &[
        (WGPUFeatureName::CoreFeaturesAndLimits, F::empty()),
        (WGPUFeatureName::DepthClipControl, F::DEPTH_CLIP_CONTROL),
        (WGPUFeatureName::Depth32FloatStencil8, F::DEPTH32FLOAT_STENCIL8),
        (WGPUFeatureName::TextureCompressionBC, F::TEXTURE_COMPRESSION_BC),
        (WGPUFeatureName::TextureCompressionBCSliced3D, F::TEXTURE_COMPRESSION_BC_SLICED_3D),
        (WGPUFeatureName::TextureCompressionETC2, F::TEXTURE_COMPRESSION_ETC2),
        (WGPUFeatureName::TextureCompressionASTC, F::TEXTURE_COMPRESSION_ASTC),
        (WGPUFeatureName::TextureCompressionASTCSliced3D, F::TEXTURE_COMPRESSION_ASTC_SLICED_3D),
        (WGPUFeatureName::TimestampQuery, F::TIMESTAMP_QUERY),
        (WGPUFeatureName::IndirectFirstInstance, F::INDIRECT_FIRST_INSTANCE),
        (WGPUFeatureName::ShaderF16, F::SHADER_F16),
        (WGPUFeatureName::RG11B10UfloatRenderable, F::RG11B10UFLOAT_RENDERABLE),
        (WGPUFeatureName::BGRA8UnormStorage, F::BGRA8UNORM_STORAGE),
        (WGPUFeatureName::Float32Filterable, F::FLOAT32_FILTERABLE),
        (WGPUFeatureName::Float32Blendable, F::FLOAT32_BLENDABLE),
        (WGPUFeatureName::ClipDistances, F::CLIP_DISTANCES),
        (WGPUFeatureName::DualSourceBlending, F::DUAL_SOURCE_BLENDING),
        (WGPUFeatureName::Subgroups, F::SUBGROUP),
        (WGPUFeatureName::PrimitiveIndex, F::PRIMITIVE_INDEX),
        (WGPUNativeFeature::Immediates, F::IMMEDIATES),
        (WGPUNativeFeature::PipelineStatisticsQuery, F::PIPELINE_STATISTICS_QUERY),
        (WGPUNativeFeature::StorageResourceBindingArray, F::STORAGE_RESOURCE_BINDING_ARRAY),
        (WGPUNativeFeature::PartiallyBoundBindingArray, F::PARTIALLY_BOUND_BINDING_ARRAY),
        (WGPUNativeFeature::MappablePrimaryBuffers, F::MAPPABLE_PRIMARY_BUFFERS),
        (WGPUNativeFeature::BufferBindingArray, F::BUFFER_BINDING_ARRAY),
        (WGPUNativeFeature::ShaderF64, F::SHADER_F64),
        (WGPUNativeFeature::ShaderI16, F::SHADER_I16),
        (WGPUNativeFeature::Subgroup, F::SUBGROUP),
        (WGPUNativeFeature::SubgroupVertex, F::SUBGROUP_VERTEX),
        (WGPUNativeFeature::SubgroupBarrier, F::SUBGROUP_BARRIER),
        (WGPUNativeFeature::TimestampQueryInsideEncoders, F::TIMESTAMP_QUERY_INSIDE_ENCODERS),
        (WGPUNativeFeature::TimestampQueryInsidePasses, F::TIMESTAMP_QUERY_INSIDE_PASSES),
        (WGPUNativeFeature::ShaderInt64, F::SHADER_INT64),
        (WGPUNativeFeature::ShaderFloat32Atomic, F::SHADER_FLOAT32_ATOMIC),
        (WGPUNativeFeature::PipelineCache, F::PIPELINE_CACHE),
        (WGPUNativeFeature::ShaderInt64AtomicMinMax, F::SHADER_INT64_ATOMIC_MIN_MAX),
        (WGPUNativeFeature::ShaderInt64AtomicAllOps, F::SHADER_INT64_ATOMIC_ALL_OPS),
        (WGPUNativeFeature::CooperativeMatrix, F::EXPERIMENTAL_COOPERATIVE_MATRIX),
        (WGPUNativeFeature::MemoryDecorationCoherent, F::MEMORY_DECORATION_COHERENT),
        (WGPUNativeFeature::MemoryDecorationVolatile, F::MEMORY_DECORATION_VOLATILE),
        (CorvidWgpuFeature::PassthroughShaders, F::PASSTHROUGH_SHADERS),
    ]
};

/// The feature of a number; None if it has none here.
pub fn feature(number: Enum) -> Option<wgpu::Features> {
    FEATURES.iter().find(|f| f.0 == number).map(|f| f.1)
}

/// The numbers of a set of features.
pub fn feature_numbers(set: wgpu::Features) -> Vec<Enum> {
    FEATURES.iter().filter(|f| set.contains(f.1)).map(|f| f.0).collect()
}

/// The features of a list of numbers.
pub fn features(numbers: &[Enum]) -> Result<wgpu::Features, Fault> {
    let of = |&n: &Enum| feature(n).ok_or_else(|| invalid(format!("feature {n:#x} is not known")));
    numbers.iter().map(of).try_fold(wgpu::Features::empty(), |all, f| Ok(all | f?))
}

/// Gives the array to C; `free_array` takes it back.
pub fn give_array(array: Vec<Enum>) -> (usize, *const Enum) {
    let count = array.len();
    (count, if count == 0 { std::ptr::null() } else { Box::into_raw(array.into_boxed_slice()).cast() })
}

/// # Safety
/// As given by `give_array`.
pub unsafe fn free_array(count: usize, array: *const Enum) {
    if !array.is_null() && count != 0 {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(array.cast_mut(), count)));
    }
}

/// Gives a string to C; `free_string` takes it back.
pub fn give_string(text: &str) -> WGPUStringView {
    let length = text.len();
    let data = if length == 0 { c"".as_ptr() } else { Box::into_raw(Box::<[u8]>::from(text.as_bytes())).cast() };
    WGPUStringView { data, length }
}

/// # Safety
/// As given by `give_string`.
pub unsafe fn free_string(view: WGPUStringView) {
    if !view.data.is_null() && view.length != 0 {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(view.data.cast_mut().cast::<u8>(), view.length)));
    }
}

/// The limits that both sides have: C's name, Rust's name, the undefined value.
macro_rules! common_limits {
    ($($c:ident $rust:ident $undefined:ident;)*) => {
        /// C's limits of wgpu's; `chain` is left as it is.
        pub fn limits_to_c(from: &wgpu::Limits, to: &mut WGPULimits) {
            $( to.$c = from.$rust.into(); )*
        }

        /// What a device is asked for: C's value where one is given, else the standard's default. Limits that C lacks
        /// are taken whole from the adapter.
        pub fn limits_from_c(from: Option<&WGPULimits>, adapter: &wgpu::Limits) -> wgpu::Limits {
            let defaults = wgpu::Limits::default();
            let mut to = adapter.clone();
            $( to.$rust = match from {
                Some(c) if c.$c != $undefined => c.$c,
                _ => defaults.$rust,
            }; )*
            to
        }
    };
}

common_limits! {
    maxTextureDimension1D max_texture_dimension_1d UNDEFINED_U32;
    maxTextureDimension2D max_texture_dimension_2d UNDEFINED_U32;
    maxTextureDimension3D max_texture_dimension_3d UNDEFINED_U32;
    maxTextureArrayLayers max_texture_array_layers UNDEFINED_U32;
    maxBindGroups max_bind_groups UNDEFINED_U32;
    maxBindGroupsPlusVertexBuffers max_bind_groups_plus_vertex_buffers UNDEFINED_U32;
    maxBindingsPerBindGroup max_bindings_per_bind_group UNDEFINED_U32;
    maxDynamicUniformBuffersPerPipelineLayout max_dynamic_uniform_buffers_per_pipeline_layout UNDEFINED_U32;
    maxDynamicStorageBuffersPerPipelineLayout max_dynamic_storage_buffers_per_pipeline_layout UNDEFINED_U32;
    maxSampledTexturesPerShaderStage max_sampled_textures_per_shader_stage UNDEFINED_U32;
    maxSamplersPerShaderStage max_samplers_per_shader_stage UNDEFINED_U32;
    maxStorageBuffersPerShaderStage max_storage_buffers_per_shader_stage UNDEFINED_U32;
    maxStorageTexturesPerShaderStage max_storage_textures_per_shader_stage UNDEFINED_U32;
    maxUniformBuffersPerShaderStage max_uniform_buffers_per_shader_stage UNDEFINED_U32;
    maxUniformBufferBindingSize max_uniform_buffer_binding_size UNDEFINED_U64;
    maxStorageBufferBindingSize max_storage_buffer_binding_size UNDEFINED_U64;
    minUniformBufferOffsetAlignment min_uniform_buffer_offset_alignment UNDEFINED_U32;
    minStorageBufferOffsetAlignment min_storage_buffer_offset_alignment UNDEFINED_U32;
    maxVertexBuffers max_vertex_buffers UNDEFINED_U32;
    maxBufferSize max_buffer_size UNDEFINED_U64;
    maxVertexAttributes max_vertex_attributes UNDEFINED_U32;
    maxVertexBufferArrayStride max_vertex_buffer_array_stride UNDEFINED_U32;
    maxInterStageShaderVariables max_inter_stage_shader_variables UNDEFINED_U32;
    maxColorAttachments max_color_attachments UNDEFINED_U32;
    maxColorAttachmentBytesPerSample max_color_attachment_bytes_per_sample UNDEFINED_U32;
    maxComputeWorkgroupStorageSize max_compute_workgroup_storage_size UNDEFINED_U32;
    maxComputeInvocationsPerWorkgroup max_compute_invocations_per_workgroup UNDEFINED_U32;
    maxComputeWorkgroupSizeX max_compute_workgroup_size_x UNDEFINED_U32;
    maxComputeWorkgroupSizeY max_compute_workgroup_size_y UNDEFINED_U32;
    maxComputeWorkgroupSizeZ max_compute_workgroup_size_z UNDEFINED_U32;
    maxComputeWorkgroupsPerDimension max_compute_workgroups_per_dimension UNDEFINED_U32;
    maxImmediateSize max_immediate_size UNDEFINED_U32;
}

/// Fills an adapter's description; its strings belong to C until wgpuAdapterInfoFreeMembers.
pub fn adapter_info(from: &wgpu::AdapterInfo, to: &mut WGPUAdapterInfo) {
    to.vendor = give_string(&from.driver);
    to.architecture = give_string("");
    to.device = give_string(&from.name);
    to.description = give_string(&from.driver_info);
    to.backendType = match from.backend {
        wgpu::Backend::Noop => WGPUBackendType::Null,
        wgpu::Backend::Vulkan => WGPUBackendType::Vulkan,
        wgpu::Backend::Metal => WGPUBackendType::Metal,
        wgpu::Backend::Dx12 => WGPUBackendType::D3D12,
        wgpu::Backend::Gl => WGPUBackendType::OpenGL,
        wgpu::Backend::BrowserWebGpu => WGPUBackendType::WebGPU,
    };
    to.adapterType = match from.device_type {
        wgpu::DeviceType::DiscreteGpu => WGPUAdapterType::DiscreteGPU,
        wgpu::DeviceType::IntegratedGpu => WGPUAdapterType::IntegratedGPU,
        wgpu::DeviceType::Cpu => WGPUAdapterType::CPU,
        wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => WGPUAdapterType::Unknown,
    };
    to.vendorID = from.vendor;
    to.deviceID = from.device;
    to.subgroupMinSize = from.subgroup_min_size;
    to.subgroupMaxSize = from.subgroup_max_size;
}

/// The backends of WGPUInstanceBackend bits; 0 means all.
pub fn backends(bits: WGPUFlags) -> wgpu::Backends {
    let table = [
        (WGPUInstanceBackend::Vulkan, wgpu::Backends::VULKAN),
        (WGPUInstanceBackend::Metal, wgpu::Backends::METAL),
        (WGPUInstanceBackend::DX12, wgpu::Backends::DX12),
        (WGPUInstanceBackend::GL, wgpu::Backends::GL),
        (WGPUInstanceBackend::BrowserWebGPU, wgpu::Backends::BROWSER_WEBGPU),
    ];
    let chosen = table.iter().filter(|b| bits == 0 || bits & u64::from(b.0) != 0);
    chosen.fold(wgpu::Backends::empty(), |all, b| all | b.1)
}
