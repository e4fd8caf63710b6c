//! corvid_wgpu.h: what webgpu.h and wgpu.h lack.
#![allow(non_snake_case)]
use std::ffi::c_char;
use std::mem::{offset_of, size_of};
use std::sync::OnceLock;

use crate::abi::*;
use crate::adapter::Adapter;
use crate::boundary::*;
use crate::device::Device;
use crate::handles;
use crate::pipeline_cache::PipelineCache;
use crate::shader::ShaderModule;

const MAX_HEAPS: usize = 16;

structs! { corvid_layouts:
    CorvidWgpuInstanceOptions {
        chain: WGPUChainedStruct, flags: WGPUFlags, creationBudgetPercent: u32, lossBudgetPercent: u32,
    }
    CorvidWgpuDeviceOptions {
        chain: WGPUChainedStruct, experimentalFeatures: WGPUBool, memoryHint: Enum, blockBytesMin: u64,
        blockBytesMax: u64, compileThreads: u32,
    }
    CorvidWgpuShaderModuleOptions { chain: WGPUChainedStruct, runtimeChecks: WGPUFlags }
    CorvidWgpuComputePipelineOptions {
        chain: WGPUChainedStruct, cache: *const PipelineCache, zeroInitializeWorkgroupMemory: Enum,
    }
    CorvidWgpuPipelineCacheDescriptor {
        nextInChain: *const WGPUChainedStruct, label: WGPUStringView, data: *const u8, size: usize,
        fallback: WGPUBool,
    }
    CorvidWgpuPassthroughEntryPoint { name: WGPUStringView, workgroupSize: [u32; 3] }
    CorvidWgpuPassthroughDescriptor {
        nextInChain: *const WGPUChainedStruct, label: WGPUStringView, entryPointCount: usize,
        entryPoints: *const CorvidWgpuPassthroughEntryPoint, spirvWords: usize, spirv: *const u32,
        msl: WGPUStringView, hlsl: WGPUStringView,
    }
    CorvidWgpuCooperativeMatrix {
        m: u32, n: u32, k: u32, aType: Enum, bType: Enum, cType: Enum, resultType: Enum, saturating: WGPUBool,
    }
    CorvidWgpuMemoryHeap { bytes: u64, budgetBytes: u64, usedBytes: u64, deviceLocal: WGPUBool }
    CorvidWgpuMemory {
        allocatedBytes: u64, reservedBytes: u64, allocationCount: usize, blockCount: usize, heapCount: usize,
        heaps: [CorvidWgpuMemoryHeap; MAX_HEAPS],
    }
    CorvidWgpuAbiEntry { name: *const c_char, value: u64 }
}

/// "corvid-wgpu 0.1.0 (wgpu 30.0.1)", static. Any thread.
#[no_mangle]
pub extern "C" fn corvidWgpuGetName() -> *const c_char {
    concat!("corvid-wgpu ", env!("CARGO_PKG_VERSION"), " (wgpu 30.0.1)\0").as_ptr().cast()
}

fn version(text: &str) -> u32 {
    text.split('.').fold(0, |v, part| v << 8 | part.parse::<u32>().unwrap_or(0))
}

/// The version of corvid_wgpu.h that this library implements: major, minor and patch, one byte each. Any thread.
#[no_mangle]
pub extern "C" fn corvidWgpuGetVersion() -> u32 {
    version(env!("CARGO_PKG_VERSION"))
}

/// wgpu's version, as wgpu-native tells its own: a byte each for major, minor, patch and build. Any thread.
#[no_mangle]
pub extern "C" fn wgpuGetVersion() -> u32 {
    version("30.0.1.0")
}

/// Every size, offset and value of the ABI as this library has it, ended by a null name; static. For tests. Any thread.
#[no_mangle]
pub extern "C" fn corvidWgpuAbiTable() -> *const CorvidWgpuAbiEntry {
    struct Table(Vec<CorvidWgpuAbiEntry>);
    // SAFETY: never written after it was made
    unsafe impl Send for Table {}
    unsafe impl Sync for Table {}
    static TABLE: OnceLock<Table> = OnceLock::new();
    let make = || {
        let lists = [struct_layouts(), callback_layouts(), corvid_layouts(), enum_values()];
        let entry = |(name, value): (String, u64)| {
            let name = std::ffi::CString::new(name).unwrap_or_default();
            CorvidWgpuAbiEntry { name: name.into_raw(), value }
        };
        let end = CorvidWgpuAbiEntry { name: std::ptr::null(), value: 0 };
        Table(lists.into_iter().flatten().map(entry).chain([end]).collect())
    };
    TABLE.get_or_init(make).0.as_ptr()
}

