/* pass.c - recording, submitting, lists, reading back. Dispatches that follow each other share one compute pass. */
#include <stdlib.h>

#include "base/trace.h"
#include "gpu/native.h"

static void end_pass(struct gpu *gpu)
{
    if (!gpu->pass) return;
    gpu->w.ComputePassEncoderEnd(gpu->pass);
    gpu->w.ComputePassEncoderRelease(gpu->pass);
    gpu->pass = NULL;
}

WGPUCommandEncoder gpu_encoder(struct gpu *gpu)
{
    WGPUCommandEncoderDescriptor d = {.label = view(gpu->label)};
    if (!gpu->encoder) gpu->encoder = gpu->w.DeviceCreateCommandEncoder(gpu->device, &d);
    return gpu->encoder;
}

static void submit_commands(struct gpu *gpu)
{
    gpu->last_submission = gpu->w.QueueSubmitForIndex(gpu->queue, gpu->n_commands, gpu->commands);
    for (size_t i = 0; i < gpu->n_commands; i++) gpu->w.CommandBufferRelease(gpu->commands[i]);
    gpu->n_commands = 0;
}

static void add_commands(struct gpu *gpu, WGPUCommandBuffer commands)
{
    if (gpu->n_commands == GPU_MAX_COMMANDS) submit_commands(gpu);
    if (commands) gpu->commands[gpu->n_commands++] = commands;
    else gpu->incomplete = true;
}

/* the encoder's commands to the others; recording: where what it dispatched is to be kept, or NULL */
static void end_encoder(struct gpu *gpu, CorvidWgpuRecording *recording)
{
    end_pass(gpu);
    if (!gpu->encoder) return;
    WGPUCommandBufferDescriptor d = {.label = view(gpu->label)};
    WGPUCommandBuffer commands = recording ? gpu->w.CommandEncoderFinishRecording(gpu->encoder, recording)
                                           : gpu->w.CommandEncoderFinish(gpu->encoder, &d);
    gpu->w.CommandEncoderRelease(gpu->encoder);
    gpu->encoder = NULL;
    add_commands(gpu, commands);
}

void gpu_begin(struct gpu *gpu, const char *label)
{
    gpu->label = label;
    gpu->encoding = trace_begin("encode");
    gpu->incomplete = false;
    gpu->pass = NULL;
    if (gpu->profile) profile_begin(gpu);
}

void gpu_dispatch(struct gpu *gpu, const struct gpu_kernel *kernel, const struct gpu_bindings *bindings,
                  const uint32_t groups[3])
{
    const struct webgpu *w = &gpu->w;
    if (gpu->profile && profile_splits_passes(gpu)) end_pass(gpu);
    if (!gpu->pass) {
        WGPUComputePassDescriptor d = {.label = view(gpu->label)};
        WGPUPassTimestampWrites writes;
        if (gpu->profile) profile_begin_pass(gpu, &d, &writes);
        gpu->pass = w->CommandEncoderBeginComputePass(gpu_encoder(gpu), &d);
        gpu->kernel = NULL;
    }
    if (gpu->kernel != kernel) w->ComputePassEncoderSetPipeline(gpu->pass, kernel->pipeline);
    gpu->kernel = kernel;
    w->ComputePassEncoderSetBindGroup(gpu->pass, 0, bindings->handle, 0, NULL);
    w->ComputePassEncoderDispatchWorkgroups(gpu->pass, groups[0], groups[1], groups[2]);
    if (gpu->profile) profile_dispatched(gpu, kernel, groups);
}

void gpu_copy(struct gpu *gpu, struct gpu_range from, struct gpu_range to)
{
    end_pass(gpu);
    gpu->w.CommandEncoderCopyBufferToBuffer(gpu_encoder(gpu), from.buffer->handle, from.at, to.buffer->handle, to.at,
                                            from.bytes);
}

void gpu_clear(struct gpu *gpu, struct gpu_range range)
{
    end_pass(gpu);
    gpu->w.CommandEncoderClearBuffer(gpu_encoder(gpu), range.buffer->handle, range.at, range.bytes);
}

/* ---- lists ---- */

void gpu_list_begin(struct gpu *gpu)
{
    gpu->in_list = gpu->w.CommandEncoderFinishRecording && !gpu->profile && !gpu_capture_is_wanted();
    if (gpu->in_list) end_encoder(gpu, NULL);
}

struct gpu_list *gpu_list_end(struct gpu *gpu)
{
    if (!gpu->in_list) return NULL;
    gpu->in_list = false;
    struct gpu_list *list = calloc(1, sizeof *list);
    if (!list) return NULL;
    list->gpu = gpu;
    end_encoder(gpu, &list->recording);
    if (list->recording) return list;
    free(list);
    return NULL;
}

void gpu_list_run(struct gpu *gpu, const struct gpu_list *list)
{
    end_encoder(gpu, NULL);
    add_commands(gpu, gpu->w.RecordingReplay(list->recording));
}

