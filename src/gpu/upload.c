/* upload.c - host memory that the device copies from: mapped while the CPU fills it, lent to the device for copies, and
 * mapped again. Two of them in turn keep both busy. */
#include <stdlib.h>

#include "gpu/native.h"

struct gpu_upload {
    struct gpu *gpu;
    WGPUBuffer buffer;
    uint64_t bytes;
    WGPUSubmissionIndex submission; /* the copies out of it */
    bool lent;                      /* mapping was asked for behind those copies */
    volatile bool done, ok;         /* set by the map callback */
};

struct gpu_upload *gpu_upload_create(struct gpu *gpu, uint64_t bytes, struct error *err)
{
    struct gpu_upload *u = calloc(1, sizeof *u);
    if (!u) return fail_memory(err, "an upload buffer"), NULL;
    WGPUBufferDescriptor d = {.label = view("upload"),
                              .usage = WGPUBufferUsage_MapWrite | WGPUBufferUsage_CopySrc,
                              .size = bytes,
                              .mappedAtCreation = true};
    *u = (struct gpu_upload){.gpu = gpu, .bytes = bytes, .buffer = gpu->w.DeviceCreateBuffer(gpu->device, &d)};
    if (gpu_check(gpu, err) && u->buffer) return u;
    gpu_upload_destroy(u);
    return NULL;
}

static void on_mapped(WGPUMapAsyncStatus status, WGPUStringView message, void *user, void *unused)
{
    (void)message, (void)unused;
    struct gpu_upload *u = user;
    u->ok = status == WGPUMapAsyncStatus_Success;
    u->done = true;
}

static void take_back(struct gpu_upload *u)
{
    while (u->lent && !u->done && !u->gpu->lost) u->gpu->w.DevicePoll(u->gpu->device, true, &u->submission);
}

void *gpu_upload_begin(struct gpu_upload *u, struct error *err)
{
    take_back(u);
    bool ok = gpu_check(u->gpu, err) && (!u->lent || (u->done && u->ok));
    void *memory = ok ? u->gpu->w.BufferGetMappedRange(u->buffer, 0, (size_t)u->bytes) : NULL;
    u->lent = false;
    if (!memory && gpu_check(u->gpu, err)) fail(err, ERR_DEVICE, "memory for uploads cannot be mapped");
    return memory;
}

bool gpu_upload_end(struct gpu_upload *u, const struct gpu_upload_copy *copies, size_t n, struct error *err)
{
    struct gpu *gpu = u->gpu;
    const struct webgpu *w = &gpu->w;
    w->BufferUnmap(u->buffer);
    gpu_begin(gpu, "upload");
    for (size_t i = 0; i < n; i++)
        w->CommandEncoderCopyBufferToBuffer(gpu_encoder(gpu), u->buffer, copies[i].from, copies[i].to.buffer->handle,
                                            copies[i].to.at, copies[i].to.bytes);
    if (!gpu_submit(gpu, err)) return false;
    u->submission = gpu->last_submission;
    u->done = u->ok = false;
    u->lent = true;
    WGPUBufferMapCallbackInfo callback = {
        .mode = WGPUCallbackMode_AllowProcessEvents, .callback = on_mapped, .userdata1 = u};
    w->BufferMapAsync(u->buffer, WGPUMapMode_Write, 0, (size_t)u->bytes, callback);
    return gpu_check(gpu, err);
}

void gpu_upload_destroy(struct gpu_upload *u)
{
    if (!u) return;
    struct gpu *gpu = u->gpu;
    take_back(u);
    if (u->buffer) {
        gpu->w.BufferDestroy(u->buffer);
        gpu->w.BufferRelease(u->buffer);
    }
    if (u->lent && !u->done) gpu->w.InstanceProcessEvents(gpu->instance); /* of a lost device: the mapping has failed */
    if (!u->lent || u->done) free(u);
}
