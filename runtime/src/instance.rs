//! The instance: drivers, adapters, and the events of everything made from it.
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::abi::*;
use crate::adapter::Adapter;
use crate::boundary::*;
use crate::callbacks::{Callback, Events};
use crate::convert;
use crate::corvid::CorvidWgpuInstanceOptions;
use crate::handles::{self, Object};
use crate::log::complain;

pub struct Instance {
    pub raw: wgpu::Instance,
    pub events: Arc<Events>,
    timed_wait: bool,
}

impl Object for Instance {
    const KIND: &'static str = "WGPUInstance";
    fn report(&self, _: Enum, message: &str) {
        complain(message);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.events.finish();
    }
}

reference_counting!(Instance, wgpuInstanceAddRef, wgpuInstanceRelease);

/// What a future of wgpu gives; on native systems they are all ready at once.
pub fn now<F: Future>(future: F) -> Result<F::Output, Fault> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(Fault { kind: WGPUErrorType::Internal, message: "wgpu made us wait".into() }),
    }
}

const FEATURES: [Enum; 2] = [WGPUInstanceFeatureName::TimedWaitAny, WGPUInstanceFeatureName::MultipleDevicesPerAdapter];

/// wgpu's flags of WGPUInstanceFlag bits: the low bits agree, the high ones name sets.
fn instance_flags(bits: WGPUFlags) -> wgpu::InstanceFlags {
    let has = |bit: u32| bits & u64::from(bit) != 0;
    let mut flags = wgpu::InstanceFlags::from_bits_truncate((bits & 0xFF) as u32);
    if has(WGPUInstanceFlag::Default) {
        flags |= wgpu::InstanceFlags::default();
    }
    if has(WGPUInstanceFlag::Debugging) {
        flags |= wgpu::InstanceFlags::debugging();
    }
    if has(WGPUInstanceFlag::AdvancedDebugging) {
        flags |= wgpu::InstanceFlags::advanced_debugging();
    }
    if has(WGPUInstanceFlag::WithEnv) {
        flags = flags.with_env();
    }
    flags
}

