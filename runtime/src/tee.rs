//! A second Vulkan command buffer beside wgpu's: while `keep` runs, the commands of compute passes go to both. For this
//! the device is opened here, with functions of our own for these commands in its table. Elsewhere there is nothing.
#[cfg(target_vendor = "apple")]
pub use none::*;
#[cfg(not(target_vendor = "apple"))]
pub use real::*;

#[cfg(not(target_vendor = "apple"))]
mod real {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use ash::vk;
    use wgpu::hal::api::Vulkan;

    thread_local! {
        static SECOND: Cell<vk::CommandBuffer> = const { Cell::new(vk::CommandBuffer::null()) };
    }

    /// The loader's functions, which serve every device.
    static LOADER: OnceLock<ash::DeviceFnV1_0> = OnceLock::new();

    macro_rules! tee {
        ($($name:ident($($argument:ident: $type:ty),*);)*) => {
            $(
                unsafe extern "system" fn $name(commands: vk::CommandBuffer, $($argument: $type),*) {
                    let Some(loader) = LOADER.get() else { return };
                    (loader.$name)(commands, $($argument),*);
                    let second = SECOND.get();
                    if second != vk::CommandBuffer::null() {
                        (loader.$name)(second, $($argument),*);
                    }
                }
            )*

            /// Ours instead of the device's.
            fn replace(table: &mut ash::DeviceFnV1_0) {
                $( table.$name = $name; )*
            }

            fn same(a: &ash::DeviceFnV1_0, b: &ash::DeviceFnV1_0) -> bool {
                true $( && a.$name as usize == b.$name as usize )*
            }
        };
    }

    tee! {
        cmd_bind_pipeline(point: vk::PipelineBindPoint, pipeline: vk::Pipeline);
        cmd_bind_descriptor_sets(point: vk::PipelineBindPoint, layout: vk::PipelineLayout, first: u32, n_sets: u32,
            sets: *const vk::DescriptorSet, n_offsets: u32, offsets: *const u32);
        cmd_push_constants(layout: vk::PipelineLayout, stages: vk::ShaderStageFlags, offset: u32, size: u32,
            values: *const std::ffi::c_void);
        cmd_pipeline_barrier(from: vk::PipelineStageFlags, to: vk::PipelineStageFlags, flags: vk::DependencyFlags,
            n_memory: u32, memory: *const vk::MemoryBarrier<'_>, n_buffers: u32,
            buffers: *const vk::BufferMemoryBarrier<'_>, n_images: u32, images: *const vk::ImageMemoryBarrier<'_>);
        cmd_dispatch(x: u32, y: u32, z: u32);
        cmd_dispatch_indirect(buffer: vk::Buffer, offset: vk::DeviceSize);
    }

