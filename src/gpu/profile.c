/* profile.c - when each dispatch ran, on the CPU's clock, while a trace records.
 *
 * Where the device writes timestamps inside of passes, one is written at the start of a pass and one after each
 * dispatch: a dispatch lasts from the one before to its own, so that the times of a pass add up to the whole. Elsewhere
 * each dispatch gets a pass of its own with a timestamp at both ends.
 *
 * A submission's timestamps go to a slot: queries, the buffer they are resolved to, and one that the CPU reads. The slot
 * is handed to the trace when its buffer is mapped, which a later poll brings about.
 *
 * GPU ticks become nanoseconds of clock_ns by an offset. A small submission whose ticks are b and e, handed over at CPU
 * time t0 and seen done at t1, shows that  t0 - b <= offset <= t1 - e;  the narrowest range that several of them leave
 * is halved. It is measured again once a second while nothing is under way, since the two clocks drift. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "gpu/native.h"

enum {
    MAX_QUERIES = 4096, /* WebGPU's limit for a set */
    N_SLOTS = GPU_TICKETS + 2,
    CALIBRATIONS = 8,
    TICK_BYTES = 8,
};
static const uint64_t recalibrate_ns = 1000000000;

struct timed {
    struct trace_dispatch dispatch;
    uint32_t begin, end; /* queries */
};

struct slot {
    WGPUQuerySet queries;
    WGPUBuffer resolved, readable;
    struct timed *timed; /* [MAX_QUERIES] */
    const char *label;
    uint32_t n_queries, n_timed;
    WGPUSubmissionIndex submission;
    bool submitted;
    volatile bool done, ok; /* set by the map callback */
};

struct profile {
    struct slot slots[N_SLOTS];
    struct slot *now;              /* of the recording; NULL: it is not timed */
    struct trace_dispatch *events; /* [MAX_QUERIES], on their way to the trace */
    struct gpu_work next;
    bool pass_is_timed; /* there were queries left when it began */
    bool off;           /* the device cannot do it after all */
    double period_ns;   /* of a tick */
    uint64_t origin;    /* the first tick seen: a double does not hold a tick to the nanosecond */
    int64_t offset_ns;
    uint64_t calibrated_at;
};

static bool has_timestamps(const struct gpu *gpu)
{
    const struct webgpu *w = &gpu->w;
    return gpu->info.timestamps && w->DeviceCreateQuerySet && w->QuerySetRelease && w->CommandEncoderResolveQuerySet &&
           w->QueueGetTimestampPeriod;
}

/* ---- slots ---- */

static void slot_free(const struct webgpu *w, struct slot *s)
{
    if (s->queries) w->QuerySetRelease(s->queries);
    if (s->resolved) w->BufferRelease(s->resolved);
    if (s->readable) w->BufferRelease(s->readable);
    free(s->timed);
    *s = (struct slot){0};
}

/* Makes what it has not yet. */
static bool slot_make(struct gpu *gpu, struct slot *s)
{
    const struct webgpu *w = &gpu->w;
    if (s->readable) return true;
    WGPUQuerySetDescriptor q = {.label = view("timestamps"), .type = WGPUQueryType_Timestamp, .count = MAX_QUERIES};
    WGPUBufferDescriptor resolved = {.label = view("timestamps"),
                                     .usage = WGPUBufferUsage_QueryResolve | WGPUBufferUsage_CopySrc,
                                     .size = MAX_QUERIES * TICK_BYTES};
    WGPUBufferDescriptor readable = {.label = view("timestamps"),
                                     .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst,
                                     .size = MAX_QUERIES * TICK_BYTES};
    s->timed = calloc(MAX_QUERIES, sizeof *s->timed);
    s->queries = w->DeviceCreateQuerySet(gpu->device, &q);
    s->resolved = w->DeviceCreateBuffer(gpu->device, &resolved);
    s->readable = w->DeviceCreateBuffer(gpu->device, &readable);
    if (gpu_check(gpu, NULL) && s->timed && s->queries && s->resolved && s->readable) return true;
    slot_free(w, s);
    return false;
}

static void on_mapped(WGPUMapAsyncStatus status, WGPUStringView message, void *user, void *unused)
{
    (void)message, (void)unused;
    struct slot *s = user;
    s->ok = status == WGPUMapAsyncStatus_Success;
    s->done = true;
}

static void slot_resolve(struct gpu *gpu, struct slot *s, WGPUCommandEncoder encoder)
{
    const struct webgpu *w = &gpu->w;
    w->CommandEncoderResolveQuerySet(encoder, s->queries, 0, s->n_queries, s->resolved, 0);
    w->CommandEncoderCopyBufferToBuffer(encoder, s->resolved, 0, s->readable, 0, s->n_queries * TICK_BYTES);
}

static void slot_map(struct gpu *gpu, struct slot *s, WGPUSubmissionIndex submission)
{
    WGPUBufferMapCallbackInfo callback = {
        .mode = WGPUCallbackMode_AllowProcessEvents, .callback = on_mapped, .userdata1 = s};
    s->submitted = true;
    s->done = s->ok = false;
    s->submission = submission;
    gpu->w.BufferMapAsync(s->readable, WGPUMapMode_Read, 0, s->n_queries * TICK_BYTES, callback);
}