unsafe fn instance_descriptor(d: Option<&WGPUInstanceDescriptor>) -> Result<(wgpu::InstanceDescriptor, bool), Fault> {
    let mut to = wgpu::InstanceDescriptor::new_without_display_handle();
    to.flags = wgpu::InstanceFlags::empty();
    let Some(d) = d else { return Ok((to, false)) };
    let wanted = array(d.requiredFeatures, d.requiredFeatureCount);
    if let Some(unknown) = wanted.iter().find(|f| !FEATURES.contains(f)) {
        return Err(invalid(format!("instance feature {unknown} is not known")));
    }
    walk_chain(d.nextInChain, |kind, link| {
        match kind {
            WGPUSType::InstanceExtras => {
                let e = &*link.cast::<WGPUInstanceExtras>();
                to.backends = convert::backends(e.backends);
                to.flags |= instance_flags(e.flags);
                to.memory_budget_thresholds.for_resource_creation = e.budgetForDeviceCreation.as_ref().copied();
                to.memory_budget_thresholds.for_device_loss = e.budgetForDeviceLoss.as_ref().copied();
            }
            CorvidWgpuSType::InstanceOptions => {
                let o = &*link.cast::<CorvidWgpuInstanceOptions>();
                let percent = |p: u32| (p != 0).then_some(p.min(255) as u8);
                to.flags |= instance_flags(o.flags);
                to.memory_budget_thresholds.for_resource_creation = percent(o.creationBudgetPercent);
                to.memory_budget_thresholds.for_device_loss = percent(o.lossBudgetPercent);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((to, wanted.contains(&WGPUInstanceFeatureName::TimedWaitAny)))
}

/// Loads the drivers. Null after an invalid descriptor. The caller owns the result. Any thread.
///
/// # Safety
/// `descriptor` is null or as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuCreateInstance(descriptor: *const WGPUInstanceDescriptor) -> *const Instance {
    enter_free("wgpuCreateInstance", std::ptr::null(), || {
        let (d, timed_wait) = unsafe { instance_descriptor(descriptor.as_ref()) }?;
        Ok(handles::give(Instance { raw: wgpu::Instance::new(d), events: Arc::default(), timed_wait }))
    })
}

/// The features an instance may be asked for; free with wgpuSupportedInstanceFeaturesFreeMembers. Any thread.
///
/// # Safety
/// `features` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuGetInstanceFeatures(features: *mut WGPUSupportedInstanceFeatures) {
    if let Some(to) = features.as_mut() {
        (to.featureCount, to.features) = convert::give_array(FEATURES.to_vec());
    }
}

/// Frees what wgpuGetInstanceFeatures gave. Any thread.
///
/// # Safety
/// `features` is as it was given.
#[no_mangle]
pub unsafe extern "C" fn wgpuSupportedInstanceFeaturesFreeMembers(features: WGPUSupportedInstanceFeatures) {
    convert::free_array(features.featureCount, features.features);
}

/// Whether an instance may be asked for a feature. Any thread.
#[no_mangle]
pub extern "C" fn wgpuHasInstanceFeature(feature: Enum) -> WGPUBool {
    FEATURES.contains(&feature).into()
}

/// The limits of instances: any number of futures in one timed wait. Any thread.
///
/// # Safety
/// `limits` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuGetInstanceLimits(limits: *mut WGPUInstanceLimits) -> Enum {
    let Some(to) = limits.as_mut() else { return WGPUStatus::Error };
    to.timedWaitAnyMaxCount = usize::MAX;
    WGPUStatus::Success
}

fn rank(adapter: &wgpu::Adapter, power: Enum) -> u32 {
    let (first, second) = match power {
        WGPUPowerPreference::LowPower => (wgpu::DeviceType::IntegratedGpu, wgpu::DeviceType::DiscreteGpu),
        _ => (wgpu::DeviceType::DiscreteGpu, wgpu::DeviceType::IntegratedGpu),
    };
    match adapter.get_info().device_type {
        kind if kind == first => 0,
        kind if kind == second => 1,
        wgpu::DeviceType::Cpu => 3,
        _ => 2,
    }
}

fn find_adapter(raw: &wgpu::Instance, options: Option<&WGPURequestAdapterOptions>) -> Result<wgpu::Adapter, Fault> {
    let (mut power, mut software, mut wanted) = (WGPUPowerPreference::Undefined, false, wgpu::Backends::all());
    if let Some(o) = options {
        if !o.nextInChain.is_null() || !o.compatibleSurface.is_null() {
            return Err(invalid("surfaces and chained options are not supported"));
        }
        (power, software) = (o.powerPreference, o.forceFallbackAdapter != 0);
        wanted = match o.backendType {
            WGPUBackendType::Undefined => wanted,
            WGPUBackendType::Vulkan => wgpu::Backends::VULKAN,
            WGPUBackendType::Metal => wgpu::Backends::METAL,
            WGPUBackendType::D3D12 => wgpu::Backends::DX12,
            _ => wgpu::Backends::empty(),
        };
    }
    let all = now(raw.enumerate_adapters(wanted))?;
    let fitting = all.into_iter().filter(|a| !software || a.get_info().device_type == wgpu::DeviceType::Cpu);
    fitting.min_by_key(|a| rank(a, power)).ok_or_else(|| invalid("no adapter fits"))
}

/// Asks for one adapter: by power preference, backend, or a software one. The callback owns the adapter. Any thread.
///
/// # Safety
/// `options` is null or as webgpu.h says; so is the callback.
#[no_mangle]
pub unsafe extern "C" fn wgpuInstanceRequestAdapter(
    instance: *const Instance,
    options: *const WGPURequestAdapterOptions,
    callback: WGPURequestAdapterCallbackInfo,
) -> WGPUFuture {
    enter("wgpuInstanceRequestAdapter", instance, WGPUFuture { id: 0 }, |i| {
        let callback = Callback::new(callback, |target, outcome: Option<Result<Adapter, String>>| {
            let (function, user1, user2) = target.parts();
            let (status, adapter, message) = match outcome {
                Some(Ok(adapter)) => (WGPURequestAdapterStatus::Success, handles::give(adapter), String::new()),
                Some(Err(e)) => (WGPURequestAdapterStatus::Unavailable, std::ptr::null(), e),
                None => (WGPURequestAdapterStatus::CallbackCancelled, std::ptr::null(), String::new()),
            };
            if let Some(f) = function {
                unsafe { f(status, adapter, WGPUStringView::of(&message), user1, user2) };
            }
        })?;
        let ticket = i.events.begin(callback, None);
        let future = ticket.future();
        let found = find_adapter(&i.raw, unsafe { options.as_ref() }).map_err(|f| f.message);
        let instance = handles::hold(instance).map_err(invalid)?;
        ticket.resolve(found.map(|raw| Adapter { raw, instance }));
        Ok(future)
    })
}

/// The number of adapters of some backends; they are written to `adapters` unless that is null, and belong to the
/// caller. The list may change between two calls only if hardware does. Any thread.
///
/// # Safety
/// `adapters` has room for as many as the call before told, or is null.
#[no_mangle]
pub unsafe extern "C" fn wgpuInstanceEnumerateAdapters(
    instance: *const Instance,
    options: *const WGPUInstanceEnumerateAdapterOptions,
    adapters: *mut *const Adapter,
) -> usize {
    enter("wgpuInstanceEnumerateAdapters", instance, 0, |i| {
        let bits = unsafe { options.as_ref() }.map_or(0, |o| o.backends);
        let all = now(i.raw.enumerate_adapters(convert::backends(bits)))?;
        let count = all.len();
        if !adapters.is_null() {
            for (n, raw) in all.into_iter().enumerate() {
                let instance = handles::hold(instance).map_err(invalid)?;
                unsafe { adapters.add(n).write(handles::give(Adapter { raw, instance })) };
            }
        }
        Ok(count)
    })
}

/// Looks after the devices and runs the callbacks that are due and whose mode allows it, on this thread. Any thread.
#[no_mangle]
pub extern "C" fn wgpuInstanceProcessEvents(instance: *const Instance) {
    enter("wgpuInstanceProcessEvents", instance, (), |i| {
        i.raw.poll_all(false);
        i.events.process();
        Ok(())
    })
}

/// Waits for one of the futures, at most `timeout` nanoseconds (more than 0 needs the instance feature TimedWaitAny);
/// runs the callbacks of all of them that have ended, on this thread, and sets their `completed`. Any thread.
///
/// # Safety
/// `futures` points to `count` entries.
#[no_mangle]
pub unsafe extern "C" fn wgpuInstanceWaitAny(
    instance: *const Instance,
    count: usize,
    futures: *mut WGPUFutureWaitInfo,
    timeout: u64,
) -> Enum {
    enter("wgpuInstanceWaitAny", instance, WGPUWaitStatus::Error, |i| {
        if timeout > 0 && !i.timed_wait {
            return Err(invalid("a timeout needs the instance feature TimedWaitAny"));
        }
        if count == 0 || futures.is_null() {
            return if count == 0 { Ok(WGPUWaitStatus::Success) } else { Err(invalid("futures is null")) };
        }
        let futures = unsafe { std::slice::from_raw_parts_mut(futures, count) };
        let ids: Vec<u64> = futures.iter().map(|f| f.future.id).collect();
        if ids.contains(&0) {
            return Err(invalid("a future that is null"));
        }
        let mut done = vec![false; count];
        let status = i.events.wait_any(&ids, &mut done, Duration::from_nanos(timeout));
        futures.iter_mut().zip(done).for_each(|(f, done)| f.completed = done.into());
        Ok(status)
    })
}

const LANGUAGE: [(Enum, wgpu::WgslLanguageFeatures); 4] = [
    (
        WGPUWGSLLanguageFeatureName::ReadonlyAndReadwriteStorageTextures,
        wgpu::WgslLanguageFeatures::ReadOnlyAndReadWriteStorageTextures,
    ),
    (WGPUWGSLLanguageFeatureName::Packed4x8IntegerDotProduct, wgpu::WgslLanguageFeatures::Packed4x8IntegerDotProduct),
    (
        WGPUWGSLLanguageFeatureName::UnrestrictedPointerParameters,
        wgpu::WgslLanguageFeatures::UnrestrictedPointerParameters,
    ),
    (WGPUWGSLLanguageFeatureName::PointerCompositeAccess, wgpu::WgslLanguageFeatures::PointerCompositeAccess),
];

fn language_features(i: &Instance) -> Vec<Enum> {
    let has = i.raw.wgsl_language_features();
    LANGUAGE.iter().filter(|l| has.contains(l.1.clone())).map(|l| l.0).collect()
}

/// What WGSL understands; free with wgpuSupportedWGSLLanguageFeaturesFreeMembers. Any thread.
///
/// # Safety
/// `features` is valid or null.
#[no_mangle]
pub unsafe extern "C" fn wgpuInstanceGetWGSLLanguageFeatures(
    instance: *const Instance,
    features: *mut WGPUSupportedWGSLLanguageFeatures,
) {
    enter("wgpuInstanceGetWGSLLanguageFeatures", instance, (), |i| {
        if let Some(to) = unsafe { features.as_mut() } {
            (to.featureCount, to.features) = convert::give_array(language_features(i));
        }
        Ok(())
    })
}

/// Frees what wgpuInstanceGetWGSLLanguageFeatures gave. Any thread.
///
/// # Safety
/// `features` is as it was given.
#[no_mangle]
pub unsafe extern "C" fn wgpuSupportedWGSLLanguageFeaturesFreeMembers(features: WGPUSupportedWGSLLanguageFeatures) {
    convert::free_array(features.featureCount, features.features);
}

/// Whether WGSL understands a feature. Any thread.
#[no_mangle]
pub extern "C" fn wgpuInstanceHasWGSLLanguageFeature(instance: *const Instance, feature: Enum) -> WGPUBool {
    enter("wgpuInstanceHasWGSLLanguageFeature", instance, 0, |i| Ok(language_features(i).contains(&feature).into()))
}