/// wgpu's own list, for backends other than Vulkan.
fn wgpu_matrices(a: &Adapter) -> Vec<CorvidWgpuCooperativeMatrix> {
    let scalar = |t| match t {
        wgpu::CooperativeScalarType::F32 => CorvidWgpuScalar::F32,
        wgpu::CooperativeScalarType::F16 => CorvidWgpuScalar::F16,
        wgpu::CooperativeScalarType::I32 => CorvidWgpuScalar::I32,
        wgpu::CooperativeScalarType::U32 => CorvidWgpuScalar::U32,
    };
    let shape = |p: &wgpu::CooperativeMatrixProperties| CorvidWgpuCooperativeMatrix {
        m: p.m_size,
        n: p.n_size,
        k: p.k_size,
        aType: scalar(p.ab_type),
        bType: scalar(p.ab_type),
        cType: scalar(p.cr_type),
        resultType: scalar(p.cr_type),
        saturating: p.saturating_accumulation.into(),
    };
    a.raw.cooperative_matrix_properties().iter().map(shape).collect()
}

/// The matrix shapes of an adapter, at most `capacity` of them written to `out`; how many there are in any case. On
/// Vulkan it is all that the driver lists for subgroups, also types that only passed-through SPIR-V can use. Any
/// thread.
///
/// # Safety
/// `out` has room for `capacity` entries, or is null.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuAdapterGetCooperativeMatrices(
    adapter: *const Adapter,
    capacity: usize,
    out: *mut CorvidWgpuCooperativeMatrix,
) -> usize {
    enter("corvidWgpuAdapterGetCooperativeMatrices", adapter, 0, |a| {
        let all = crate::vulkan::matrices(a).unwrap_or_else(|| wgpu_matrices(a));
        if !out.is_null() {
            all.iter().take(capacity).enumerate().for_each(|(i, m)| unsafe { out.add(i).write(*m) });
        }
        Ok(all.len())
    })
}

/// Gives shader code to the driver as it is. Needs CorvidWgpuFeature_PassthroughShaders; pipelines of such modules need
/// a layout. SPIR-V is for Vulkan, MSL for Metal, HLSL for D3D12; one may be enough. The caller owns the module. Any
/// thread.
///
/// # Safety
/// `descriptor` is valid, and the code is: nothing checks it.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuDeviceCreateShaderModulePassthrough(
    device: *const Device,
    descriptor: *const CorvidWgpuPassthroughDescriptor,
) -> *const ShaderModule {
    enter("corvidWgpuDeviceCreateShaderModulePassthrough", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        if !d.raw.features().contains(wgpu::Features::PASSTHROUGH_SHADERS) {
            return Err(invalid("the device was opened without CorvidWgpuFeature_PassthroughShaders"));
        }
        let spirv = array(from.spirv, from.spirvWords);
        if spirv.first().is_some_and(|&magic| magic != 0x0723_0203) {
            return Err(invalid("spirv is not SPIR-V of this machine's byte order"));
        }
        let (msl, hlsl) = (from.msl.get().filter(|t| !t.is_empty()), from.hlsl.get().filter(|t| !t.is_empty()));
        if spirv.is_empty() && msl.is_none() && hlsl.is_none() {
            return Err(invalid("no code"));
        }
        let entry = |e: &CorvidWgpuPassthroughEntryPoint| wgpu::PassthroughShaderEntryPoint {
            name: e.name.get().unwrap_or_default(),
            workgroup_size: e.workgroupSize.into(),
        };
        let entries: Vec<_> = array(from.entryPoints, from.entryPointCount).iter().map(entry).collect();
        let label = from.label.get();
        let raw = d.raw.create_shader_module_passthrough(wgpu::ShaderModuleDescriptorPassthrough {
            label: label.as_deref(),
            entry_points: entries.into(),
            spirv: (!spirv.is_empty()).then_some(spirv.into()),
            msl,
            hlsl,
            ..Default::default()
        });
        Ok(handles::give(ShaderModule { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

/// What the device holds, and what the driver has: `allocated` and `reserved` are wgpu's own, zero on backends where it
/// does not tell (Metal); heaps are listed on Vulkan, their budget and use with VK_EXT_memory_budget. Any thread.
///
/// # Safety
/// `out` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuDeviceGetMemory(device: *const Device, out: *mut CorvidWgpuMemory) -> Enum {
    enter("corvidWgpuDeviceGetMemory", device, WGPUStatus::Error, |d| {
        let to = unsafe { out.as_mut() }.ok_or_else(|| invalid("out is null"))?;
        let none = CorvidWgpuMemoryHeap { bytes: 0, budgetBytes: 0, usedBytes: 0, deviceLocal: 0 };
        let report = d.raw.generate_allocator_report();
        let found = crate::vulkan::heaps(d);
        let mut heaps = [none; MAX_HEAPS];
        heaps.iter_mut().zip(&found).for_each(|(to, from)| *to = *from);
        *to = CorvidWgpuMemory {
            allocatedBytes: report.as_ref().map_or(0, |r| r.total_allocated_bytes),
            reservedBytes: report.as_ref().map_or(0, |r| r.total_reserved_bytes),
            allocationCount: report.as_ref().map_or(0, |r| r.allocations.len()),
            blockCount: report.as_ref().map_or(0, |r| r.blocks.len()),
            heapCount: found.len().min(MAX_HEAPS),
            heaps,
        };
        Ok(WGPUStatus::Success)
    })
}
