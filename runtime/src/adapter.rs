//! Adapters: what a GPU can do, and opening a device on it.
use std::sync::Arc;

use crate::abi::*;
use crate::boundary::*;
use crate::callbacks::{Callback, Target};
use crate::convert;
use crate::corvid::CorvidWgpuDeviceOptions;
use crate::device::{Device, Opened};
use crate::errors::{Errors, Lost};
use crate::handles::{self, Object};
use crate::instance::Instance;
use crate::log::complain;

pub struct Adapter {
    pub raw: wgpu::Adapter,
    pub instance: Arc<Instance>,
}

impl Object for Adapter {
    const KIND: &'static str = "WGPUAdapter";
    fn report(&self, _: Enum, message: &str) {
        complain(message);
    }
}

reference_counting!(Adapter, wgpuAdapterAddRef, wgpuAdapterRelease);

/// Describes the adapter; free the strings with wgpuAdapterInfoFreeMembers. Any thread.
///
/// # Safety
/// `info` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuAdapterGetInfo(adapter: *const Adapter, info: *mut WGPUAdapterInfo) -> Enum {
    enter("wgpuAdapterGetInfo", adapter, WGPUStatus::Error, |a| {
        let to = unsafe { info.as_mut() }.ok_or_else(|| invalid("info is null"))?;
        convert::adapter_info(&a.raw.get_info(), to);
        Ok(WGPUStatus::Success)
    })
}

/// Frees the strings of an info. Any thread.
///
/// # Safety
/// `info` is as wgpuAdapterGetInfo or wgpuDeviceGetAdapterInfo gave it.
#[no_mangle]
pub unsafe extern "C" fn wgpuAdapterInfoFreeMembers(info: WGPUAdapterInfo) {
    for text in [info.vendor, info.architecture, info.device, info.description] {
        convert::free_string(text);
    }
}

/// The best limits a device on this adapter may be asked for. Any thread.
///
/// # Safety
/// `limits` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuAdapterGetLimits(adapter: *const Adapter, limits: *mut WGPULimits) -> Enum {
    enter("wgpuAdapterGetLimits", adapter, WGPUStatus::Error, |a| {
        let to = unsafe { limits.as_mut() }.ok_or_else(|| invalid("limits is null"))?;
        convert::limits_to_c(&a.raw.limits(), to);
        Ok(WGPUStatus::Success)
    })
}

/// Whether a device on this adapter may be asked for a feature. Any thread.
#[no_mangle]
pub extern "C" fn wgpuAdapterHasFeature(adapter: *const Adapter, feature: Enum) -> WGPUBool {
    enter("wgpuAdapterHasFeature", adapter, 0, |a| {
        Ok(convert::feature(feature).is_some_and(|f| a.raw.features().contains(f)).into())
    })
}

/// All features a device on this adapter may be asked for; free with wgpuSupportedFeaturesFreeMembers. Any thread.
///
/// # Safety
/// `features` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuAdapterGetFeatures(adapter: *const Adapter, features: *mut WGPUSupportedFeatures) {
    enter("wgpuAdapterGetFeatures", adapter, (), |a| {
        let to = unsafe { features.as_mut() }.ok_or_else(|| invalid("features is null"))?;
        (to.featureCount, to.features) = convert::give_array(convert::feature_numbers(a.raw.features()));
        Ok(())
    })
}

/// Frees what wgpuAdapterGetFeatures or wgpuDeviceGetFeatures gave. Any thread.
///
/// # Safety
/// `features` is as it was given.
#[no_mangle]
pub unsafe extern "C" fn wgpuSupportedFeaturesFreeMembers(features: WGPUSupportedFeatures) {
    convert::free_array(features.featureCount, features.features);
}

fn memory_hints(o: &CorvidWgpuDeviceOptions) -> Result<wgpu::MemoryHints, Fault> {
    Ok(match o.memoryHint {
        CorvidWgpuMemoryHint::Performance => wgpu::MemoryHints::Performance,
        CorvidWgpuMemoryHint::MemoryUsage => wgpu::MemoryHints::MemoryUsage,
        CorvidWgpuMemoryHint::Manual if o.blockBytesMin <= o.blockBytesMax && o.blockBytesMin > 0 => {
            wgpu::MemoryHints::Manual { suballocated_device_memory_block_size: o.blockBytesMin..o.blockBytesMax }
        }
        other => return Err(invalid(format!("memory hint {other} with these block sizes does not exist"))),
    })
}

