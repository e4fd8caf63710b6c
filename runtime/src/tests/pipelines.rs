//! Pipelines: constants, layouts, asynchronous creation, caches.
use super::*;
use crate::corvid::*;
use crate::pipeline_cache::*;

unsafe extern "C" fn on_pipeline(
    status: Enum,
    p: *const ComputePipeline,
    message: WGPUStringView,
    user: Data,
    to: Data,
) {
    seen(user).add(format!("{status} {}", text(message)));
    *to.cast::<*const ComputePipeline>() = p;
}

fn create_async(
    gpu: &Gpu,
    module: *const ShaderModule,
    mode: Enum,
    heard: &Seen,
    to: &mut *const ComputePipeline,
) -> WGPUFuture {
    let mut call = info(mode, Some(on_pipeline as unsafe extern "C" fn(_, _, _, _, _)), heard.pointer());
    call.userdata2 = std::ptr::from_mut(to).cast();
    unsafe { wgpuDeviceCreateComputePipelineAsync(gpu.device, &pipeline_descriptor(module), call) }
}

/// Each is another shader.
fn adding(n: u32) -> String {
    ADD_ONE.replace("1u", &format!("{n}u"))
}

#[test]
fn many_pipelines_at_once() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    let modules: Vec<_> = (0..12).map(|n| gpu.module(&adding(n))).collect();
    let mut pipelines = vec![null(); modules.len()];
    let futures: Vec<_> = modules
        .iter()
        .zip(&mut pipelines)
        .map(|(&m, to)| create_async(&gpu, m, WGPUCallbackMode::WaitAnyOnly, &heard, to))
        .collect();
    let mut infos: Vec<_> = futures.iter().map(|&future| WGPUFutureWaitInfo { future, completed: 0 }).collect();
    while infos.iter().any(|f| f.completed == 0) {
        let status = unsafe { wgpuInstanceWaitAny(gpu.instance, infos.len(), infos.as_mut_ptr(), u64::MAX) };
        assert_eq!(status, WGPUWaitStatus::Success);
    }
    assert_eq!(heard.take(), ["1 "; 12]);
    for (n, &p) in pipelines.iter().enumerate() {
        assert_eq!(gpu.run(p, &[5; 64], 1), [5 + n as u32; 64]);
        wgpuComputePipelineRelease(p);
    }
    modules.iter().for_each(|&m| wgpuShaderModuleRelease(m));
    gpu.expect_no_errors();
}

#[test]
fn several_threads_create_at_once() {
    let gpu = Gpu::new();
    let device = gpu.device as usize;
    let threads: Vec<_> = (0..4u32)
        .map(|n| {
            std::thread::spawn(move || unsafe {
                let code = adding(100 + n);
                let source = wgsl_source(&code);
                let d = WGPUShaderModuleDescriptor { nextInChain: &source.chain, label: NO_TEXT };
                let module = wgpuDeviceCreateShaderModule(device as *const Device, &d);
                let p = wgpuDeviceCreateComputePipeline(device as *const Device, &pipeline_descriptor(module));
                wgpuShaderModuleRelease(module);
                p as usize
            })
        })
        .collect();
    for (n, thread) in threads.into_iter().enumerate() {
        let p = thread.join().unwrap() as *const ComputePipeline;
        assert_eq!(gpu.run(p, &[0; 64], 1), [100 + n as u32; 64]);
        wgpuComputePipelineRelease(p);
    }
    gpu.expect_no_errors();
}

#[test]
fn async_errors_go_to_the_callback() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    let module = gpu.module(&ADD_ONE.replace("main", "other"));
    let mut p = null();
    create_async(&gpu, module, WGPUCallbackMode::AllowProcessEvents, &heard, &mut p);
    create_async(&gpu, null(), WGPUCallbackMode::AllowProcessEvents, &heard, &mut p);
    let mut all = Vec::new();
    while all.len() < 2 {
        wgpuInstanceProcessEvents(gpu.instance);
        all.extend(heard.take());
    }
    assert!(all.iter().all(|s| s.starts_with("3 ")) && p.is_null(), "{all:?}");
    gpu.expect_no_errors();
    wgpuShaderModuleRelease(module);
}

