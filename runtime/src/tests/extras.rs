//! What corvid_wgpu.h adds, and looking functions up.
use super::*;
use crate::corvid::*;

fn options(kind: Enum) -> WGPUChainedStruct {
    WGPUChainedStruct { next: null(), sType: kind }
}

#[test]
fn device_options_are_taken() {
    let o = CorvidWgpuDeviceOptions {
        chain: options(CorvidWgpuSType::DeviceOptions),
        experimentalFeatures: 1,
        memoryHint: CorvidWgpuMemoryHint::Manual,
        blockBytesMin: 1 << 20,
        blockBytesMax: 4 << 20,
        compileThreads: 2,
    };
    let gpu = Gpu::with(&[WGPUNativeFeature::CooperativeMatrix], &o.chain);
    let buffer = gpu.buffer(WGPUBufferUsage::Storage, 1 << 16);
    unsafe {
        let mut memory: CorvidWgpuMemory = std::mem::zeroed();
        assert_eq!(corvidWgpuDeviceGetMemory(gpu.device, &mut memory), WGPUStatus::Success);
        assert!(memory.allocatedBytes >= 1 << 16 && memory.reservedBytes >= memory.allocatedBytes);
        assert!(memory.heapCount > 0 && memory.heaps[0].bytes > 0);
    }
    wgpuBufferRelease(buffer);
    gpu.expect_no_errors();
}

#[test]
fn coherent_buffers_compile() {
    let gpu = Gpu::with(&[WGPUNativeFeature::MemoryDecorationCoherent], null());
    let module = gpu.module(&ADD_ONE.replace("@binding(0)", "@binding(0) @coherent"));
    if wgpuDeviceHasFeature(gpu.device, WGPUNativeFeature::MemoryDecorationCoherent) == 0 {
        assert_eq!(gpu.seen.take().len(), 1, "without the feature it is an error");
    } else {
        let p = gpu.pipeline(module);
        assert_eq!(gpu.run(p, &[1; 64], 1), [2; 64]);
        wgpuComputePipelineRelease(p);
    }
    wgpuShaderModuleRelease(module);
    gpu.expect_no_errors();
}

#[test]
fn shapes_are_listed_where_the_feature_is() {
    let gpu = Gpu::new();
    unsafe {
        let count = corvidWgpuAdapterGetCooperativeMatrices(gpu.adapter, 0, null_mut());
        let has = wgpuAdapterHasFeature(gpu.adapter, WGPUNativeFeature::CooperativeMatrix) != 0;
        assert!(!has || count > 0);
        let mut all = vec![std::mem::zeroed::<CorvidWgpuCooperativeMatrix>(); count];
        assert_eq!(corvidWgpuAdapterGetCooperativeMatrices(gpu.adapter, count, all.as_mut_ptr()), count);
        assert!(all.iter().all(|s| s.m > 0 && s.n > 0 && s.k > 0));
    }
}

#[test]
fn runtime_checks_are_chosen() {
    let gpu = Gpu::new();
    let code = "@group(0) @binding(0) var<storage, read_write> b: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) { b[i.x] = b[i.x] / b[0]; }";
    for checks in [CorvidWgpuRuntimeChecks::All, CorvidWgpuRuntimeChecks::IntegerDivision] {
        let o = CorvidWgpuShaderModuleOptions {
            chain: options(CorvidWgpuSType::ShaderModuleOptions),
            runtimeChecks: checks.into(),
        };
        let mut source = wgsl_source(code);
        source.chain.next = &o.chain;
        let d = WGPUShaderModuleDescriptor { nextInChain: &source.chain, label: NO_TEXT };
        let modules = unsafe {
            [wgpuDeviceCreateShaderModule(gpu.device, &d), wgpuDeviceCreateShaderModuleTrusted(gpu.device, &d, 0)]
        };
        for m in modules {
            let p = gpu.pipeline(m);
            // WGSL: x / 0 is x, if the check is in
            assert_eq!(gpu.run(p, &[0; 64], 1), [0; 64]);
            wgpuComputePipelineRelease(p);
            wgpuShaderModuleRelease(m);
        }
    }
    gpu.expect_no_errors();
}

/// SPIR-V of an empty compute shader with local size 1.
fn empty_spirv() -> Vec<u32> {
    let name = [0x6E69_616D, 0];
    let mut words = vec![0x0723_0203, 0x0001_0300, 0, 5, 0];
    words.extend([2 << 16 | 17, 1]); // OpCapability Shader
    words.extend([3 << 16 | 14, 0, 1]); // OpMemoryModel Logical GLSL450
    words.extend([5 << 16 | 15, 5, 3, name[0], name[1]]); // OpEntryPoint GLCompute %3 "main"
    words.extend([6 << 16 | 16, 3, 17, 1, 1, 1]); // OpExecutionMode LocalSize
    words.extend([2 << 16 | 19, 1, 3 << 16 | 33, 2, 1]); // void, fn() -> void
    words.extend([5 << 16 | 54, 1, 3, 0, 2, 2 << 16 | 248, 4, 1 << 16 | 253, 1 << 16 | 56]);
    words
}

