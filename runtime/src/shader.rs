//! Shader modules: WGSL, with all run-time checks or with chosen ones.
use std::sync::Arc;

use crate::abi::*;
use crate::boundary::*;
use crate::callbacks::Callback;
use crate::corvid::CorvidWgpuShaderModuleOptions;
use crate::device::Device;
use crate::handles::{self, Object};

pub struct ShaderModule {
    pub raw: wgpu::ShaderModule,
    pub device: Arc<Device>,
}

impl Object for ShaderModule {
    const KIND: &'static str = "WGPUShaderModule";
    fn report(&self, kind: Enum, message: &str) {
        self.device.report(kind, message);
    }
}

reference_counting!(ShaderModule, wgpuShaderModuleAddRef, wgpuShaderModuleRelease, wgpuShaderModuleSetLabel);

/// wgpu's switches of WGPUShaderRuntimeChecks and CorvidWgpuRuntimeChecks bits.
fn runtime_checks(bits: WGPUFlags) -> wgpu::ShaderRuntimeChecks {
    let has = |bit: u32| bits & u64::from(bit) != 0;
    let mut to = wgpu::ShaderRuntimeChecks::unchecked();
    to.bounds_checks = has(WGPUShaderRuntimeChecks::BoundsChecks);
    to.force_loop_bounding = has(WGPUShaderRuntimeChecks::ForceLoopBounding);
    to.ray_query_initialization_tracking = has(WGPUShaderRuntimeChecks::RayQueryInitializationTracking);
    to.task_shader_dispatch_tracking = has(WGPUShaderRuntimeChecks::TaskShaderDispatchTracking);
    to.mesh_shader_primitive_indices_clamp = has(WGPUShaderRuntimeChecks::MeshShaderPrimitiveIndicesClamp);
    to.int_div_checks = has(CorvidWgpuRuntimeChecks::IntegerDivision);
    to
}

unsafe fn create(
    d: *const Device,
    from: *const WGPUShaderModuleDescriptor,
    checks: Option<WGPUFlags>,
    name: &str,
) -> *const ShaderModule {
    enter(name, d, std::ptr::null(), |device| {
        let from = required("descriptor", from)?;
        let (mut code, mut checks) = (None, checks);
        walk_chain(from.nextInChain, |kind, link| {
            match kind {
                WGPUSType::ShaderSourceWGSL => code = (*link.cast::<WGPUShaderSourceWGSL>()).code.get(),
                CorvidWgpuSType::ShaderModuleOptions => {
                    checks = Some((*link.cast::<CorvidWgpuShaderModuleOptions>()).runtimeChecks)
                }
                WGPUSType::ShaderSourceSPIRV => {
                    return Err(invalid("SPIR-V is not translated: see corvidWgpuDeviceCreateShaderModulePassthrough"))
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let label = from.label.get();
        let source = wgpu::ShaderSource::Wgsl(code.ok_or_else(|| invalid("no WGSL source"))?);
        let to = wgpu::ShaderModuleDescriptor { label: label.as_deref(), source };
        let raw = match checks {
            None => device.raw.create_shader_module(to),
            // SAFETY: who leaves checks out promises that the shader needs none
            Some(bits) => device.raw.create_shader_module_trusted(to, runtime_checks(bits)),
        };
        Ok(handles::give(ShaderModule { raw, device: handles::hold(d).map_err(invalid)? }))
    })
}

/// Translates WGSL, with all run-time checks unless CorvidWgpuShaderModuleOptions says otherwise. After an error in the
/// source the device reports it, and the module is good for nothing. The caller owns it. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateShaderModule(
    device: *const Device,
    descriptor: *const WGPUShaderModuleDescriptor,
) -> *const ShaderModule {
    create(device, descriptor, None, "wgpuDeviceCreateShaderModule")
}

/// As wgpuDeviceCreateShaderModule, with only the run-time checks that `checks` names. Any thread.
///
/// # Safety
/// `descriptor` is as webgpu.h says, and the shader does nothing that a check left out would have stopped.
#[no_mangle]
pub unsafe extern "C" fn wgpuDeviceCreateShaderModuleTrusted(
    device: *const Device,
    descriptor: *const WGPUShaderModuleDescriptor,
    checks: WGPUFlags,
) -> *const ShaderModule {
    create(device, descriptor, Some(checks), "wgpuDeviceCreateShaderModuleTrusted")
}

/// The compiler's messages; they are valid during the callback only. Any thread.
///
/// # Safety
/// The callback is as webgpu.h says.
#[no_mangle]
pub unsafe extern "C" fn wgpuShaderModuleGetCompilationInfo(
    module: *const ShaderModule,
    callback: WGPUCompilationInfoCallbackInfo,
) -> WGPUFuture {
    enter("wgpuShaderModuleGetCompilationInfo", module, WGPUFuture { id: 0 }, |m| {
        let callback = Callback::new(callback, |target, outcome: Option<wgpu::CompilationInfo>| {
            let (function, user1, user2) = target.parts();
            let status = match outcome {
                Some(_) => WGPUCompilationInfoRequestStatus::Success,
                None => WGPUCompilationInfoRequestStatus::CallbackCancelled,
            };
            let from = outcome.map_or(Vec::new(), |info| info.messages);
            let messages: Vec<_> = from.iter().map(compilation_message).collect();
            let info = WGPUCompilationInfo {
                nextInChain: std::ptr::null(),
                messageCount: messages.len(),
                messages: messages.as_ptr(),
            };
            if let Some(f) = function {
                unsafe { f(status, &info, user1, user2) };
            }
        })?;
        let ticket = m.device.instance.events.begin(callback, None);
        let future = ticket.future();
        ticket.resolve(crate::instance::now(m.raw.get_compilation_info())?);
        Ok(future)
    })
}

fn compilation_message(from: &wgpu::CompilationMessage) -> WGPUCompilationMessage {
    let at = from.location;
    let number = |get: fn(wgpu::SourceLocation) -> u32| u64::from(at.map_or(0, get));
    WGPUCompilationMessage {
        nextInChain: std::ptr::null(),
        message: WGPUStringView::of(&from.message),
        r#type: match from.message_type {
            wgpu::CompilationMessageType::Error => WGPUCompilationMessageType::Error,
            wgpu::CompilationMessageType::Warning => WGPUCompilationMessageType::Warning,
            wgpu::CompilationMessageType::Info => WGPUCompilationMessageType::Info,
        },
        lineNum: number(|l| l.line_number),
        linePos: number(|l| l.line_position),
        offset: number(|l| l.offset),
        length: number(|l| l.length),
    }
}
