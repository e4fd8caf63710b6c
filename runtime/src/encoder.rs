//! Command encoders and command buffers.
use std::sync::{Arc, Mutex, MutexGuard};

use crate::abi::*;
use crate::boundary::*;
use crate::buffer::Buffer;
use crate::device::Device;
use crate::handles::{self, Object};
use crate::pass::ComputePassEncoder;
use crate::query::QuerySet;
use crate::tee::Kept;

pub struct CommandEncoder {
    raw: Mutex<Option<wgpu::CommandEncoder>>, // until finished
    pub device: Arc<Device>,
}

pub struct CommandBuffer {
    raw: Mutex<Option<Ready>>, // until submitted
    device: Arc<Device>,
}

/// What is to be submitted, and what must live until that has run.
pub type Ready = (wgpu::CommandBuffer, Option<Arc<Kept>>);

impl Object for CommandEncoder {
    const KIND: &'static str = "WGPUCommandEncoder";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

impl Object for CommandBuffer {
    const KIND: &'static str = "WGPUCommandBuffer";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(CommandEncoder, wgpuCommandEncoderAddRef, wgpuCommandEncoderRelease, wgpuCommandEncoderSetLabel);
reference_counting!(CommandBuffer, wgpuCommandBufferAddRef, wgpuCommandBufferRelease, wgpuCommandBufferSetLabel);

impl CommandBuffer {
    pub fn new(raw: wgpu::CommandBuffer, kept: Option<Arc<Kept>>, device: Arc<Device>) -> Self {
        Self { raw: Mutex::new(Some((raw, kept))), device }
    }

    /// What is to be submitted, once.
    pub fn take(&self) -> Option<Ready> {
        self.raw.lock().unwrap_or_else(|e| e.into_inner()).take()
    }
}

impl CommandEncoder {
    fn lock(&self) -> MutexGuard<'_, Option<wgpu::CommandEncoder>> {
        self.raw.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// What is to be finished, once.
    pub fn take(&self) -> Result<wgpu::CommandEncoder, Fault> {
        self.lock().take().ok_or_else(|| invalid("the encoder is finished"))
    }
}

/// Records one command.
fn record(
    name: &str,
    encoder: *const CommandEncoder,
    command: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<(), Fault>,
) {
    enter(name, encoder, (), |e| {
        let mut raw = e.lock();
        command(raw.as_mut().ok_or_else(|| invalid("the encoder is finished"))?)
    })
}

/// Begins a recording. The caller owns the encoder. Any thread; one thread at a time records.
///
/// # Safety
/// `descriptor` is null or as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateCommandEncoder(
    device: *const Device,
    descriptor: *const WGPUCommandEncoderDescriptor,
) -> *const CommandEncoder {
    enter("wgpuDeviceCreateCommandEncoder", device, std::ptr::null(), |d| {
        let label = unsafe { descriptor.as_ref().and_then(|d| d.label.get()) };
        let raw = d.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: label.as_deref() });
        let device = handles::hold(device).map_err(invalid)?;
        Ok(handles::give(CommandEncoder { raw: Mutex::new(Some(raw)), device }))
    })
}

/// Ends the recording: what went wrong in it is reported now. The caller owns the command buffer, and the encoder,
/// which records no more. Null if it was finished before.
///
/// # Safety
/// `_descriptor` is null or as webgpu.h says (wgpu names command buffers by their encoder).
#[no_mangle]
pub unsafe extern "C" fn wgpuCommandEncoderFinish(
    encoder: *const CommandEncoder,
    _descriptor: *const WGPUCommandBufferDescriptor,
) -> *const CommandBuffer {
    enter("wgpuCommandEncoderFinish", encoder, std::ptr::null(), |e| {
        Ok(handles::give(CommandBuffer::new(e.take()?.finish(), None, e.device.clone())))
    })
}

