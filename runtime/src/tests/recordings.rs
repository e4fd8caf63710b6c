//! Dispatches that run again.
use super::*;
use crate::recording::*;

/// A pass of its own encoder: a direct dispatch of 2 workgroups, then an indirect one of as many as `counts` says.
unsafe fn encode(
    gpu: &Gpu,
    pipeline: *const ComputePipeline,
    group: *const BindGroup,
    counts: *const Buffer,
) -> *const CommandEncoder {
    let encoder = wgpuDeviceCreateCommandEncoder(gpu.device, null());
    let pass = wgpuCommandEncoderBeginComputePass(encoder, null());
    wgpuComputePassEncoderSetPipeline(pass, pipeline);
    wgpuComputePassEncoderSetBindGroup(pass, 0, group, 0, null());
    wgpuComputePassEncoderDispatchWorkgroups(pass, 2, 1, 1);
    wgpuComputePassEncoderDispatchWorkgroupsIndirect(pass, counts, 0);
    wgpuComputePassEncoderEnd(pass);
    wgpuComputePassEncoderRelease(pass);
    encoder
}

unsafe fn submit(gpu: &Gpu, commands: *const CommandBuffer) -> u64 {
    let index = wgpuQueueSubmitForIndex(gpu.queue, 1, &commands);
    wgpuCommandBufferRelease(commands);
    index
}

unsafe fn contents(gpu: &Gpu, buffer: *const Buffer) -> Vec<u32> {
    let back = gpu.buffer(WGPUBufferUsage::MapRead | WGPUBufferUsage::CopyDst, 512);
    let encoder = wgpuDeviceCreateCommandEncoder(gpu.device, null());
    wgpuCommandEncoderCopyBufferToBuffer(encoder, buffer, 0, back, 0, 512);
    let index = submit(gpu, wgpuCommandEncoderFinish(encoder, null()));
    wgpuCommandEncoderRelease(encoder);
    let words = gpu.read(back, 128, index);
    wgpuBufferRelease(back);
    words
}

#[test]
fn dispatches_run_again() {
    // two devices: both keep their own
    let gpus = [Gpu::new(), Gpu::new()];
    for gpu in &gpus {
        let module = gpu.module(ADD_ONE);
        let pipeline = gpu.pipeline(module);
        let usage = WGPUBufferUsage::Storage | WGPUBufferUsage::CopyDst | WGPUBufferUsage::CopySrc;
        let buffer = gpu.buffer(usage, 512);
        let counts = gpu.buffer(WGPUBufferUsage::Indirect | WGPUBufferUsage::CopyDst, 12);
        unsafe {
            let groups = [1u32, 1, 1];
            wgpuQueueWriteBuffer(gpu.queue, counts, 0, groups.as_ptr().cast(), 12);
            let layout = wgpuComputePipelineGetBindGroupLayout(pipeline, 0);
            let group = gpu.bind(layout, buffer, WGPU_WHOLE_SIZE);
            let encoder = encode(gpu, pipeline, group, counts);
            let mut recording = null();
            let commands = corvidWgpuCommandEncoderFinishRecording(encoder, &mut recording);
            wgpuCommandEncoderRelease(encoder);
            assert!(!commands.is_null() && !recording.is_null());
            submit(gpu, commands);
            let expect = |first: u32, second: u32| [[first; 64], [second; 64]].concat();
            assert_eq!(contents(gpu, buffer), expect(2, 1));
            for _ in 0..20 {
                submit(gpu, corvidWgpuRecordingReplay(recording));
            }
            assert_eq!(contents(gpu, buffer), expect(42, 21));
            // the sizes of indirect dispatches are those of the moment
            wgpuQueueWriteBuffer(gpu.queue, counts, 0, [2u32, 1, 1].as_ptr().cast(), 12);
            let unused = corvidWgpuRecordingReplay(recording);
            submit(gpu, corvidWgpuRecordingReplay(recording));
            corvidWgpuRecordingRelease(recording); // while it runs
            assert_eq!(contents(gpu, buffer), expect(44, 23));
            wgpuCommandBufferRelease(unused);
            wgpuBindGroupLayoutRelease(layout);
            wgpuBindGroupRelease(group);
            wgpuBufferRelease(buffer);
            wgpuBufferRelease(counts);
        }
        wgpuComputePipelineRelease(pipeline);
        wgpuShaderModuleRelease(module);
        gpu.expect_no_errors();
    }
}

#[test]
fn what_is_wrong_is_told_once() {
    let gpu = Gpu::new();
    let module = gpu.module(ADD_ONE);
    let pipeline = gpu.pipeline(module);
    unsafe {
        let encoder = wgpuDeviceCreateCommandEncoder(gpu.device, null());
        let pass = wgpuCommandEncoderBeginComputePass(encoder, null());
        wgpuComputePassEncoderSetPipeline(pass, pipeline);
        wgpuComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1); // nothing is bound
        wgpuComputePassEncoderEnd(pass);
        wgpuComputePassEncoderRelease(pass);
        let mut recording = null();
        let commands = corvidWgpuCommandEncoderFinishRecording(encoder, &mut recording);
        assert_eq!(gpu.seen.take().len(), 1);
        wgpuCommandBufferRelease(commands);
        if !recording.is_null() {
            corvidWgpuRecordingRelease(recording);
        }
        recording = std::ptr::dangling();
        assert!(corvidWgpuCommandEncoderFinishRecording(encoder, &mut recording).is_null());
        assert!(recording.is_null() && gpu.seen.take()[0].contains("finished"));
        wgpuCommandEncoderRelease(encoder);
    }
    wgpuComputePipelineRelease(pipeline);
    wgpuShaderModuleRelease(module);
    gpu.expect_no_errors();
}
