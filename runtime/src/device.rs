//! The device: its life, its errors, polling. What it creates is in the file of each object.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::abi::*;
use crate::adapter::Adapter;
use crate::boundary::*;
use crate::callbacks::{Callback, Target};
use crate::convert;
use crate::errors::{lost_reason, Errors, Lost};
use crate::handles::{self, Object};
use crate::instance::Instance;
use crate::pool::Pool;
use crate::queue::{submission, Queue};

pub struct Device {
    pub raw: wgpu::Device,
    pub queue: wgpu::Queue,
    pub errors: Arc<Errors>,
    pub pool: Pool,
    pub instance: Arc<Instance>,
    pub last_submission: AtomicU64,
    lost_future: WGPUFuture,
}

/// What a device is made of.
pub struct Opened {
    pub raw: wgpu::Device,
    pub queue: wgpu::Queue,
    pub errors: Arc<Errors>,
    pub lost_future: WGPUFuture,
    pub threads: usize,
}

impl Object for Device {
    const KIND: &'static str = "WGPUDevice";
    fn report(&self, kind: Enum, message: &str) {
        self.errors.report(kind, message);
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.errors.set_device(std::ptr::null());
    }
}

reference_counting!(Device, wgpuDeviceAddRef, wgpuDeviceRelease, wgpuDeviceSetLabel);

/// Enters the device-lost callback into the events, before the device exists.
pub fn watch_loss(
    adapter: &Adapter,
    errors: &Arc<Errors>,
    info: Option<WGPUDeviceLostCallbackInfo>,
) -> Result<WGPUFuture, Fault> {
    let mut info = info.unwrap_or(WGPUDeviceLostCallbackInfo {
        nextInChain: std::ptr::null(),
        mode: 0,
        callback: None,
        userdata1: std::ptr::null_mut(),
        userdata2: std::ptr::null_mut(),
    });
    if info.mode == 0 {
        info.mode = WGPUCallbackMode::AllowSpontaneous; // no callback: the mode does not matter
    }
    let weak = Arc::downgrade(errors);
    let call = move |target: Target<WGPUDeviceLostCallback>, outcome: Option<Lost>| {
        let (function, user1, user2) = target.parts();
        let cancelled = || Lost { reason: WGPUDeviceLostReason::CallbackCancelled, message: String::new() };
        let lost = outcome.unwrap_or_else(cancelled);
        let device = weak.upgrade().map_or(std::ptr::null(), |e| e.device());
        if let Some(f) = function {
            unsafe { f(&device, lost.reason, WGPUStringView::of(&lost.message), user1, user2) };
        }
    };
    let ticket = adapter.instance.events.begin(Callback::new(info, call)?, None);
    let future = ticket.future();
    errors.set_lost(ticket);
    Ok(future)
}

impl Device {
    pub fn new(opened: Opened, instance: Arc<Instance>) -> Arc<Self> {
        let Opened { raw, queue, errors, lost_future, threads } = opened;
        let (for_errors, for_loss) = (errors.clone(), errors.clone());
        raw.on_uncaptured_error(Arc::new(move |error| for_errors.hear(error)));
        raw.set_device_lost_callback(move |reason, message| {
            for_loss.lose(Lost { reason: lost_reason(reason), message });
        });
        let (pool, last_submission) = (Pool::new(threads), AtomicU64::new(0));
        let device = Arc::new(Self { raw, queue, errors, pool, instance, last_submission, lost_future });
        device.errors.set_device(Arc::as_ptr(&device));
        device
    }

    /// Lets wgpu notice what has ended.
    pub fn poll_now(&self) {
        let _ = self.raw.poll(wgpu::PollType::Poll);
    }

    /// Waits for a submission, not for ever; false if it cannot be waited for.
    pub fn wait_for(&self, id: u64, timeout: Duration) -> bool {
        // drivers take absolute times: a day is long enough, and cannot overflow
        let timeout = Some(timeout.min(Duration::from_secs(86400)));
        id != 0 && self.raw.poll(wgpu::PollType::Wait { submission_index: Some(submission(id)), timeout }).is_ok()
    }
}

/// The device's queue; the caller owns the reference. Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceGetQueue(device: *const Device) -> *const Queue {
    enter("wgpuDeviceGetQueue", device, std::ptr::null(), |_| {
        Ok(handles::give(Queue { device: handles::hold(device).map_err(invalid)? }))
    })
}

/// Ends the device at once: memory is freed, later calls fail, the lost callback runs. The handle stays valid until
/// released. Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceDestroy(device: *const Device) {
    enter("wgpuDeviceDestroy", device, (), |d| {
        d.raw.destroy();
        d.poll_now();
        d.errors.lose(Lost { reason: WGPUDeviceLostReason::Destroyed, message: "the device was destroyed".into() });
        Ok(())
    })
}

/// Lets the device notice what has ended and runs the callbacks that are due, except WaitAnyOnly ones, on this thread.
/// With `wait` it first waits for a submission, or for all so far if `submission_index` is null. True if no work is in
/// flight. Any thread.
///
/// # Safety
/// `submission_index` is null or valid.
#[no_mangle]
pub unsafe extern "C" fn wgpuDevicePoll(
    device: *const Device,
    wait: WGPUBool,
    submission_index: *const u64,
) -> WGPUBool {
    enter("wgpuDevicePoll", device, 1, |d| {
        let index = unsafe { submission_index.as_ref() }.map(|&id| submission(id));
        let kind = match wait {
            0 => wgpu::PollType::Poll,
            _ => wgpu::PollType::Wait { submission_index: index, timeout: None },
        };
        let result = d.raw.poll(kind);
        d.instance.events.process();
        match result {
            Ok(status) => Ok(status.is_queue_empty().into()),
            Err(e) => Err(invalid(e.to_string())),
        }
    })
}

