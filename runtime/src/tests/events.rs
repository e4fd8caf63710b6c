//! The three callback modes, waiting, and polling.
use super::*;

unsafe extern "C" fn on_done(status: Enum, _: WGPUStringView, user: Data, _: Data) {
    seen(user).add(format!("done {status}"));
}

fn done(gpu: &Gpu, mode: Enum, heard: &Seen) -> WGPUFuture {
    let call = info(mode, Some(on_done as unsafe extern "C" fn(_, _, _, _)), heard.pointer());
    unsafe { wgpuQueueOnSubmittedWorkDone(gpu.queue, call) }
}

fn wait(gpu: &Gpu, futures: &[WGPUFuture], timeout: u64) -> (Enum, Vec<bool>) {
    let mut all: Vec<_> = futures.iter().map(|&future| WGPUFutureWaitInfo { future, completed: 0 }).collect();
    let status = unsafe { wgpuInstanceWaitAny(gpu.instance, all.len(), all.as_mut_ptr(), timeout) };
    (status, all.iter().map(|f| f.completed != 0).collect())
}

/// Submits something that takes a while.
fn submit(gpu: &Gpu) {
    let buffer = gpu.buffer(WGPUBufferUsage::CopyDst, 16 << 20);
    unsafe {
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        wgpuCommandEncoderClearBuffer(e, buffer, 0, WGPU_WHOLE_SIZE);
        let commands = wgpuCommandEncoderFinish(e, null());
        wgpuQueueSubmit(gpu.queue, 1, &commands);
        wgpuCommandBufferRelease(commands);
        wgpuCommandEncoderRelease(e);
    }
    wgpuBufferRelease(buffer);
}

#[test]
fn wait_any_only_waits() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    submit(&gpu);
    let future = done(&gpu, WGPUCallbackMode::WaitAnyOnly, &heard);
    unsafe { wgpuDevicePoll(gpu.device, 1, null()) };
    wgpuInstanceProcessEvents(gpu.instance);
    assert_eq!(heard.take(), [""; 0], "only WaitAny may call back");
    assert_eq!(wait(&gpu, &[future], 0), (WGPUWaitStatus::Success, vec![true]));
    assert_eq!(heard.take(), ["done 1"]);
    assert_eq!(wait(&gpu, &[future], 0), (WGPUWaitStatus::Success, vec![true]), "it has ended");
    assert_eq!(heard.take(), [""; 0], "called back once");
    gpu.expect_no_errors();
}

#[test]
fn wait_any_blocks_until_the_work_is_done() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    for mode in
        [WGPUCallbackMode::WaitAnyOnly, WGPUCallbackMode::AllowProcessEvents, WGPUCallbackMode::AllowSpontaneous]
    {
        submit(&gpu);
        let future = done(&gpu, mode, &heard);
        assert_eq!(wait(&gpu, &[future], u64::MAX), (WGPUWaitStatus::Success, vec![true]));
        assert_eq!(heard.take(), ["done 1"]);
    }
    let buffer = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 64);
    submit(&gpu);
    let call =
        info(WGPUCallbackMode::WaitAnyOnly, Some(on_mapped as unsafe extern "C" fn(_, _, _, _)), heard.pointer());
    let futures =
        [unsafe { wgpuBufferMapAsync(buffer, 1, 0, 64, call) }, done(&gpu, WGPUCallbackMode::WaitAnyOnly, &heard)];
    while wait(&gpu, &futures, 1_000_000_000).1 != [true, true] {}
    let mut all = heard.take();
    all.sort();
    assert_eq!(all, ["done 1", "mapped 1: "]);
    assert_eq!(wgpuBufferGetMapState(buffer), WGPUBufferMapState::Mapped);
    wgpuBufferRelease(buffer);
    gpu.expect_no_errors();
}

#[test]
fn process_events_calls_back() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    submit(&gpu);
    done(&gpu, WGPUCallbackMode::AllowProcessEvents, &heard);
    let mut seen = heard.take();
    assert_eq!(seen, [""; 0], "not inside the call");
    while seen.is_empty() {
        wgpuInstanceProcessEvents(gpu.instance);
        seen = heard.take();
    }
    assert_eq!(seen, ["done 1"]);
    gpu.expect_no_errors();
}

#[test]
fn a_poll_calls_back_spontaneously() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    submit(&gpu);
    done(&gpu, WGPUCallbackMode::AllowSpontaneous, &heard);
    assert_eq!(unsafe { wgpuDevicePoll(gpu.device, 1, null()) }, 1, "the queue is empty");
    assert_eq!(heard.take(), ["done 1"]);
    gpu.expect_no_errors();
}

#[test]
fn timeouts_and_bad_waits() {
    let gpu = Gpu::new();
    let lost = wgpuDeviceGetLostFuture(gpu.device);
    let begun = std::time::Instant::now();
    assert_eq!(wait(&gpu, &[lost], 20_000_000), (WGPUWaitStatus::TimedOut, vec![false]));
    let took = begun.elapsed().as_millis();
    assert!((19..2000).contains(&took), "{took} ms");
    assert_eq!(wait(&gpu, &[], 0).0, WGPUWaitStatus::Success);
    assert_eq!(wait(&gpu, &[WGPUFuture { id: 0 }], 0).0, WGPUWaitStatus::Error);
    let plain = unsafe { wgpuCreateInstance(null()) };
    let mut all = [WGPUFutureWaitInfo { future: lost, completed: 0 }];
    assert_eq!(unsafe { wgpuInstanceWaitAny(plain, 1, all.as_mut_ptr(), 1) }, WGPUWaitStatus::Error, "no TimedWaitAny");
    wgpuInstanceRelease(plain);
    assert_eq!(done(&gpu, 9, &Seen::default()).id, 0, "no such mode");
    assert!(gpu.seen.take().concat().contains("mode 9"));
}

#[test]
fn an_instance_ends_with_every_callback_called() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    submit(&gpu);
    done(&gpu, WGPUCallbackMode::WaitAnyOnly, &heard);
    done(&gpu, WGPUCallbackMode::AllowProcessEvents, &heard);
    drop(gpu);
    assert_eq!(heard.take().len(), 2);
}

#[test]
fn adapters_are_requested() {
    unsafe extern "C" fn on_adapter(status: Enum, a: *const Adapter, _: WGPUStringView, user: Data, _: Data) {
        seen(user).add(format!("{status} {}", !a.is_null()));
        if !a.is_null() {
            wgpuAdapterRelease(a);
        }
    }
    let gpu = Gpu::new();
    let heard = Seen::default();
    let call = info(
        WGPUCallbackMode::AllowProcessEvents,
        Some(on_adapter as unsafe extern "C" fn(_, _, _, _, _)),
        heard.pointer(),
    );
    let mut options: WGPURequestAdapterOptions = unsafe { std::mem::zeroed() };
    options.powerPreference = WGPUPowerPreference::HighPerformance;
    unsafe {
        wgpuInstanceRequestAdapter(gpu.instance, null(), call);
        wgpuInstanceRequestAdapter(gpu.instance, &options, call);
        options.backendType = WGPUBackendType::OpenGL;
        wgpuInstanceRequestAdapter(gpu.instance, &options, call);
    }
    assert_eq!(heard.take(), [""; 0]);
    wgpuInstanceProcessEvents(gpu.instance);
    assert_eq!(heard.take(), ["1 true", "1 true", "3 false"]);
}
