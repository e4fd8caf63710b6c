//! Compute pipelines: created at once, or on the device's compile threads.
use std::sync::Arc;

use crate::abi::*;
use crate::bind_group::{BindGroupLayout, PipelineLayout};
use crate::boundary::*;
use crate::callbacks::Callback;
use crate::corvid::CorvidWgpuComputePipelineOptions;
use crate::device::Device;
use crate::handles::{self, Object};
use crate::pipeline_cache::PipelineCache;
use crate::shader::ShaderModule;

pub struct ComputePipeline {
    pub raw: wgpu::ComputePipeline,
    device: Arc<Device>,
}

impl Object for ComputePipeline {
    const KIND: &'static str = "WGPUComputePipeline";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(
    ComputePipeline,
    wgpuComputePipelineAddRef,
    wgpuComputePipelineRelease,
    wgpuComputePipelineSetLabel
);

/// A descriptor that owns all it names, so that another thread may use it.
struct Plan {
    label: Option<String>,
    layout: Option<Arc<PipelineLayout>>,
    module: Arc<ShaderModule>,
    entry_point: Option<String>,
    constants: Vec<(String, f64)>,
    zero_initialize: bool,
    cache: Option<Arc<PipelineCache>>,
}

unsafe fn owned(view: WGPUStringView) -> Option<String> {
    view.get().map(|text| text.into_owned())
}

unsafe fn plan(from: &WGPUComputePipelineDescriptor) -> Result<Plan, Fault> {
    let (mut zero_initialize, mut cache) = (true, None);
    walk_chain(from.nextInChain, |kind, link| {
        if kind != CorvidWgpuSType::ComputePipelineOptions {
            return Ok(false);
        }
        let o = &*link.cast::<CorvidWgpuComputePipelineOptions>();
        zero_initialize = o.zeroInitializeWorkgroupMemory != WGPUOptionalBool::False;
        if !o.cache.is_null() {
            cache = Some(handles::hold(o.cache).map_err(|e| invalid(format!("cache: {e}")))?);
        }
        Ok(true)
    })?;
    walk_chain(from.compute.nextInChain, |_, _| Ok(false))?;
    let layout = match from.layout.is_null() {
        true => None,
        false => Some(handles::hold(from.layout).map_err(|e| invalid(format!("layout: {e}")))?),
    };
    let module = handles::hold(from.compute.module).map_err(|e| invalid(format!("compute.module: {e}")))?;
    let constants = array(from.compute.constants, from.compute.constantCount).iter();
    Ok(Plan {
        label: owned(from.label),
        layout,
        module,
        entry_point: owned(from.compute.entryPoint),
        constants: constants.map(|c| (owned(c.key).unwrap_or_default(), c.value)).collect(),
        zero_initialize,
        cache,
    })
}

fn create(device: &Device, plan: &Plan) -> wgpu::ComputePipeline {
    let constants: Vec<(&str, f64)> = plan.constants.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    device.raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: plan.label.as_deref(),
        layout: plan.layout.as_ref().map(|l| &l.raw),
        module: &plan.module.raw,
        entry_point: plan.entry_point.as_deref(),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            zero_initialize_workgroup_memory: plan.zero_initialize,
        },
        cache: plan.cache.as_ref().map(|c| &c.raw),
    })
}

/// Compiles a pipeline on this thread. Several threads may do so at once. After an error the device reports it, and the
/// pipeline is good for nothing. The caller owns it.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateComputePipeline(
    device: *const Device,
    descriptor: *const WGPUComputePipelineDescriptor,
) -> *const ComputePipeline {
    enter("wgpuDeviceCreateComputePipeline", device, std::ptr::null(), |d| {
        let plan = unsafe { plan(required("descriptor", descriptor)?) }?;
        let raw = create(d, &plan);
        Ok(handles::give(ComputePipeline { raw, device: handles::hold(device).map_err(invalid)? }))
    })
}

type Compiled = Result<ComputePipeline, (Enum, String)>;

fn pipeline_callback(info: WGPUCreateComputePipelineAsyncCallbackInfo) -> Result<Callback<Compiled>, Fault> {
    Callback::new(info, |target, outcome: Option<Compiled>| {
        let (function, user1, user2) = target.parts();
        let (status, pipeline, message) = match outcome {
            Some(Ok(p)) => (WGPUCreatePipelineAsyncStatus::Success, handles::give(p), String::new()),
            Some(Err((status, e))) => (status, std::ptr::null(), e),
            None => (WGPUCreatePipelineAsyncStatus::CallbackCancelled, std::ptr::null(), String::new()),
        };
        if let Some(f) = function {
            unsafe { f(status, pipeline, WGPUStringView::of(&message), user1, user2) };
        }
    })
}

/// Compiles a pipeline on one of the device's threads. Errors go to the callback, not to the device; on success it owns
/// the pipeline. A spontaneous callback runs on that thread. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says; it may go away when the call returns.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateComputePipelineAsync(
    device: *const Device,
    descriptor: *const WGPUComputePipelineDescriptor,
    callback: WGPUCreateComputePipelineAsyncCallbackInfo,
) -> WGPUFuture {
    enter("wgpuDeviceCreateComputePipelineAsync", device, WGPUFuture { id: 0 }, |d| {
        let ticket = d.instance.events.begin(pipeline_callback(callback)?, None);
        let future = ticket.future();
        let plan = match unsafe { required("descriptor", descriptor).and_then(|from| plan(from)) } {
            Ok(plan) => plan,
            Err(fault) => {
                ticket.resolve(Err((WGPUCreatePipelineAsyncStatus::ValidationError, fault.message)));
                return Ok(future);
            }
        };
        let device = handles::hold(device).map_err(invalid)?;
        d.pool.run(Box::new(move || {
            let work = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| create(&device, &plan)));
            let outcome = match device.errors.catch(work) {
                Ok(Ok(raw)) => Ok(ComputePipeline { raw, device: device.clone() }),
                Ok(Err(panic)) => Err((WGPUCreatePipelineAsyncStatus::InternalError, panic_text(&*panic))),
                Err((WGPUErrorType::Validation, e)) => Err((WGPUCreatePipelineAsyncStatus::ValidationError, e)),
                Err((_, e)) => Err((WGPUCreatePipelineAsyncStatus::InternalError, e)),
            };
            // who hears of the outcome may release the device and free what its callbacks point to
            drop((plan, device));
            ticket.resolve(outcome);
        }));
        Ok(future)
    })
}

/// The layout of a group, also of a pipeline made without one. The caller owns it. Any thread.
#[no_mangle]
pub extern "C" fn wgpuComputePipelineGetBindGroupLayout(
    pipeline: *const ComputePipeline,
    group: u32,
) -> *const BindGroupLayout {
    enter("wgpuComputePipelineGetBindGroupLayout", pipeline, std::ptr::null(), |p| {
        Ok(handles::give(BindGroupLayout { raw: p.raw.get_bind_group_layout(group), device: p.device.clone() }))
    })
}