/// The limits the device was opened with. Any thread.
///
/// # Safety
/// `limits` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceGetLimits(device: *const Device, limits: *mut WGPULimits) -> Enum {
    enter("wgpuDeviceGetLimits", device, WGPUStatus::Error, |d| {
        let to = unsafe { limits.as_mut() }.ok_or_else(|| invalid("limits is null"))?;
        convert::limits_to_c(&d.raw.limits(), to);
        Ok(WGPUStatus::Success)
    })
}

/// Whether the device was opened with a feature. Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceHasFeature(device: *const Device, feature: Enum) -> WGPUBool {
    enter("wgpuDeviceHasFeature", device, 0, |d| {
        Ok(convert::feature(feature).is_some_and(|f| d.raw.features().contains(f)).into())
    })
}

/// The features the device was opened with; free with wgpuSupportedFeaturesFreeMembers. Any thread.
///
/// # Safety
/// `features` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceGetFeatures(device: *const Device, features: *mut WGPUSupportedFeatures) {
    enter("wgpuDeviceGetFeatures", device, (), |d| {
        let to = unsafe { features.as_mut() }.ok_or_else(|| invalid("features is null"))?;
        (to.featureCount, to.features) = convert::give_array(convert::feature_numbers(d.raw.features()));
        Ok(())
    })
}

/// Describes the device's adapter; free the strings with wgpuAdapterInfoFreeMembers. Any thread.
///
/// # Safety
/// `info` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceGetAdapterInfo(device: *const Device, info: *mut WGPUAdapterInfo) -> Enum {
    enter("wgpuDeviceGetAdapterInfo", device, WGPUStatus::Error, |d| {
        let to = unsafe { info.as_mut() }.ok_or_else(|| invalid("info is null"))?;
        convert::adapter_info(&d.raw.adapter_info(), to);
        Ok(WGPUStatus::Success)
    })
}

/// The future of the device-lost callback. Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceGetLostFuture(device: *const Device) -> WGPUFuture {
    enter("wgpuDeviceGetLostFuture", device, WGPUFuture { id: 0 }, |d| Ok(d.lost_future))
}

/// Opens an error scope for this thread. Scopes nest.
#[no_mangle]
pub extern "C" fn wgpuDevicePushErrorScope(device: *const Device, filter: Enum) {
    enter("wgpuDevicePushErrorScope", device, (), |d| {
        d.errors.push(match filter {
            WGPUErrorFilter::Validation => WGPUErrorType::Validation,
            WGPUErrorFilter::OutOfMemory => WGPUErrorType::OutOfMemory,
            WGPUErrorFilter::Internal => WGPUErrorType::Internal,
            other => return Err(invalid(format!("{other} is no error filter"))),
        });
        Ok(())
    })
}

/// Closes this thread's innermost error scope and gives its first error to the callback; its status is Error if this
/// thread has no scope.
///
/// # Safety
/// The callback is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDevicePopErrorScope(
    device: *const Device,
    callback: WGPUPopErrorScopeCallbackInfo,
) -> WGPUFuture {
    enter("wgpuDevicePopErrorScope", device, WGPUFuture { id: 0 }, |d| {
        let callback = Callback::new(callback, |target, outcome: Option<Option<(Enum, Option<String>)>>| {
            let (function, user1, user2) = target.parts();
            let (status, kind, message) = match outcome {
                Some(Some((kind, Some(message)))) => (WGPUPopErrorScopeStatus::Success, kind, message),
                Some(Some((_, None))) => (WGPUPopErrorScopeStatus::Success, WGPUErrorType::NoError, String::new()),
                Some(None) => (WGPUPopErrorScopeStatus::Error, WGPUErrorType::Unknown, "no error scope".into()),
                None => (WGPUPopErrorScopeStatus::CallbackCancelled, WGPUErrorType::Unknown, String::new()),
            };
            if let Some(f) = function {
                unsafe { f(status, kind, WGPUStringView::of(&message), user1, user2) };
            }
        })?;
        let ticket = d.instance.events.begin(callback, None);
        let future = ticket.future();
        ticket.resolve(d.errors.pop());
        Ok(future)
    })
}

/// Starts a capture of RenderDoc or Xcode, if this program runs under one; true if it may have started (the debuggers
/// do not tell). Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceStartGraphicsDebuggerCapture(device: *const Device) -> WGPUBool {
    enter("wgpuDeviceStartGraphicsDebuggerCapture", device, 0, |d| {
        unsafe { d.raw.start_graphics_debugger_capture() };
        Ok(1)
    })
}

/// Ends the capture. Any thread.
#[no_mangle]
pub extern "C" fn wgpuDeviceStopGraphicsDebuggerCapture(device: *const Device) {
    enter("wgpuDeviceStopGraphicsDebuggerCapture", device, (), |d| {
        unsafe { d.raw.stop_graphics_debugger_capture() };
        Ok(())
    })
}

/// Records the thread's last submission, for those who wait.
pub fn submitted(device: &Device, id: u64) {
    device.last_submission.fetch_max(id, Ordering::AcqRel);
}
