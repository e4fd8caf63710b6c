/* capture.c - one step for a graphics debugger such as RenderDoc or Xcode: it shows dispatches, buffers, labels. */
#include <stdlib.h>
#include <string.h>

#include "gpu/native.h"

enum { CAPTURED_STEP = 2 };

bool gpu_capture_is_wanted(void)
{
    const char *wanted = getenv("CORVID_CAPTURE");
    return wanted && !strcmp(wanted, "1");
}

bool gpu_capture_begin(struct gpu *gpu, struct error *err)
{
    if (++gpu->n_steps != CAPTURED_STEP || !gpu_capture_is_wanted()) return true;
    const struct webgpu *w = &gpu->w;
    if (!w->DeviceStartGraphicsDebuggerCapture || !w->DeviceStopGraphicsDebuggerCapture)
        return fail(err, ERR_UNSUPPORTED, "CORVID_CAPTURE: the runtime %s cannot start a capture", w->runtime);
    gpu->capturing = w->DeviceStartGraphicsDebuggerCapture(gpu->device);
    if (gpu->capturing) return true;
    return fail(err, ERR_UNSUPPORTED,
                "CORVID_CAPTURE: no graphics debugger took the capture: start Corvid from one, "
                "such as RenderDoc or Xcode");
}

void gpu_capture_end(struct gpu *gpu)
{
    if (!gpu->capturing) return;
    gpu->w.DevicePoll(gpu->device, true, NULL);
    gpu->w.DeviceStopGraphicsDebuggerCapture(gpu->device);
    gpu->capturing = false;
}