    /// A device whose passes can be kept; None where wgpu must open it: not Vulkan, or a request that it refuses.
    pub fn open(adapter: &wgpu::Adapter, d: &wgpu::DeviceDescriptor) -> Option<(wgpu::Device, wgpu::Queue)> {
        let experimental = d.required_features.intersects(wgpu::Features::all_experimental_mask());
        if !adapter.features().contains(d.required_features)
            || !d.required_limits.check_limits(&adapter.limits())
            || (experimental && !d.experimental_features.is_enabled())
        {
            return None;
        }
        // SAFETY: as wgpu-hal opens it, but for the functions
        unsafe {
            let hal = adapter.as_hal::<Vulkan>()?;
            let instance = hal.shared_instance();
            let (entry, raw) = (instance.entry(), instance.raw_instance());
            let name = |name: &std::ffi::CStr| entry.get_instance_proc_addr(raw.handle(), name.as_ptr());
            let loader = ash::DeviceFnV1_0::load(|n| name(n).map_or(std::ptr::null(), |f| f as *const _));
            if !same(LOADER.get_or_init(|| loader.clone()), &loader) {
                return None;
            }
            let extensions = hal.required_device_extensions(d.required_features);
            let mut features = hal.physical_device_features(&extensions, d.required_features);
            let names: Vec<_> = extensions.iter().map(|e| e.as_ptr()).collect();
            let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(0).queue_priorities(&[1.0])];
            let info = vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_extension_names(&names);
            let info = features.add_to_device_create(info);
            let device = raw.create_device(hal.raw_physical_device(), &info, None).ok()?;
            let mut table = device.fp_v1_0().clone();
            replace(&mut table);
            let (one, two, three) = (device.fp_v1_1(), device.fp_v1_2(), device.fp_v1_3());
            let ours = ash::Device::from_parts_1_3(device.handle(), table, one.clone(), two.clone(), three.clone());
            let (limits, hints) = (&d.required_limits, &d.memory_hints);
            let opened = hal.device_from_raw(ours, None, &extensions, d.required_features, limits, hints, 0, 0).ok()?;
            drop(hal);
            adapter.create_device_from_hal::<Vulkan>(opened, d).ok()
        }
    }

    /// Recorded commands. They must have run for the last time when this is dropped, and their device be there.
    pub struct Kept {
        device: ash::Device,
        pool: vk::CommandPool,
        commands: vk::CommandBuffer,
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            // SAFETY: as the struct says
            unsafe { self.device.destroy_command_pool(self.pool, None) };
        }
    }

    impl Kept {
        fn begin(device: &wgpu::Device) -> Option<Self> {
            // SAFETY: nothing of wgpu's is touched
            unsafe {
                let hal = device.as_hal::<Vulkan>()?;
                let raw = hal.raw_device();
                if raw.fp_v1_0().cmd_dispatch as usize != cmd_dispatch as *const () as usize {
                    return None;
                }
                let info = vk::CommandPoolCreateInfo::default().queue_family_index(hal.queue_family_index());
                let pool = raw.create_command_pool(&info, None).ok()?;
                let mut kept = Self { device: raw.clone(), pool, commands: vk::CommandBuffer::null() };
                let info = vk::CommandBufferAllocateInfo::default()
                    .command_pool(pool)
                    .level(vk::CommandBufferLevel::SECONDARY)
                    .command_buffer_count(1);
                kept.commands = *raw.allocate_command_buffers(&info).ok()?.first()?;
                let inherited = vk::CommandBufferInheritanceInfo::default();
                let info = vk::CommandBufferBeginInfo::default()
                    .flags(vk::CommandBufferUsageFlags::SIMULTANEOUS_USE)
                    .inheritance_info(&inherited);
                raw.begin_command_buffer(kept.commands, &info).ok()?;
                Some(kept)
            }
        }

        /// wgpu knows nothing of what runs in here, so it waits for all before it, and all after it waits.
        fn barrier(&self) {
            use vk::{AccessFlags as Access, PipelineStageFlags as Stage};
            // compute and copies is all there is here; for the host wgpu's copies and fences care
            let stages = Stage::COMPUTE_SHADER | Stage::TRANSFER;
            let writes = Access::SHADER_WRITE | Access::TRANSFER_WRITE;
            let reads = Access::SHADER_READ | Access::UNIFORM_READ | Access::TRANSFER_READ;
            let memory = vk::MemoryBarrier::default()
                .src_access_mask(writes)
                .dst_access_mask(reads | writes | Access::INDIRECT_COMMAND_READ);
            let (to, none) = (stages | Stage::DRAW_INDIRECT, vk::DependencyFlags::empty());
            // SAFETY: the command buffer records
            unsafe { self.device.cmd_pipeline_barrier(self.commands, stages, to, none, &[memory], &[], &[]) };
        }

        /// Puts them into an encoder that is used for nothing else.
        ///
        /// # Safety
        /// All that they use is there until they have run.
        pub unsafe fn run(&self, encoder: &mut wgpu::CommandEncoder) {
            encoder.as_hal_mut::<Vulkan, _, _>(|hal| {
                if let Some(hal) = hal {
                    self.device.cmd_execute_commands(hal.raw_handle(), &[self.commands]);
                }
            });
        }
    }

    /// Ends the teeing also when what runs panics.
    struct Teeing;

    impl Drop for Teeing {
        fn drop(&mut self) {
            SECOND.set(vk::CommandBuffer::null());
        }
    }

    /// Runs `record`, which gives the commands of passes to Vulkan, and keeps them, if the device can.
    pub fn keep<R>(device: &wgpu::Device, record: impl FnOnce() -> R) -> (R, Option<Kept>) {
        let Some(kept) = Kept::begin(device) else { return (record(), None) };
        kept.barrier();
        let teeing = Teeing;
        SECOND.set(kept.commands);
        let result = record();
        drop(teeing);
        kept.barrier();
        // SAFETY: it records
        let ended = unsafe { kept.device.end_command_buffer(kept.commands) };
        (result, ended.is_ok().then_some(kept))
    }
}

#[cfg(target_vendor = "apple")]
mod none {
    pub enum Kept {}

    impl Kept {
        /// # Safety
        /// None is needed: there is no such thing here.
        pub unsafe fn run(&self, _: &mut wgpu::CommandEncoder) {}
    }

    pub fn open(_: &wgpu::Adapter, _: &wgpu::DeviceDescriptor) -> Option<(wgpu::Device, wgpu::Queue)> {
        None
    }

    pub fn keep<R>(_: &wgpu::Device, record: impl FnOnce() -> R) -> (R, Option<Kept>) {
        (record(), None)
    }
}