unsafe fn open(a: &Adapter, d: Option<&WGPUDeviceDescriptor>) -> Result<(wgpu::Device, wgpu::Queue, usize), Fault> {
    let mut to = wgpu::DeviceDescriptor::default();
    let mut threads = 0;
    let label = match d {
        Some(d) => d.label.get(),
        None => None,
    };
    to.label = label.as_deref();
    to.required_limits = convert::limits_from_c(d.and_then(|d| d.requiredLimits.as_ref()), &a.raw.limits());
    if let Some(d) = d {
        to.required_features = convert::features(array(d.requiredFeatures, d.requiredFeatureCount))?;
        walk_chain(d.nextInChain, |kind, link| {
            match kind {
                WGPUSType::DeviceExtras => {
                    let trace = (*link.cast::<WGPUDeviceExtras>()).tracePath.get();
                    if trace.is_some_and(|path| !path.is_empty()) {
                        return Err(invalid("API traces are not built in"));
                    }
                }
                CorvidWgpuSType::DeviceOptions => {
                    let o = &*link.cast::<CorvidWgpuDeviceOptions>();
                    to.memory_hints = memory_hints(o)?;
                    threads = o.compileThreads as usize;
                    if o.experimentalFeatures != 0 {
                        to.experimental_features = wgpu::ExperimentalFeatures::enabled();
                    }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
    }
    let opened = match crate::tee::open(&a.raw, &to) {
        Some(opened) => opened,
        None => crate::instance::now(a.raw.request_device(&to))?.map_err(|e| invalid(e.to_string()))?,
    };
    Ok((opened.0, opened.1, threads))
}

/// Opens a device. The callback owns it. Errors of the device go to the descriptor's callbacks, on the thread whose
/// call fails. Any thread.
///
/// # Safety
/// `descriptor` is null or as webgpu.h says; so are the callbacks.
#[no_mangle]
pub unsafe extern "C" fn wgpuAdapterRequestDevice(
    adapter: *const Adapter,
    descriptor: *const WGPUDeviceDescriptor,
    callback: WGPURequestDeviceCallbackInfo,
) -> WGPUFuture {
    enter("wgpuAdapterRequestDevice", adapter, WGPUFuture { id: 0 }, |a| {
        let callback = Callback::new(callback, |target, outcome: Option<Result<Arc<Device>, String>>| {
            let (function, user1, user2) = target.parts();
            let (status, device, message) = match outcome {
                Some(Ok(device)) => (WGPURequestDeviceStatus::Success, handles::give_arc(device), String::new()),
                Some(Err(e)) => (WGPURequestDeviceStatus::Error, std::ptr::null(), e),
                None => (WGPURequestDeviceStatus::CallbackCancelled, std::ptr::null(), String::new()),
            };
            if let Some(f) = function {
                unsafe { f(status, device, WGPUStringView::of(&message), user1, user2) };
            }
        })?;
        let ticket = a.instance.events.begin(callback, None);
        let future = ticket.future();
        let d = unsafe { descriptor.as_ref() };
        let null = std::ptr::null_mut();
        let uncaptured = d.map_or(Target { function: None, user1: null, user2: null }, |d| {
            let info = &d.uncapturedErrorCallbackInfo;
            Target { function: info.callback, user1: info.userdata1, user2: info.userdata2 }
        });
        let errors = Arc::new(Errors::new(uncaptured));
        let lost = d.map(|d| d.deviceLostCallbackInfo);
        let lost_future = crate::device::watch_loss(a, &errors, lost)?;
        match unsafe { open(a, d) } {
            Ok((raw, queue, threads)) => {
                let opened = Opened { raw, queue, errors, lost_future, threads };
                ticket.resolve(Ok(Device::new(opened, a.instance.clone())));
            }
            Err(fault) => {
                errors.lose(Lost { reason: WGPUDeviceLostReason::FailedCreation, message: fault.message.clone() });
                ticket.resolve(Err(fault.message));
            }
        }
        Ok(future)
    })
}