static void slot_wait(struct gpu *gpu, struct slot *s)
{
    while (s->submitted && !s->done && !gpu->lost) gpu->w.DevicePoll(gpu->device, true, &s->submission);
}

/* The ticks of a slot that is done, until slot_unmap; NULL if they cannot be read. */
static const uint64_t *slot_ticks(struct gpu *gpu, const struct slot *s)
{
    if (!s->done || !s->ok) return NULL;
    return gpu->w.BufferGetConstMappedRange(s->readable, 0, s->n_queries * TICK_BYTES);
}

static void slot_unmap(struct gpu *gpu, struct slot *s)
{
    if (s->done && s->ok) gpu->w.BufferUnmap(s->readable);
    s->submitted = s->done = false;
    s->n_queries = s->n_timed = 0;
}

/* ---- the clock ---- */

/* since the origin */
static int64_t tick_ns(const struct profile *p, uint64_t tick)
{
    return (int64_t)((double)(int64_t)(tick - p->origin) * p->period_ns);
}

/* One small submission; narrows the range of the offset. */
static bool calibrate_once(struct gpu *gpu, struct slot *s, int64_t *low, int64_t *high)
{
    const struct webgpu *w = &gpu->w;
    WGPUCommandEncoderDescriptor ed = {.label = view("calibrate")};
    WGPUPassTimestampWrites writes = {.querySet = s->queries, .beginningOfPassWriteIndex = 0, .endOfPassWriteIndex = 1};
    WGPUComputePassDescriptor pd = {.label = view("calibrate"), .timestampWrites = &writes};
    WGPUCommandEncoder encoder = w->DeviceCreateCommandEncoder(gpu->device, &ed);
    WGPUComputePassEncoder pass = w->CommandEncoderBeginComputePass(encoder, &pd);
    w->ComputePassEncoderEnd(pass);
    w->ComputePassEncoderRelease(pass);
    s->n_queries = 2;
    slot_resolve(gpu, s, encoder);
    WGPUCommandBufferDescriptor cd = {.label = view("calibrate")};
    WGPUCommandBuffer commands = w->CommandEncoderFinish(encoder, &cd);
    w->CommandEncoderRelease(encoder);
    if (!gpu_check(gpu, NULL) || !commands) return false;
    int64_t t0 = (int64_t)clock_ns();
    slot_map(gpu, s, w->QueueSubmitForIndex(gpu->queue, 1, &commands));
    w->CommandBufferRelease(commands);
    slot_wait(gpu, s);
    int64_t t1 = (int64_t)clock_ns();
    const uint64_t *ticks = slot_ticks(gpu, s);
    if (ticks) {
        if (!gpu->profile->origin) gpu->profile->origin = ticks[0];
        int64_t least = t0 - tick_ns(gpu->profile, ticks[0]), most = t1 - tick_ns(gpu->profile, ticks[1]);
        if (least > *low) *low = least;
        if (most < *high) *high = most;
    }
    slot_unmap(gpu, s);
    return ticks && gpu_check(gpu, NULL);
}

static bool calibrate(struct gpu *gpu)
{
    struct profile *p = gpu->profile;
    const struct trace_zone zone = trace_begin("calibrate");
    int64_t low = INT64_MIN, high = INT64_MAX;
    if (!slot_make(gpu, &p->slots[0])) return false;
    for (int i = 0; i < CALIBRATIONS; i++)
        if (!calibrate_once(gpu, &p->slots[0], &low, &high)) return false;
    p->offset_ns = low + (high - low) / 2;
    p->calibrated_at = clock_ns();
    char text[64];
    snprintf(text, sizeof text, "within %.1f us", (double)(high - low) / 2e3);
    trace_tell("gpu clock", text);
    trace_end(zone, text);
    return true;
}

void profile_create(struct gpu *gpu)
{
    trace_tell("gpu", gpu->info.name);
    trace_tell("driver", gpu->info.driver);
    trace_tell("runtime", gpu->info.runtime);
    struct profile *p = gpu->profile = has_timestamps(gpu) ? calloc(1, sizeof *p) : NULL;
    if (p) {
        p->events = calloc(MAX_QUERIES, sizeof *p->events);
        if (!gpu->info.timestamps_in_passes) gpu->w.ComputePassEncoderWriteTimestamp = NULL; /* it may not be called */
        p->period_ns = gpu->w.QueueGetTimestampPeriod(gpu->queue);
        p->off = !p->events || !(p->period_ns > 0) || !calibrate(gpu);
    }
    if (!p || p->off) trace_tell("note", "this device gives no timestamps: there are CPU zones only");
}

