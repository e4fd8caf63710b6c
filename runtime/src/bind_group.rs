//! Bind groups, their layouts, and pipeline layouts. Buffers only: compute kernels here bind nothing else.
use std::num::NonZero;
use std::sync::Arc;

use crate::abi::*;
use crate::boundary::*;
use crate::device::Device;
use crate::handles::{self, Object};

macro_rules! child {
    ($name:ident, $raw:ty, $kind:literal, $add_ref:ident, $release:ident, $set_label:ident) => {
        pub struct $name {
            pub raw: $raw,
            pub device: Arc<Device>,
        }

        impl Object for $name {
            const KIND: &'static str = $kind;
            fn report(&self, kind: Enum, message: &str) {
                self.device.report(kind, message);
            }
        }

        reference_counting!($name, $add_ref, $release, $set_label);
    };
}

child!(BindGroup, wgpu::BindGroup, "WGPUBindGroup", wgpuBindGroupAddRef, wgpuBindGroupRelease, wgpuBindGroupSetLabel);
child!(
    BindGroupLayout,
    wgpu::BindGroupLayout,
    "WGPUBindGroupLayout",
    wgpuBindGroupLayoutAddRef,
    wgpuBindGroupLayoutRelease,
    wgpuBindGroupLayoutSetLabel
);
child!(
    PipelineLayout,
    wgpu::PipelineLayout,
    "WGPUPipelineLayout",
    wgpuPipelineLayoutAddRef,
    wgpuPipelineLayoutRelease,
    wgpuPipelineLayoutSetLabel
);

unsafe fn layout_entry(from: &WGPUBindGroupLayoutEntry) -> Result<wgpu::BindGroupLayoutEntry, Fault> {
    let at = from.binding;
    walk_chain(from.nextInChain, |_, _| Ok(false))?;
    if from.sampler.r#type != 0 || from.texture.sampleType != 0 || from.storageTexture.access != 0 {
        return Err(invalid(format!("binding {at}: only buffers are supported")));
    }
    let ty = match from.buffer.r#type {
        WGPUBufferBindingType::Undefined | WGPUBufferBindingType::Uniform => wgpu::BufferBindingType::Uniform,
        WGPUBufferBindingType::Storage => wgpu::BufferBindingType::Storage { read_only: false },
        WGPUBufferBindingType::ReadOnlyStorage => wgpu::BufferBindingType::Storage { read_only: true },
        other => return Err(invalid(format!("binding {at}: buffer type {other} binds nothing"))),
    };
    let visibility = u32::try_from(from.visibility).ok().and_then(wgpu::ShaderStages::from_bits);
    Ok(wgpu::BindGroupLayoutEntry {
        binding: at,
        visibility: visibility.ok_or_else(|| invalid(format!("binding {at}: visibility is not known")))?,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: from.buffer.hasDynamicOffset != 0,
            min_binding_size: NonZero::new(from.buffer.minBindingSize),
        },
        count: NonZero::new(from.bindingArraySize),
    })
}

/// Creates a layout of buffer bindings. The caller owns it. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateBindGroupLayout(
    device: *const Device,
    descriptor: *const WGPUBindGroupLayoutDescriptor,
) -> *const BindGroupLayout {
    enter("wgpuDeviceCreateBindGroupLayout", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        let entries: Result<Vec<_>, _> = array(from.entries, from.entryCount).iter().map(|e| layout_entry(e)).collect();
        let label = from.label.get();
        let to = wgpu::BindGroupLayoutDescriptor { label: label.as_deref(), entries: &entries? };
        let raw = d.raw.create_bind_group_layout(&to);
        Ok(handles::give(BindGroupLayout { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

unsafe fn entry<'a>(from: &WGPUBindGroupEntry) -> Result<wgpu::BindGroupEntry<'a>, Fault> {
    walk_chain(from.nextInChain, |_, _| Ok(false))?;
    let buffer = argument(&format!("binding {}", from.binding), from.buffer)?;
    let size = match from.size {
        WGPU_WHOLE_SIZE => None,
        size => Some(NonZero::new(size).ok_or_else(|| invalid(format!("binding {}: no bytes", from.binding)))?),
    };
    let resource =
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &buffer.raw, offset: from.offset, size });
    Ok(wgpu::BindGroupEntry { binding: from.binding, resource })
}

/// Binds buffers to a layout. The group keeps the buffers alive. The caller owns it. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateBindGroup(
    device: *const Device,
    descriptor: *const WGPUBindGroupDescriptor,
) -> *const BindGroup {
    enter("wgpuDeviceCreateBindGroup", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        let layout = &argument("layout", from.layout)?.raw;
        let entries: Result<Vec<_>, _> = array(from.entries, from.entryCount).iter().map(|e| entry(e)).collect();
        let label = from.label.get();
        let to = wgpu::BindGroupDescriptor { label: label.as_deref(), layout, entries: &entries? };
        let raw = d.raw.create_bind_group(&to);
        Ok(handles::give(BindGroup { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

/// Creates a pipeline layout; a null group layout leaves a gap. The caller owns it. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreatePipelineLayout(
    device: *const Device,
    descriptor: *const WGPUPipelineLayoutDescriptor,
) -> *const PipelineLayout {
    enter("wgpuDeviceCreatePipelineLayout", device, std::ptr::null(), |d| unsafe {
        let from = required("descriptor", descriptor)?;
        walk_chain(from.nextInChain, |_, _| Ok(false))?;
        let handles = array(from.bindGroupLayouts, from.bindGroupLayoutCount).iter();
        let layouts: Result<Vec<_>, Fault> = handles
            .map(|&l| if l.is_null() { Ok(None) } else { argument("bindGroupLayouts", l).map(|l| Some(&l.raw)) })
            .collect();
        let label = from.label.get();
        let to = wgpu::PipelineLayoutDescriptor {
            label: label.as_deref(),
            bind_group_layouts: &layouts?,
            immediate_size: from.immediateSize,
        };
        let raw = d.raw.create_pipeline_layout(&to);
        Ok(crate::handles::give(PipelineLayout { raw, device: crate::handles::hold(device).map_err(invalid)? }))
    })
}