void gpu_list_destroy(struct gpu_list *list)
{
    if (!list) return;
    list->gpu->w.RecordingRelease(list->recording);
    free(list);
}

/* ---- reading back ---- */

static bool ticket_reserve(struct gpu *gpu, struct gpu_ticket *t, uint64_t bytes, struct error *err)
{
    if (t->capacity >= bytes) return true;
    if (t->buffer) gpu->w.BufferRelease(t->buffer);
    uint64_t capacity = 4096;
    while (capacity < bytes) capacity *= 2;
    WGPUBufferDescriptor d = {
        .label = view("readback"), .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst, .size = capacity};
    t->buffer = gpu->w.DeviceCreateBuffer(gpu->device, &d);
    t->capacity = t->buffer ? capacity : 0;
    return gpu_check(gpu, err) && t->buffer;
}

bool gpu_read(struct gpu *gpu, struct gpu_range from, unsigned *ticket, struct error *err)
{
    unsigned i = 0;
    while (i < GPU_TICKETS && gpu->tickets[i].open) i++;
    if (i == GPU_TICKETS) return fail(err, ERR_LIMIT, "more than %d reads of GPU memory are open", GPU_TICKETS);
    struct gpu_ticket *t = &gpu->tickets[i];
    if (!ticket_reserve(gpu, t, from.bytes, err)) return false;
    end_pass(gpu);
    gpu->w.CommandEncoderCopyBufferToBuffer(gpu_encoder(gpu), from.buffer->handle, from.at, t->buffer, 0, from.bytes);
    t->bytes = from.bytes;
    t->open = true;
    t->submitted = t->done = t->ok = false;
    *ticket = i;
    return true;
}

static void on_mapped(WGPUMapAsyncStatus status, WGPUStringView message, void *user, void *unused)
{
    (void)message, (void)unused;
    struct gpu_ticket *t = user;
    t->ok = status == WGPUMapAsyncStatus_Success;
    t->done = true;
}

bool gpu_submit(struct gpu *gpu, struct error *err)
{
    const struct webgpu *w = &gpu->w;
    end_pass(gpu);
    if (gpu->profile) profile_resolve(gpu);
    trace_end(gpu->encoding, gpu->label);
    const struct trace_zone zone = trace_begin("submit");
    end_encoder(gpu, NULL);
    bool ok = gpu_check(gpu, err) && !gpu->incomplete;
    if (ok) submit_commands(gpu);
    for (; gpu->n_commands; gpu->n_commands--) w->CommandBufferRelease(gpu->commands[gpu->n_commands - 1]);
    for (int i = 0; ok && i < GPU_TICKETS; i++) {
        struct gpu_ticket *t = &gpu->tickets[i];
        if (!t->open || t->submitted) continue;
        t->submitted = true;
        t->submission = gpu->last_submission;
        WGPUBufferMapCallbackInfo callback = {
            .mode = WGPUCallbackMode_AllowProcessEvents, .callback = on_mapped, .userdata1 = t};
        w->BufferMapAsync(t->buffer, WGPUMapMode_Read, 0, (size_t)t->bytes, callback);
    }
    if (gpu->profile) profile_submitted(gpu, ok);
    trace_end(zone, gpu->label);
    return ok && gpu_check(gpu, err);
}

bool gpu_wait(struct gpu *gpu, unsigned ticket, const void **data, struct error *err)
{
    struct gpu_ticket *t = &gpu->tickets[ticket];
    if (!t->submitted) return gpu_check(gpu, err) ? fail(err, ERR_DEVICE, "a read that was not submitted") : false;
    const struct trace_zone zone = trace_begin("wait");
    while (!t->done && !gpu->lost) gpu->w.DevicePoll(gpu->device, true, &t->submission);
    trace_end(zone, NULL);
    if (gpu->profile) profile_collect(gpu);
    if (!gpu_check(gpu, err)) return false;
    if (!t->ok) return fail(err, ERR_DEVICE, "GPU memory cannot be read back");
    *data = gpu->w.BufferGetConstMappedRange(t->buffer, 0, (size_t)t->bytes);
    return *data ? true : fail(err, ERR_DEVICE, "GPU memory cannot be mapped");
}

void gpu_release(struct gpu *gpu, unsigned ticket)
{
    struct gpu_ticket *t = &gpu->tickets[ticket];
    while (t->submitted && !t->done && !gpu->lost) gpu->w.DevicePoll(gpu->device, true, &t->submission);
    if (t->done && t->ok) gpu->w.BufferUnmap(t->buffer);
    t->open = t->submitted = false;
}

bool gpu_finish(struct gpu *gpu, struct error *err)
{
    const struct trace_zone zone = trace_begin("wait");
    gpu->w.DevicePoll(gpu->device, true, NULL);
    trace_end(zone, NULL);
    return gpu_check(gpu, err);
}
