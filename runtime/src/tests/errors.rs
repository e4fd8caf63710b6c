//! Errors reach whom they should, and nothing crashes.
use super::*;

unsafe extern "C" fn on_scope(status: Enum, kind: Enum, message: WGPUStringView, user: Data, _: Data) {
    seen(user).add(format!("scope {status} {kind}: {}", text(message)));
}

fn pop(gpu: &Gpu) -> String {
    let heard = Seen::default();
    let call = info(
        WGPUCallbackMode::AllowSpontaneous,
        Some(on_scope as unsafe extern "C" fn(_, _, _, _, _)),
        heard.pointer(),
    );
    unsafe { wgpuDevicePopErrorScope(gpu.device, call) };
    heard.take().concat()
}

#[test]
fn scopes_catch_the_fitting_error() {
    let gpu = Gpu::new();
    wgpuDevicePushErrorScope(gpu.device, WGPUErrorFilter::Validation);
    wgpuDevicePushErrorScope(gpu.device, WGPUErrorFilter::OutOfMemory);
    wgpuBufferRelease(gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::Storage, 64));
    assert_eq!(pop(&gpu), "scope 1 1: ", "no error of that type");
    let caught = pop(&gpu);
    assert!(caught.starts_with("scope 1 2: ") && caught.contains("MAP_READ"), "{caught}");
    gpu.expect_no_errors();
    assert_eq!(pop(&gpu), "scope 3 5: no error scope");
    wgpuDevicePushErrorScope(gpu.device, 77);
    assert_eq!(gpu.seen.take(), ["error 2: wgpuDevicePushErrorScope: 77 is no error filter"]);
}

#[test]
fn scopes_belong_to_their_thread() {
    let gpu = Gpu::new();
    wgpuDevicePushErrorScope(gpu.device, WGPUErrorFilter::Validation);
    let device = gpu.device as usize;
    let other = move || unsafe {
        let d = buffer_descriptor(WGPUBufferUsage::MapRead | WGPUBufferUsage::Storage, 64);
        wgpuBufferRelease(wgpuDeviceCreateBuffer(device as *const Device, &d));
    };
    std::thread::spawn(other).join().unwrap();
    assert_eq!(gpu.seen.take().len(), 1, "the other thread has no scope");
    assert_eq!(pop(&gpu), "scope 1 1: ");
}

#[test]
fn a_bad_shader_is_an_error() {
    let gpu = Gpu::new();
    let module = gpu.module("@compute @workgroup_size(1) fn main() { let x: i32 = 1u; }");
    assert!(!module.is_null());
    let errors = gpu.seen.take();
    assert!(errors.len() == 1 && errors[0].starts_with("error 2: "), "{errors:?}");
    unsafe extern "C" fn on_info(status: Enum, i: *const WGPUCompilationInfo, user: Data, _: Data) {
        let messages = array((*i).messages, (*i).messageCount);
        seen(user).add(format!("{status}: {} at line {}", messages.len(), messages[0].lineNum));
    }
    let heard = Seen::default();
    let call =
        info(WGPUCallbackMode::AllowSpontaneous, Some(on_info as unsafe extern "C" fn(_, _, _, _)), heard.pointer());
    unsafe { wgpuShaderModuleGetCompilationInfo(module, call) };
    assert_eq!(heard.take(), ["1: 1 at line 1"]);
    let pipeline = gpu.pipeline(module);
    assert_eq!(gpu.seen.take().len(), 1, "a pipeline of it is one too");
    wgpuComputePipelineRelease(pipeline);
    wgpuShaderModuleRelease(module);
}

#[test]
fn bad_mappings_are_errors() {
    let gpu = Gpu::new();
    let buffer = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 64);
    let heard = Seen::default();
    let map = |mode: u64, offset, size| unsafe {
        wgpuBufferMapAsync(
            buffer,
            mode,
            offset,
            size,
            info(WGPUCallbackMode::AllowSpontaneous, Some(on_mapped), heard.pointer()),
        );
        wgpuDevicePoll(gpu.device, 1, null());
        (heard.take().concat(), gpu.seen.take().len())
    };
    for (mode, offset, size) in [(1, 0, 65), (1, 68, 0), (1, usize::MAX - 3, 8), (3, 0, 64), (0, 0, 64), (2, 0, 64)] {
        let (status, errors) = map(mode, offset, size);
        assert!(status.starts_with("mapped 3: ") && errors == 1, "{mode} {offset} {size}: {status}, {errors}");
    }
    assert_eq!(map(1, 0, 64), ("mapped 1: ".into(), 0));
    let (status, errors) = map(1, 0, 64);
    assert!(status.starts_with("mapped 3: ") && errors == 1, "mapped already");
    wgpuBufferUnmap(buffer);
    wgpuBufferUnmap(buffer);
    unsafe {
        let call = info(
            WGPUCallbackMode::AllowProcessEvents,
            Some(on_mapped as unsafe extern "C" fn(_, _, _, _)),
            heard.pointer(),
        );
        wgpuBufferMapAsync(buffer, 1, 0, 64, call);
        wgpuBufferUnmap(buffer);
        wgpuInstanceProcessEvents(gpu.instance);
    }
    assert!(heard.take().concat().starts_with("mapped 4: "), "aborted");
    wgpuBufferRelease(buffer);
}

