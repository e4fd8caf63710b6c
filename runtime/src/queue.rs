//! The queue: writes and submissions.
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::abi::*;
use crate::boundary::*;
use crate::buffer::Buffer;
use crate::callbacks::{Callback, Work};
use crate::device::{submitted, Device};
use crate::encoder::CommandBuffer;
use crate::handles::Object;

pub struct Queue {
    pub device: Arc<Device>,
}

impl Object for Queue {
    const KIND: &'static str = "WGPUQueue";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(Queue, wgpuQueueAddRef, wgpuQueueRelease, wgpuQueueSetLabel);

// wgpu keeps the number of a submission to itself; it is the struct's only content, in this exact version
const _: () = assert!(size_of::<wgpu::SubmissionIndex>() == size_of::<u64>());

/// wgpu's index of a number that C holds.
pub fn submission(id: u64) -> wgpu::SubmissionIndex {
    // SAFETY: a struct of one u64, as asserted; wgpu checks the number
    unsafe { std::mem::transmute::<u64, wgpu::SubmissionIndex>(id) }
}

fn submission_number(index: wgpu::SubmissionIndex) -> u64 {
    // SAFETY: as above
    unsafe { std::mem::transmute::<wgpu::SubmissionIndex, u64>(index) }
}

/// Copies `size` bytes into a buffer, in order with submissions; the data may be reused at once. Any thread.
///
/// # Safety
/// `data` points to `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn wgpuQueueWriteBuffer(
    queue: *const Queue,
    buffer: *const Buffer,
    offset: u64,
    data: *const u8,
    size: usize,
) {
    enter("wgpuQueueWriteBuffer", queue, (), |q| {
        let buffer = argument("buffer", buffer)?;
        if size != 0 && data.is_null() {
            return Err(invalid("data is null"));
        }
        q.device.queue.write_buffer(&buffer.raw, offset, unsafe { array(data, size) });
        Ok(())
    })
}

unsafe fn submit(q: &Queue, count: usize, commands: *const *const CommandBuffer) -> Result<u64, Fault> {
    if count != 0 && commands.is_null() {
        return Err(invalid("commands is null"));
    }
    let mut all = Vec::with_capacity(count);
    let mut kept = Vec::new();
    for &handle in array(commands, count) {
        let taken = argument("commands", handle)?.take();
        let (raw, needs) = taken.ok_or_else(|| invalid("a command buffer that was submitted before"))?;
        all.push(raw);
        kept.extend(needs);
    }
    let id = submission_number(q.device.queue.submit(all));
    if !kept.is_empty() {
        q.device.queue.on_submitted_work_done(move || drop(kept));
    }
    submitted(&q.device, id);
    Ok(id)
}

/// Starts recorded commands. Command buffers can be submitted once; their handles stay to be released. Any thread.
///
/// # Safety
/// `commands` points to `count` handles.
#[no_mangle]
pub unsafe extern "C" fn wgpuQueueSubmit(queue: *const Queue, count: usize, commands: *const *const CommandBuffer) {
    enter("wgpuQueueSubmit", queue, (), |q| unsafe { submit(q, count, commands) }.map(|_| ()))
}

/// As wgpuQueueSubmit; the result names the submission for wgpuDevicePoll, 0 after an error. Any thread.
///
/// # Safety
/// `commands` points to `count` handles.
#[no_mangle]
pub unsafe extern "C" fn wgpuQueueSubmitForIndex(
    queue: *const Queue,
    count: usize,
    commands: *const *const CommandBuffer,
) -> u64 {
    enter("wgpuQueueSubmitForIndex", queue, 0, |q| unsafe { submit(q, count, commands) })
}

/// Calls back when everything submitted so far has ended. Any thread.
///
/// # Safety
/// The callback is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuQueueOnSubmittedWorkDone(
    queue: *const Queue,
    callback: WGPUQueueWorkDoneCallbackInfo,
) -> WGPUFuture {
    enter("wgpuQueueOnSubmittedWorkDone", queue, WGPUFuture { id: 0 }, |q| {
        let callback = Callback::new(callback, |target, outcome: Option<()>| {
            let (function, user1, user2) = target.parts();
            let status =
                outcome.map_or(WGPUQueueWorkDoneStatus::CallbackCancelled, |_| WGPUQueueWorkDoneStatus::Success);
            if let Some(f) = function {
                unsafe { f(status, WGPUStringView::of(""), user1, user2) };
            }
        })?;
        let submission = q.device.last_submission.load(Ordering::Acquire);
        let work = Work { device: Arc::downgrade(&q.device), submission };
        let ticket = q.device.instance.events.begin(callback, Some(work));
        let future = ticket.future();
        q.device.queue.on_submitted_work_done(move || ticket.resolve(()));
        Ok(future)
    })
}

/// Nanoseconds of one tick of timestamp queries. Any thread.
#[no_mangle]
pub extern "C" fn wgpuQueueGetTimestampPeriod(queue: *const Queue) -> f32 {
    enter("wgpuQueueGetTimestampPeriod", queue, 0.0, |q| Ok(q.device.queue.get_timestamp_period()))
}