void profile_end(struct gpu *gpu)
{
    struct profile *p = gpu->profile;
    if (!p) return;
    for (int i = 0; i < N_SLOTS; i++) slot_wait(gpu, &p->slots[i]);
    profile_collect(gpu);
    for (int i = 0; i < N_SLOTS; i++) slot_free(&gpu->w, &p->slots[i]);
    free(p->events);
    p->off = true;
}

/* ---- recording ---- */

bool gpu_is_traced(const struct gpu *gpu) { return gpu->profile && gpu->profile->now; }

void gpu_describe_next(struct gpu *gpu, const struct gpu_work *work) { gpu->profile->next = *work; }

bool profile_splits_passes(const struct gpu *gpu)
{
    return gpu->profile->now && !gpu->w.ComputePassEncoderWriteTimestamp;
}

static struct slot *free_slot(struct gpu *gpu)
{
    struct profile *p = gpu->profile;
    struct slot *oldest = NULL;
    bool idle = true;
    profile_collect(gpu);
    for (int i = 0; i < N_SLOTS; i++) idle &= !p->slots[i].submitted;
    if (idle && clock_ns() - p->calibrated_at > recalibrate_ns) calibrate(gpu);
    for (int i = 0; i < N_SLOTS; i++) {
        struct slot *s = &p->slots[i];
        if (!s->submitted) return s;
        if (!oldest || s->submission < oldest->submission) oldest = s;
    }
    slot_wait(gpu, oldest);
    profile_collect(gpu);
    return oldest->submitted ? NULL : oldest;
}

void profile_begin(struct gpu *gpu)
{
    struct profile *p = gpu->profile;
    p->now = trace_is_on() && !p->off ? free_slot(gpu) : NULL;
    if (p->now && !slot_make(gpu, p->now)) p->now = NULL;
    if (p->now) p->now->label = trace_keep(gpu->label);
}

void profile_begin_pass(struct gpu *gpu, WGPUComputePassDescriptor *d, WGPUPassTimestampWrites *writes)
{
    struct profile *p = gpu->profile;
    struct slot *s = p->now;
    p->pass_is_timed = s && s->n_queries + 2 <= MAX_QUERIES;
    if (!p->pass_is_timed) return;
    *writes = (WGPUPassTimestampWrites){.querySet = s->queries,
                                        .beginningOfPassWriteIndex = s->n_queries++,
                                        .endOfPassWriteIndex = WGPU_QUERY_SET_INDEX_UNDEFINED};
    if (profile_splits_passes(gpu)) writes->endOfPassWriteIndex = s->n_queries++;
    d->timestampWrites = writes;
}

void profile_dispatched(struct gpu *gpu, const struct gpu_kernel *kernel, const uint32_t groups[3])
{
    struct profile *p = gpu->profile;
    struct slot *s = p->now;
    struct gpu_work work = p->next;
    p->next = (struct gpu_work){.layer = -1};
    if (!p->pass_is_timed) return;
    if (!profile_splits_passes(gpu)) {
        if (s->n_queries == MAX_QUERIES) return;
        gpu->w.ComputePassEncoderWriteTimestamp(gpu->pass, s->queries, s->n_queries++);
    }
    s->timed[s->n_timed++] = (struct timed){
        .dispatch = {.kernel = trace_keep(kernel->name),
                     .op = work.op,
                     .layer = work.op ? work.layer : -1,
                     .groups = {groups[0], groups[1], groups[2]},
                     .bytes = work.bytes,
                     .flops = work.flops},
        .begin = s->n_queries - 2,
        .end = s->n_queries - 1,
    };
}

void profile_resolve(struct gpu *gpu)
{
    struct slot *s = gpu->profile->now;
    if (s && s->n_timed) slot_resolve(gpu, s, gpu_encoder(gpu));
}

void profile_submitted(struct gpu *gpu, bool ok)
{
    struct slot *s = gpu->profile->now;
    gpu->profile->now = NULL;
    if (!s) return;
    if (ok && s->n_timed) slot_map(gpu, s, gpu->last_submission);
    else s->n_queries = s->n_timed = 0;
}

/* ---- collecting ---- */

static void collect(struct gpu *gpu, struct slot *s)
{
    struct profile *p = gpu->profile;
    const uint64_t *ticks = slot_ticks(gpu, s);
    for (uint32_t i = 0; ticks && i < s->n_timed; i++) {
        const struct timed *t = &s->timed[i];
        p->events[i] = t->dispatch;
        p->events[i].begin_ns = (uint64_t)(tick_ns(p, ticks[t->begin]) + p->offset_ns);
        p->events[i].end_ns = (uint64_t)(tick_ns(p, ticks[t->end]) + p->offset_ns);
    }
    if (ticks) trace_add_submission(s->label, p->events, s->n_timed);
    slot_unmap(gpu, s);
}

void profile_collect(struct gpu *gpu)
{
    struct profile *p = gpu->profile;
    for (;;) {
        struct slot *first = NULL;
        for (int i = 0; i < N_SLOTS; i++) {
            struct slot *s = &p->slots[i];
            if (s->submitted && s->done && (!first || s->submission < first->submission)) first = s;
        }
        if (!first) return;
        collect(gpu, first);
    }
}
