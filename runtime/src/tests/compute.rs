//! Buffers, dispatches, mapping, passes, queries.
use super::*;
use crate::query::*;

#[test]
fn a_dispatch_computes() {
    let gpu = Gpu::new();
    let module = gpu.module(ADD_ONE);
    let pipeline = gpu.pipeline(module);
    let input: Vec<u32> = (0..256).collect();
    let expected: Vec<u32> = (1..257).collect();
    assert_eq!(gpu.run(pipeline, &input, 4), expected);
    wgpuComputePipelineRelease(pipeline);
    wgpuShaderModuleRelease(module);
    gpu.expect_no_errors();
}

#[test]
fn adapters_describe_themselves() {
    let gpu = Gpu::new();
    unsafe {
        let mut a: WGPUAdapterInfo = std::mem::zeroed();
        assert_eq!(wgpuAdapterGetInfo(gpu.adapter, &mut a), WGPUStatus::Success);
        assert!(!text(a.device).is_empty() && a.backendType != 0 && a.subgroupMaxSize >= a.subgroupMinSize);
        wgpuAdapterInfoFreeMembers(a);
        let (mut of_adapter, mut of_device): (WGPULimits, WGPULimits) = (std::mem::zeroed(), std::mem::zeroed());
        wgpuAdapterGetLimits(gpu.adapter, &mut of_adapter);
        wgpuDeviceGetLimits(gpu.device, &mut of_device);
        assert!(of_adapter.maxComputeInvocationsPerWorkgroup >= of_device.maxComputeInvocationsPerWorkgroup);
        assert_eq!(
            of_device.maxStorageBuffersPerShaderStage,
            wgpu::Limits::default().max_storage_buffers_per_shader_stage
        );
        let mut features: WGPUSupportedFeatures = std::mem::zeroed();
        wgpuAdapterGetFeatures(gpu.adapter, &mut features);
        let all = array(features.features, features.featureCount);
        assert!(all.iter().all(|&f| wgpuAdapterHasFeature(gpu.adapter, f) != 0));
        assert!(all.contains(&WGPUFeatureName::CoreFeaturesAndLimits));
        wgpuSupportedFeaturesFreeMembers(features);
    }
    gpu.expect_no_errors();
}

#[test]
fn limits_are_asked_for() {
    let seen = Seen::default();
    let gpu = Gpu::new();
    unsafe {
        let mut limits: WGPULimits = std::mem::zeroed();
        wgpuAdapterGetLimits(gpu.adapter, &mut limits);
        limits.maxBufferSize += 1;
        let mut d: WGPUDeviceDescriptor = std::mem::zeroed();
        d.requiredLimits = &limits;
        unsafe extern "C" fn refused(status: Enum, d: *const Device, message: WGPUStringView, user: Data, _: Data) {
            assert!(d.is_null());
            super::seen(user).add(format!("{status} {}", text(message)));
        }
        let call = info(
            WGPUCallbackMode::AllowSpontaneous,
            Some(refused as unsafe extern "C" fn(_, _, _, _, _)),
            seen.pointer(),
        );
        wgpuAdapterRequestDevice(gpu.adapter, &d, call);
    }
    let seen = seen.take();
    assert!(seen.len() == 1 && seen[0].starts_with("3 ") && seen[0].contains("max_buffer_size"), "{seen:?}");
}

#[test]
fn mapped_at_creation_then_copied() {
    let gpu = Gpu::new();
    unsafe {
        let mut d = buffer_descriptor(WGPUBufferUsage::CopySrc, 64);
        d.mappedAtCreation = 1;
        let from = wgpuDeviceCreateBuffer(gpu.device, &d);
        assert_eq!(wgpuBufferGetMapState(from), WGPUBufferMapState::Mapped);
        assert_eq!((wgpuBufferGetSize(from), wgpuBufferGetUsage(from)), (64, 4));
        assert!(wgpuBufferGetMappedRange(from, 4, 8).is_null(), "unaligned");
        assert!(wgpuBufferGetMappedRange(from, 0, 68).is_null(), "too long");
        let numbers = [7u32, 8, 9, 10];
        assert_eq!(wgpuBufferWriteMappedRange(from, 16, numbers.as_ptr().cast(), 16), WGPUStatus::Success);
        let p = wgpuBufferGetMappedRange(from, 0, WGPU_WHOLE_MAP_SIZE).cast::<u32>();
        p.write(5);
        assert_eq!(wgpuBufferGetConstMappedRange(from, 16, 16).cast::<u32>().read(), 7);
        wgpuBufferUnmap(from);
        assert!(wgpuBufferGetMappedRange(from, 0, 16).is_null());
        let to = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 64);
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        wgpuCommandEncoderCopyBufferToBuffer(e, from, 0, to, 0, 64);
        wgpuCommandEncoderClearBuffer(e, to, 20, 4);
        let commands = wgpuCommandEncoderFinish(e, null());
        let index = wgpuQueueSubmitForIndex(gpu.queue, 1, &commands);
        assert_eq!(gpu.read(to, 8, index), [5, 0, 0, 0, 7, 0, 9, 10]);
        assert_eq!(gpu.read(to, 8, index), [5, 0, 0, 0, 7, 0, 9, 10], "mapped again");
        wgpuCommandBufferRelease(commands);
        wgpuCommandEncoderRelease(e);
        wgpuBufferRelease(to);
        wgpuBufferRelease(from);
    }
    gpu.expect_no_errors();
}

