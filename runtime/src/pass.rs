//! Compute passes.
use std::sync::{Arc, Mutex};

use crate::abi::*;
use crate::bind_group::BindGroup;
use crate::boundary::*;
use crate::buffer::Buffer;
use crate::device::Device;
use crate::handles::Object;
use crate::pipeline::ComputePipeline;
use crate::query::QuerySet;

pub struct ComputePassEncoder {
    raw: Mutex<Option<wgpu::ComputePass<'static>>>, // until ended
    device: Arc<Device>,
}

impl Object for ComputePassEncoder {
    const KIND: &'static str = "WGPUComputePassEncoder";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

// releasing a pass that has not ended ends it
reference_counting!(
    ComputePassEncoder,
    wgpuComputePassEncoderAddRef,
    wgpuComputePassEncoderRelease,
    wgpuComputePassEncoderSetLabel
);

impl ComputePassEncoder {
    pub fn new(raw: wgpu::ComputePass<'static>, device: Arc<Device>) -> Self {
        Self { raw: Mutex::new(Some(raw)), device }
    }
}

/// Records one command.
fn record(
    name: &str,
    pass: *const ComputePassEncoder,
    command: impl FnOnce(&mut wgpu::ComputePass<'static>) -> Result<(), Fault>,
) {
    enter(name, pass, (), |p| {
        let mut raw = p.raw.lock().unwrap_or_else(|e| e.into_inner());
        command(raw.as_mut().ok_or_else(|| invalid("the pass has ended"))?)
    })
}

/// Ends the pass; its encoder records again. The handle is still to be released.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderEnd(pass: *const ComputePassEncoder) {
    enter("wgpuComputePassEncoderEnd", pass, (), |p| {
        let raw = p.raw.lock().unwrap_or_else(|e| e.into_inner()).take();
        raw.map(drop).ok_or_else(|| invalid("the pass has ended"))
    })
}

/// Chooses the pipeline of the dispatches that follow.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderSetPipeline(pass: *const ComputePassEncoder, pipeline: *const ComputePipeline) {
    record("wgpuComputePassEncoderSetPipeline", pass, |raw| {
        raw.set_pipeline(&argument("pipeline", pipeline)?.raw);
        Ok(())
    })
}

/// Chooses a bind group of the dispatches that follow; null removes it.
///
/// # Safety
/// `dynamic_offsets` points to `dynamic_offset_count` numbers.
#[no_mangle]
pub unsafe extern "C" fn wgpuComputePassEncoderSetBindGroup(
    pass: *const ComputePassEncoder,
    index: u32,
    group: *const BindGroup,
    dynamic_offset_count: usize,
    dynamic_offsets: *const u32,
) {
    record("wgpuComputePassEncoderSetBindGroup", pass, |raw| {
        let group = if group.is_null() { None } else { Some(&argument("group", group)?.raw) };
        raw.set_bind_group(index, group, unsafe { array(dynamic_offsets, dynamic_offset_count) });
        Ok(())
    })
}

/// Sets bytes of the shader's immediate data; offset and size are multiples of 4.
///
/// # Safety
/// `data` points to `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn wgpuComputePassEncoderSetImmediates(
    pass: *const ComputePassEncoder,
    offset: u32,
    data: *const u8,
    size: usize,
) {
    record("wgpuComputePassEncoderSetImmediates", pass, |raw| {
        raw.set_immediates(offset, unsafe { array(data, size) });
        Ok(())
    })
}

/// Runs x * y * z workgroups.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderDispatchWorkgroups(pass: *const ComputePassEncoder, x: u32, y: u32, z: u32) {
    record("wgpuComputePassEncoderDispatchWorkgroups", pass, |raw| {
        raw.dispatch_workgroups(x, y, z);
        Ok(())
    })
}

/// Runs as many workgroups as three u32 in a buffer say.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderDispatchWorkgroupsIndirect(
    pass: *const ComputePassEncoder,
    buffer: *const Buffer,
    offset: u64,
) {
    record("wgpuComputePassEncoderDispatchWorkgroupsIndirect", pass, |raw| {
        raw.dispatch_workgroups_indirect(&argument("indirectBuffer", buffer)?.raw, offset);
        Ok(())
    })
}

/// Writes a timestamp between dispatches.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderWriteTimestamp(
    pass: *const ComputePassEncoder,
    set: *const QuerySet,
    index: u32,
) {
    record("wgpuComputePassEncoderWriteTimestamp", pass, |raw| {
        raw.write_timestamp(&argument("querySet", set)?.raw, index);
        Ok(())
    })
}

/// Marks a place for debuggers.
///
/// # Safety
/// `label` is valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuComputePassEncoderInsertDebugMarker(
    pass: *const ComputePassEncoder,
    label: WGPUStringView,
) {
    record("wgpuComputePassEncoderInsertDebugMarker", pass, |raw| {
        raw.insert_debug_marker(&unsafe { label.get() }.unwrap_or_default());
        Ok(())
    })
}

/// Opens a named group of dispatches for debuggers.
///
/// # Safety
/// `label` is valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuComputePassEncoderPushDebugGroup(pass: *const ComputePassEncoder, label: WGPUStringView) {
    record("wgpuComputePassEncoderPushDebugGroup", pass, |raw| {
        raw.push_debug_group(&unsafe { label.get() }.unwrap_or_default());
        Ok(())
    })
}

/// Closes the innermost group of dispatches.
#[no_mangle]
pub extern "C" fn wgpuComputePassEncoderPopDebugGroup(pass: *const ComputePassEncoder) {
    record("wgpuComputePassEncoderPopDebugGroup", pass, |raw| {
        raw.pop_debug_group();
        Ok(())
    })
}
