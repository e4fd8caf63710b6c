//! What Vulkan tells and wgpu does not pass on. Elsewhere there is nothing.
#[cfg(target_vendor = "apple")]
pub use none::*;
#[cfg(not(target_vendor = "apple"))]
pub use real::*;

#[cfg(not(target_vendor = "apple"))]
mod real {
    use ash::{ext, khr, vk};

    use crate::abi::CorvidWgpuScalar;
    use crate::adapter::Adapter;
    use crate::corvid::{CorvidWgpuCooperativeMatrix, CorvidWgpuMemoryHeap};
    use crate::device::Device;

    type Shared = wgpu::hal::vulkan::InstanceShared;

    fn supports(instance: &Shared, physical: vk::PhysicalDevice, name: &std::ffi::CStr) -> bool {
        // SAFETY: a live physical device of this instance
        let all = unsafe { instance.raw_instance().enumerate_device_extension_properties(physical) };
        // below 1.1 the functions used here are missing
        instance.instance_api_version() >= vk::API_VERSION_1_1
            && all.unwrap_or_default().iter().any(|e| e.extension_name_as_c_str() == Ok(name))
    }

    fn scalar(t: vk::ComponentTypeKHR) -> u32 {
        match t {
            vk::ComponentTypeKHR::FLOAT16 => CorvidWgpuScalar::F16,
            vk::ComponentTypeKHR::FLOAT32 => CorvidWgpuScalar::F32,
            vk::ComponentTypeKHR::FLOAT64 => CorvidWgpuScalar::F64,
            vk::ComponentTypeKHR::SINT8 => CorvidWgpuScalar::I8,
            vk::ComponentTypeKHR::SINT16 => CorvidWgpuScalar::I16,
            vk::ComponentTypeKHR::SINT32 => CorvidWgpuScalar::I32,
            vk::ComponentTypeKHR::SINT64 => CorvidWgpuScalar::I64,
            vk::ComponentTypeKHR::UINT8 => CorvidWgpuScalar::U8,
            vk::ComponentTypeKHR::UINT16 => CorvidWgpuScalar::U16,
            vk::ComponentTypeKHR::UINT32 => CorvidWgpuScalar::U32,
            vk::ComponentTypeKHR::UINT64 => CorvidWgpuScalar::U64,
            t if t.as_raw() == 1_000_141_000 => CorvidWgpuScalar::BF16, // newer than ash
            _ => CorvidWgpuScalar::Other,
        }
    }

    /// The shapes that the driver lists for subgroups; None if the adapter is not Vulkan's.
    pub fn matrices(a: &Adapter) -> Option<Vec<CorvidWgpuCooperativeMatrix>> {
        // SAFETY: nothing is destroyed
        let hal = unsafe { a.raw.as_hal::<wgpu::hal::api::Vulkan>() }?;
        let (instance, physical) = (hal.shared_instance(), hal.raw_physical_device());
        if !supports(instance, physical, khr::cooperative_matrix::NAME) {
            return Some(Vec::new());
        }
        let functions = khr::cooperative_matrix::Instance::new(instance.entry(), instance.raw_instance());
        // SAFETY: the extension is supported
        let all = unsafe { functions.get_physical_device_cooperative_matrix_properties(physical) }.unwrap_or_default();
        let subgroup = all.iter().filter(|p| p.scope == vk::ScopeKHR::SUBGROUP);
        Some(
            subgroup
                .map(|p| CorvidWgpuCooperativeMatrix {
                    m: p.m_size,
                    n: p.n_size,
                    k: p.k_size,
                    aType: scalar(p.a_type),
                    bType: scalar(p.b_type),
                    cType: scalar(p.c_type),
                    resultType: scalar(p.result_type),
                    saturating: p.saturating_accumulation,
                })
                .collect(),
        )
    }

    /// The memory heaps; none if the device is not Vulkan's.
    pub fn heaps(d: &Device) -> Vec<CorvidWgpuMemoryHeap> {
        // SAFETY: nothing is destroyed
        let Some(hal) = (unsafe { d.raw.as_hal::<wgpu::hal::api::Vulkan>() }) else { return Vec::new() };
        let (instance, physical) = (hal.shared_instance(), hal.raw_physical_device());
        let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
        // SAFETY: a live physical device; the budget is asked for only where it is known
        let properties = if supports(instance, physical, ext::memory_budget::NAME) {
            let mut to = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
            unsafe { instance.raw_instance().get_physical_device_memory_properties2(physical, &mut to) };
            to.memory_properties
        } else {
            unsafe { instance.raw_instance().get_physical_device_memory_properties(physical) }
        };
        let heaps = properties.memory_heaps_as_slice().iter().enumerate();
        heaps
            .map(|(i, heap)| CorvidWgpuMemoryHeap {
                bytes: heap.size,
                budgetBytes: budget.heap_budget[i],
                usedBytes: budget.heap_usage[i],
                deviceLocal: heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL).into(),
            })
            .collect()
    }
}

#[cfg(target_vendor = "apple")]
mod none {
    use crate::adapter::Adapter;
    use crate::corvid::{CorvidWgpuCooperativeMatrix, CorvidWgpuMemoryHeap};
    use crate::device::Device;

    pub fn matrices(_: &Adapter) -> Option<Vec<CorvidWgpuCooperativeMatrix>> {
        None
    }

    pub fn heaps(_: &Device) -> Vec<CorvidWgpuMemoryHeap> {
        Vec::new()
    }
}
