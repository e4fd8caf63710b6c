//! Dispatches that are recorded once and run many times. wgpu's command buffers can be submitted once only; what its
//! passes give to Vulkan is therefore written to a second command buffer too, which may run again and again.
use std::sync::Arc;

use crate::abi::Enum;
use crate::boundary::*;
use crate::device::Device;
use crate::encoder::{CommandBuffer, CommandEncoder};
use crate::handles::{self, Object};
use crate::tee::Kept;

pub struct Recording {
    kept: Arc<Kept>,
    device: Arc<Device>,
}

impl Object for Recording {
    const KIND: &'static str = "CorvidWgpuRecording";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(Recording, corvidWgpuRecordingAddRef, corvidWgpuRecordingRelease);

/// As wgpuCommandEncoderFinish, and keeps the dispatches in a recording, which the caller owns; null without one where
/// the device keeps none. Nothing but compute passes is kept. Any thread.
///
/// # Safety
/// `recording` is valid.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuCommandEncoderFinishRecording(
    encoder: *const CommandEncoder,
    recording: *mut *const Recording,
) -> *const CommandBuffer {
    enter("corvidWgpuCommandEncoderFinishRecording", encoder, std::ptr::null(), |e| {
        let to = unsafe { recording.as_mut() }.ok_or_else(|| invalid("recording is null"))?;
        *to = std::ptr::null();
        let raw = e.take()?;
        let (finished, kept) = crate::tee::keep(&e.device.raw, || raw.finish());
        if let Some(kept) = kept {
            *to = handles::give(Recording { kept: Arc::new(kept), device: e.device.clone() });
        }
        Ok(handles::give(CommandBuffer::new(finished, None, e.device.clone())))
    })
}

/// A command buffer that runs the dispatches once more: after all that was submitted before it, before all that is
/// submitted later. It can be submitted once; the caller owns it. Any thread.
///
/// # Safety
/// The pipelines, bind groups and buffers of the recording exist until the command buffer has run.
#[no_mangle]
pub unsafe extern "C" fn corvidWgpuRecordingReplay(recording: *const Recording) -> *const CommandBuffer {
    enter("corvidWgpuRecordingReplay", recording, std::ptr::null(), |r| {
        let mut encoder = r.device.raw.create_command_encoder(&Default::default());
        // SAFETY: the caller promises it
        unsafe { r.kept.run(&mut encoder) };
        let kept: Arc<Kept> = r.kept.clone();
        Ok(handles::give(CommandBuffer::new(encoder.finish(), Some(kept), r.device.clone())))
    })
}