#[test]
fn spirv_passes_through() {
    let o = CorvidWgpuDeviceOptions {
        chain: options(CorvidWgpuSType::DeviceOptions),
        experimentalFeatures: 1,
        memoryHint: 0,
        blockBytesMin: 0,
        blockBytesMax: 0,
        compileThreads: 0,
    };
    let gpu = Gpu::with(&[CorvidWgpuFeature::PassthroughShaders], &o.chain);
    let words = empty_spirv();
    let entry = CorvidWgpuPassthroughEntryPoint { name: WGPUStringView::of("main"), workgroupSize: [1, 1, 1] };
    let mut d: CorvidWgpuPassthroughDescriptor = unsafe { std::mem::zeroed() };
    (d.label, d.msl, d.hlsl) = (NO_TEXT, NO_TEXT, NO_TEXT);
    (d.entryPointCount, d.entryPoints) = (1, &entry);
    unsafe {
        assert!(corvidWgpuDeviceCreateShaderModulePassthrough(gpu.device, &d).is_null());
        assert_eq!(gpu.seen.take().len(), 1, "no code, or no feature");
        if wgpuDeviceHasFeature(gpu.device, CorvidWgpuFeature::PassthroughShaders) == 0 {
            return;
        }
        (d.spirvWords, d.spirv) = (words.len(), words.as_ptr());
        let module = corvidWgpuDeviceCreateShaderModulePassthrough(gpu.device, &d);
        let mut ld: WGPUPipelineLayoutDescriptor = std::mem::zeroed();
        ld.label = NO_TEXT;
        let layout = wgpuDeviceCreatePipelineLayout(gpu.device, &ld);
        let mut pd = pipeline_descriptor(module);
        pd.layout = layout;
        let p = wgpuDeviceCreateComputePipeline(gpu.device, &pd);
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        let pass = wgpuCommandEncoderBeginComputePass(e, null());
        wgpuComputePassEncoderSetPipeline(pass, p);
        wgpuComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1);
        wgpuComputePassEncoderEnd(pass);
        let commands = wgpuCommandEncoderFinish(e, null());
        wgpuQueueSubmit(gpu.queue, 1, &commands);
        wgpuDevicePoll(gpu.device, 1, null());
        wgpuCommandBufferRelease(commands);
        wgpuComputePassEncoderRelease(pass);
        wgpuCommandEncoderRelease(e);
        wgpuComputePipelineRelease(p);
        wgpuPipelineLayoutRelease(layout);
        wgpuShaderModuleRelease(module);
    }
    gpu.expect_no_errors();
}

#[test]
fn instance_flags_are_taken() {
    let o = CorvidWgpuInstanceOptions {
        chain: options(CorvidWgpuSType::InstanceOptions),
        flags: (WGPUInstanceFlag::Validation | WGPUInstanceFlag::Debug | WGPUInstanceFlag::GPUBasedValidation).into(),
        creationBudgetPercent: 90,
        lossBudgetPercent: 0,
    };
    let d = WGPUInstanceDescriptor {
        nextInChain: &o.chain,
        requiredFeatureCount: 0,
        requiredFeatures: null(),
        requiredLimits: null(),
    };
    let instance = unsafe { wgpuCreateInstance(&d) };
    assert!(!instance.is_null());
    wgpuInstanceRelease(instance);
}

#[test]
fn names_and_versions() {
    let name = unsafe { std::ffi::CStr::from_ptr(corvidWgpuGetName()) }.to_str().unwrap();
    assert!(name.starts_with("corvid-wgpu ") && name.contains("wgpu 30.0.1"), "{name}");
    assert_eq!((corvidWgpuGetVersion(), wgpuGetVersion()), (0x0000_0100, 0x1E00_0100));
    let lock = include_str!("../../Cargo.lock");
    assert!(lock.contains("name = \"wgpu\"\nversion = \"30.0.1\""));
    unsafe {
        let found = crate::exports::wgpuGetProcAddress(WGPUStringView::of("wgpuDevicePoll"));
        assert_eq!(found.unwrap() as *const (), wgpuDevicePoll as *const ());
        assert!(crate::exports::wgpuGetProcAddress(WGPUStringView::of("wgpuNothing")).is_none());
    }
}

/// Every exported function of the sources can be looked up.
#[test]
fn the_list_of_exports_is_complete() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
        let source = std::fs::read_to_string(file).unwrap();
        for line in source.lines().filter(|l| l.starts_with("pub ") && l.contains("extern \"C\" fn ")) {
            names.extend(line.split("fn ").nth(1).and_then(|l| l.split(['(', '<']).next()).map(String::from));
        }
        for call in source.split("reference_counting!(").skip(1).chain(source.split("child!(").skip(1)) {
            let words = call.split(");").next().unwrap().split([',', ' ', '\n']);
            let rest =
                |w: &'static str, text: &str| text.strip_prefix(w).is_some_and(|r| r.starts_with(char::is_uppercase));
            names.extend(words.filter(|w| rest("wgpu", w) || rest("corvidWgpu", w)).map(String::from));
        }
    }
    names.sort();
    names.dedup();
    let mut listed: Vec<String> = crate::exports::EXPORTS.iter().map(|e| e.0.to_string()).collect();
    listed.sort();
    assert_eq!(names, listed);
}