#[test]
fn a_spontaneous_pipeline_needs_no_call() {
    let gpu = Gpu::new();
    let heard = Seen::default();
    let module = gpu.module(&adding(77));
    let mut p = null();
    create_async(&gpu, module, WGPUCallbackMode::AllowSpontaneous, &heard, &mut p);
    let mut all = heard.take();
    let begun = std::time::Instant::now();
    while all.is_empty() && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(1));
        all = heard.take();
    }
    assert_eq!(all, ["1 "]);
    wgpuShaderModuleRelease(module);
    // written by the thread before the lock of `heard` was released
    wgpuComputePipelineRelease(unsafe { std::ptr::from_ref(&p).read_volatile() });
}

#[test]
fn constants_are_set() {
    let gpu = Gpu::new();
    let module = gpu.module(&format!("override by: u32 = 1u;\n{}", ADD_ONE.replace("1u", "by")));
    let constant = WGPUConstantEntry { nextInChain: null(), key: WGPUStringView::of("by"), value: 9.0 };
    let mut d = pipeline_descriptor(module);
    (d.compute.constantCount, d.compute.constants) = (1, &constant);
    let p = unsafe { wgpuDeviceCreateComputePipeline(gpu.device, &d) };
    assert_eq!(gpu.run(p, &[1; 64], 1), [10; 64]);
    wgpuComputePipelineRelease(p);
    wgpuShaderModuleRelease(module);
    gpu.expect_no_errors();
}

fn cache(gpu: &Gpu, bytes: &[u8], fallback: u32) -> *const PipelineCache {
    let d = CorvidWgpuPipelineCacheDescriptor {
        nextInChain: null(),
        label: NO_TEXT,
        data: bytes.as_ptr(),
        size: bytes.len(),
        fallback,
    };
    unsafe { corvidWgpuDeviceCreatePipelineCache(gpu.device, &d) }
}

unsafe fn cached_pipeline(
    gpu: &Gpu,
    module: *const ShaderModule,
    cache: *const PipelineCache,
) -> *const ComputePipeline {
    let options = CorvidWgpuComputePipelineOptions {
        chain: WGPUChainedStruct { next: null(), sType: CorvidWgpuSType::ComputePipelineOptions },
        cache,
        zeroInitializeWorkgroupMemory: WGPUOptionalBool::False,
    };
    let mut d = pipeline_descriptor(module);
    d.nextInChain = &options.chain;
    wgpuDeviceCreateComputePipeline(gpu.device, &d)
}

#[test]
fn caches_go_round() {
    let gpu = Gpu::with(&[WGPUNativeFeature::PipelineCache], null());
    if wgpuDeviceHasFeature(gpu.device, WGPUNativeFeature::PipelineCache) == 0 {
        assert!(cache(&gpu, &[], 1).is_null(), "without the feature it is an error");
        assert_eq!(gpu.seen.take().len(), 1);
        return;
    }
    let module = gpu.module(ADD_ONE);
    unsafe {
        let first = cache(&gpu, &[], 0);
        let p = cached_pipeline(&gpu, module, first);
        let size = corvidWgpuPipelineCacheGetData(first, 0, null_mut());
        assert!(size > 0, "at least wgpu's header");
        let mut bytes = vec![0; size];
        assert_eq!(corvidWgpuPipelineCacheGetData(first, size, bytes.as_mut_ptr()), size);
        let second = cache(&gpu, &bytes, 0);
        assert!(!second.is_null(), "{:?}", gpu.seen.take());
        let q = cached_pipeline(&gpu, module, second);
        assert_eq!(gpu.run(q, &[3; 64], 1), [4; 64]);
        gpu.expect_no_errors();
        bytes[0] ^= 1;
        assert!(cache(&gpu, &bytes, 0).is_null());
        assert_eq!(gpu.seen.take().len(), 1, "damaged data without fallback");
        let empty = cache(&gpu, &bytes, 1);
        assert!(!empty.is_null());
        gpu.expect_no_errors();
        [first, second, empty].iter().for_each(|&c| corvidWgpuPipelineCacheRelease(c));
        [p, q].iter().for_each(|&p| wgpuComputePipelineRelease(p));
        let mut key = [0; 64];
        let length = corvidWgpuAdapterGetPipelineCacheKey(gpu.adapter, 64, key.as_mut_ptr());
        let key: String = key[..length].iter().map(|&c| c as u8 as char).collect();
        assert!(key.starts_with("wgpu_pipeline_cache_"), "{key}");
    }
    wgpuShaderModuleRelease(module);
}
