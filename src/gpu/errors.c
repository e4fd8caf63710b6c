/* errors.c - what goes wrong on a device is heard late and on any thread: the first error is kept until gpu_check. */
#include <string.h>

#include "gpu/native.h"

void gpu_copy_text(char *out, size_t capacity, WGPUStringView text)
{
    size_t n = text.data ? (text.length == WGPU_STRLEN ? strlen(text.data) : text.length) : 0;
    if (n >= capacity) n = capacity - 1;
    if (n) memcpy(out, text.data, n);
    out[n] = 0;
}

/* kernels are compiled on several threads, and each may see an error */
static void lock(struct gpu *gpu)
{
    while (atomic_flag_test_and_set(&gpu->error_lock)) continue;
}

static void unlock(struct gpu *gpu) { atomic_flag_clear(&gpu->error_lock); }

static void remember(struct gpu *gpu, enum error_code code, const char *what, WGPUStringView message)
{
    char text[400];
    gpu_copy_text(text, sizeof text, message);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = ' ';
    lock(gpu);
    if (!gpu->error.code || code == ERR_DEVICE_LOST) fail(&gpu->error, code, "%s: %s", what, text);
    unlock(gpu);
}

void gpu_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message, void *user, void *unused)
{
    (void)device, (void)unused;
    struct gpu *gpu = user;
    if (type == WGPUErrorType_OutOfMemory)
        remember(gpu, ERR_DEVICE, "the GPU is out of memory (use a smaller model, context or batch)", message);
    else remember(gpu, ERR_DEVICE, "the GPU reported an error", message);
}

void gpu_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason, WGPUStringView message, void *user,
                 void *unused)
{
    (void)device, (void)unused;
    struct gpu *gpu = user;
    if (reason == WGPUDeviceLostReason_Destroyed || reason == WGPUDeviceLostReason_CallbackCancelled) return;
    if (reason == WGPUDeviceLostReason_FailedCreation) return; /* whoever asked for the device hears why */
    remember(gpu, ERR_DEVICE_LOST, "the GPU was lost: close the model and open it again", message);
    gpu->lost = true;
}

/* The log tells much that is an error elsewhere too. Only what a driver's validation layer finds against the rules of
 * Vulkan (VUID-...) is heard nowhere else; other findings of such a layer may be about what it does not know itself. */
static void on_log(WGPULogLevel level, WGPUStringView message, void *user)
{
    char start[128];
    gpu_copy_text(start, sizeof start, message);
    if (level != WGPULogLevel_Error || !strstr(start, "VALIDATION [VUID-")) return;
    remember(user, ERR_DEVICE, "the validation layer found a mistake", message);
}

void gpu_hear_log(struct gpu *gpu, bool hear)
{
    if (hear == gpu->hears_log || !gpu->w.SetLogCallback || !gpu->w.SetLogLevel) return;
    gpu->hears_log = hear;
    gpu->w.SetLogCallback(hear ? on_log : NULL, hear ? gpu : NULL);
    gpu->w.SetLogLevel(hear ? WGPULogLevel_Error : WGPULogLevel_Off);
}

bool gpu_check(struct gpu *gpu, struct error *err)
{
    lock(gpu);
    struct error error = gpu->error;
    if (!gpu->lost) gpu->error = (struct error){0}; /* that it was lost is said again and again */
    unlock(gpu);
    if (error.code && err) *err = error;
    return !error.code;
}