#[test]
fn timestamps_go_up() {
    let gpu = Gpu::with(&[WGPUFeatureName::TimestampQuery, WGPUNativeFeature::TimestampQueryInsidePasses], null());
    if wgpuDeviceHasFeature(gpu.device, WGPUNativeFeature::TimestampQueryInsidePasses) == 0 {
        return;
    }
    unsafe {
        let d =
            WGPUQuerySetDescriptor { nextInChain: null(), label: NO_TEXT, r#type: WGPUQueryType::Timestamp, count: 4 };
        let set = wgpuDeviceCreateQuerySet(gpu.device, &d);
        assert_eq!((wgpuQuerySetGetCount(set), wgpuQuerySetGetType(set)), (4, WGPUQueryType::Timestamp));
        let buffer = gpu.buffer(WGPUBufferUsage::QueryResolve | WGPUBufferUsage::CopySrc, 32);
        let back = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 32);
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        wgpuCommandEncoderPushDebugGroup(e, WGPUStringView::of("group"));
        let writes = WGPUPassTimestampWrites {
            nextInChain: null(),
            querySet: set,
            beginningOfPassWriteIndex: 0,
            endOfPassWriteIndex: 3,
        };
        let d =
            WGPUComputePassDescriptor { nextInChain: null(), label: WGPUStringView::of("p"), timestampWrites: &writes };
        let pass = wgpuCommandEncoderBeginComputePass(e, &d);
        wgpuComputePassEncoderWriteTimestamp(pass, set, 1);
        wgpuComputePassEncoderWriteTimestamp(pass, set, 2);
        wgpuComputePassEncoderEnd(pass);
        wgpuCommandEncoderPopDebugGroup(e);
        wgpuCommandEncoderResolveQuerySet(e, set, 0, 4, buffer, 0);
        wgpuCommandEncoderCopyBufferToBuffer(e, buffer, 0, back, 0, 32);
        let commands = wgpuCommandEncoderFinish(e, null());
        let index = wgpuQueueSubmitForIndex(gpu.queue, 1, &commands);
        let words = gpu.read(back, 8, index);
        let times: Vec<u64> = words.chunks(2).map(|w| u64::from(w[0]) | u64::from(w[1]) << 32).collect();
        assert!(times[0] > 0 && times.is_sorted(), "{times:?}");
        assert!(wgpuQueueGetTimestampPeriod(gpu.queue) > 0.0);
        wgpuQuerySetDestroy(set);
        wgpuQuerySetRelease(set);
        wgpuComputePassEncoderRelease(pass);
        wgpuCommandEncoderRelease(e);
        wgpuCommandBufferRelease(commands);
        wgpuBufferRelease(buffer);
        wgpuBufferRelease(back);
    }
    gpu.expect_no_errors();
}

#[test]
fn indirect_dispatch_and_dynamic_state() {
    let gpu = Gpu::new();
    let module = gpu.module(ADD_ONE);
    let pipeline = gpu.pipeline(module);
    let usage = WGPUBufferUsage::Storage | WGPUBufferUsage::CopyDst | WGPUBufferUsage::CopySrc;
    let buffer = gpu.buffer(usage, 512);
    let counts = gpu.buffer(WGPUBufferUsage::Indirect | WGPUBufferUsage::CopyDst, 16);
    let back = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 512);
    unsafe {
        let groups = [0u32, 2, 1, 1];
        wgpuQueueWriteBuffer(gpu.queue, counts, 0, groups.as_ptr().cast(), 16);
        let layout = wgpuComputePipelineGetBindGroupLayout(pipeline, 0);
        let group = gpu.bind(layout, buffer, WGPU_WHOLE_SIZE);
        let e = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        let pass = wgpuCommandEncoderBeginComputePass(e, null());
        wgpuComputePassEncoderPushDebugGroup(pass, WGPUStringView::of("g"));
        wgpuComputePassEncoderInsertDebugMarker(pass, WGPUStringView::of("m"));
        wgpuComputePassEncoderSetPipeline(pass, pipeline);
        wgpuComputePassEncoderSetBindGroup(pass, 0, group, 0, null());
        wgpuComputePassEncoderDispatchWorkgroupsIndirect(pass, counts, 4);
        wgpuComputePassEncoderPopDebugGroup(pass);
        wgpuComputePassEncoderEnd(pass);
        wgpuCommandEncoderCopyBufferToBuffer(e, buffer, 0, back, 0, 512);
        let commands = wgpuCommandEncoderFinish(e, null());
        let index = wgpuQueueSubmitForIndex(gpu.queue, 1, &commands);
        assert_eq!(gpu.read(back, 128, index), [1; 128]);
        wgpuBindGroupLayoutRelease(layout);
        wgpuBindGroupRelease(group);
        wgpuComputePassEncoderRelease(pass);
        wgpuCommandEncoderRelease(e);
        wgpuCommandBufferRelease(commands);
        [buffer, counts, back].iter().for_each(|&b| wgpuBufferRelease(b));
    }
    wgpuComputePipelineRelease(pipeline);
    wgpuShaderModuleRelease(module);
    gpu.expect_no_errors();
}