/// Begins a compute pass; the encoder records nothing else until it ends. The caller owns it.
///
/// # Safety
/// `descriptor` is null or as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuCommandEncoderBeginComputePass(
    encoder: *const CommandEncoder,
    descriptor: *const WGPUComputePassDescriptor,
) -> *const ComputePassEncoder {
    enter("wgpuCommandEncoderBeginComputePass", encoder, std::ptr::null(), |e| unsafe {
        let mut to = wgpu::ComputePassDescriptor::default();
        let label = descriptor.as_ref().and_then(|d| d.label.get());
        to.label = label.as_deref();
        if let Some(d) = descriptor.as_ref() {
            walk_chain(d.nextInChain, |_, _| Ok(false))?;
            if let Some(w) = d.timestampWrites.as_ref() {
                let index = |i: u32| (i != UNDEFINED_U32).then_some(i);
                to.timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                    query_set: &argument("querySet", w.querySet)?.raw,
                    beginning_of_pass_write_index: index(w.beginningOfPassWriteIndex),
                    end_of_pass_write_index: index(w.endOfPassWriteIndex),
                });
            }
        }
        let mut raw = e.lock();
        let raw = raw.as_mut().ok_or_else(|| invalid("the encoder is finished"))?;
        let pass = raw.begin_compute_pass(&to).forget_lifetime();
        Ok(handles::give(ComputePassEncoder::new(pass, e.device.clone())))
    })
}

/// Records a copy between buffers; sizes and offsets are multiples of 4.
#[no_mangle]
pub extern "C" fn wgpuCommandEncoderCopyBufferToBuffer(
    encoder: *const CommandEncoder,
    source: *const Buffer,
    source_offset: u64,
    destination: *const Buffer,
    destination_offset: u64,
    size: u64,
) {
    record("wgpuCommandEncoderCopyBufferToBuffer", encoder, |raw| {
        let (from, to) = (argument("source", source)?, argument("destination", destination)?);
        raw.copy_buffer_to_buffer(&from.raw, source_offset, &to.raw, destination_offset, size);
        Ok(())
    })
}

/// Records zeroing a range; WGPU_WHOLE_SIZE reaches to the buffer's end.
#[no_mangle]
pub extern "C" fn wgpuCommandEncoderClearBuffer(
    encoder: *const CommandEncoder,
    buffer: *const Buffer,
    offset: u64,
    size: u64,
) {
    record("wgpuCommandEncoderClearBuffer", encoder, |raw| {
        raw.clear_buffer(&argument("buffer", buffer)?.raw, offset, (size != WGPU_WHOLE_SIZE).then_some(size));
        Ok(())
    })
}

/// Records writing query results, 8 bytes each, to a buffer.
#[no_mangle]
pub extern "C" fn wgpuCommandEncoderResolveQuerySet(
    encoder: *const CommandEncoder,
    set: *const QuerySet,
    first: u32,
    count: u32,
    destination: *const Buffer,
    offset: u64,
) {
    record("wgpuCommandEncoderResolveQuerySet", encoder, |raw| {
        let (set, to) = (argument("querySet", set)?, argument("destination", destination)?);
        let end = first.checked_add(count).ok_or_else(|| invalid("too many queries"))?;
        raw.resolve_query_set(&set.raw, first..end, &to.raw, offset);
        Ok(())
    })
}

/// Records a timestamp between passes.
#[no_mangle]
pub extern "C" fn wgpuCommandEncoderWriteTimestamp(encoder: *const CommandEncoder, set: *const QuerySet, index: u32) {
    record("wgpuCommandEncoderWriteTimestamp", encoder, |raw| {
        raw.write_timestamp(&argument("querySet", set)?.raw, index);
        Ok(())
    })
}

/// Marks a place for debuggers.
///
/// # Safety
/// `label` is valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuCommandEncoderInsertDebugMarker(encoder: *const CommandEncoder, label: WGPUStringView) {
    record("wgpuCommandEncoderInsertDebugMarker", encoder, |raw| {
        raw.insert_debug_marker(&unsafe { label.get() }.unwrap_or_default());
        Ok(())
    })
}

/// Opens a named group of commands for debuggers.
///
/// # Safety
/// `label` is valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuCommandEncoderPushDebugGroup(encoder: *const CommandEncoder, label: WGPUStringView) {
    record("wgpuCommandEncoderPushDebugGroup", encoder, |raw| {
        raw.push_debug_group(&unsafe { label.get() }.unwrap_or_default());
        Ok(())
    })
}

/// Closes the innermost group of commands.
#[no_mangle]
pub extern "C" fn wgpuCommandEncoderPopDebugGroup(encoder: *const CommandEncoder) {
    record("wgpuCommandEncoderPopDebugGroup", encoder, |raw| {
        raw.pop_debug_group();
        Ok(())
    })
}