#[test]
fn misuse_of_encoders_is_an_error() {
    let gpu = Gpu::new();
    unsafe {
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        let pass = wgpuCommandEncoderBeginComputePass(e, null());
        wgpuComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1); // no pipeline
        wgpuComputePassEncoderEnd(pass);
        assert!(gpu.seen.take().len() <= 1);
        wgpuComputePassEncoderEnd(pass);
        wgpuComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1);
        assert!(gpu.seen.take().iter().all(|s| s.contains("ended")));
        let commands = wgpuCommandEncoderFinish(e, null());
        assert!(wgpuCommandEncoderFinish(e, null()).is_null());
        wgpuQueueSubmit(gpu.queue, 1, &commands);
        gpu.seen.take();
        wgpuQueueSubmit(gpu.queue, 1, &commands);
        assert!(gpu.seen.take().concat().contains("submitted before"));
        wgpuComputePassEncoderRelease(pass);
        wgpuCommandEncoderRelease(e);
        wgpuCommandBufferRelease(commands);
    }
}

#[test]
fn a_destroyed_device_is_lost_once() {
    let gpu = Gpu::new();
    wgpuDeviceDestroy(gpu.device);
    assert_eq!(gpu.seen.take(), ["lost 2"]);
    wgpuDeviceDestroy(gpu.device);
    let buffer = gpu.buffer(WGPUBufferUsage::Storage, 64);
    wgpuBufferRelease(buffer);
    assert!(!gpu.seen.take().iter().any(|s| s.starts_with("lost")));
}

#[test]
fn a_released_device_cancels_its_lost_callback() {
    let mut gpu = Gpu::new();
    let seen = std::mem::take(&mut gpu.seen);
    drop(gpu);
    let seen = seen.take();
    assert!(seen.len() == 1 && seen[0].starts_with("lost"), "{seen:?}");
}

#[test]
fn caught_errors_leave_no_scope_behind() {
    let gpu = Gpu::new();
    let errors = &crate::handles::look(gpu.device).unwrap().errors;
    for kind in [WGPUErrorType::Validation, WGPUErrorType::OutOfMemory, WGPUErrorType::Internal] {
        let caught = errors.catch(|| errors.report(kind, "oh"));
        assert_eq!(caught, Err((kind, "oh".into())));
        assert!(errors.pop().is_none());
    }
    gpu.expect_no_errors();
}

#[test]
fn a_panic_becomes_an_error() {
    let gpu = Gpu::new();
    crate::boundary::enter("test", gpu.device, (), |_| -> Result<(), crate::boundary::Fault> { panic!("oh {}", 1) });
    assert_eq!(gpu.seen.take(), ["error 4: test: panic: oh 1"]);
}

#[test]
fn unknown_structs_and_features_are_errors() {
    let gpu = Gpu::new();
    let chain = WGPUChainedStruct { next: null(), sType: 0x1234 };
    let mut d = buffer_descriptor(WGPUBufferUsage::Storage, 64);
    d.nextInChain = &chain;
    assert!(unsafe { wgpuDeviceCreateBuffer(gpu.device, &d) }.is_null());
    assert!(gpu.seen.take().concat().contains("0x00001234"));
    assert_eq!(wgpuAdapterHasFeature(gpu.adapter, 0x7777), 0);
    let unknown = [99];
    let d = WGPUInstanceDescriptor {
        nextInChain: null(),
        requiredFeatureCount: 1,
        requiredFeatures: unknown.as_ptr(),
        requiredLimits: null(),
    };
    assert!(unsafe { wgpuCreateInstance(&d) }.is_null());
}
