/* test_native.c - what gpu/ makes of functions that a runtime may lack and of errors, with made-up ones: captures,
 * matrix shapes, the driver's validation layers, a lost device. */
#define _POSIX_C_SOURCE 200809L

#include "gpu/native.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- captures ---- */

static int starts, stops;
static WGPUBool start_succeeds;

static WGPUBool start(WGPUDevice device)
{
    (void)device;
    starts++;
    return start_succeeds;
}

static void stop(WGPUDevice device)
{
    (void)device;
    stops++;
}

static WGPUBool poll_device(WGPUDevice device, WGPUBool wait, WGPUSubmissionIndex const *index)
{
    (void)device, (void)wait, (void)index;
    return true;
}

static struct gpu *fake_gpu(void)
{
    static struct gpu gpu;
    gpu = (struct gpu){.w = {.runtime = "fake",
                             .DevicePoll = poll_device,
                             .DeviceStartGraphicsDebuggerCapture = start,
                             .DeviceStopGraphicsDebuggerCapture = stop}};
    starts = stops = 0;
    start_succeeds = true;
    return &gpu;
}

static void run_steps(struct gpu *gpu, int n)
{
    for (int i = 0; i < n; i++) {
        assert_true(gpu_capture_begin(gpu, NULL));
        gpu_capture_end(gpu);
    }
}

static void captures_the_second_step(void **unused)
{
    (void)unused;
    struct gpu *gpu = fake_gpu();
    setenv("CORVID_CAPTURE", "1", 1);
    run_steps(gpu, 1);
    assert_int_equal(starts, 0);
    assert_true(gpu_capture_begin(gpu, NULL));
    assert_true(starts == 1 && stops == 0);
    gpu_capture_end(gpu);
    run_steps(gpu, 5);
    assert_true(starts == 1 && stops == 1);
}

static void captures_nothing_unasked(void **unused)
{
    (void)unused;
    struct gpu *gpu = fake_gpu();
    unsetenv("CORVID_CAPTURE");
    run_steps(gpu, 3);
    setenv("CORVID_CAPTURE", "0", 1);
    gpu->n_steps = 0;
    run_steps(gpu, 3);
    assert_int_equal(starts, 0);
}

static void says_that_nothing_can_capture(void **unused)
{
    (void)unused;
    struct error err = {0};
    struct gpu *gpu = fake_gpu();
    setenv("CORVID_CAPTURE", "1", 1);
    start_succeeds = false;
    run_steps(gpu, 1);
    assert_false(gpu_capture_begin(gpu, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no graphics debugger"));
    gpu = fake_gpu();
    gpu->w.DeviceStopGraphicsDebuggerCapture = NULL;
    run_steps(gpu, 1);
    assert_false(gpu_capture_begin(gpu, &err));
    assert_non_null(strstr(err.message, "the runtime fake cannot"));
    assert_int_equal(starts, 0);
}

/* ---- matrix shapes ---- */

static const CorvidWgpuScalar F16 = CorvidWgpuScalar_F16, F32 = CorvidWgpuScalar_F32, I8 = CorvidWgpuScalar_I8,
                              I32 = CorvidWgpuScalar_I32;

static size_t three_kinds(WGPUAdapter adapter, size_t capacity, CorvidWgpuCooperativeMatrix *out)
{
    const CorvidWgpuCooperativeMatrix all[] = {
        {16, 16, 16, F16, F16, F32, F32, false},
        {16, 16, 32, I8, I8, I32, I32, false},
        {16, 8, 16, F16, F16, F32, F32, false},
        {16, 16, 32, I8, I8, I32, I32, true},
        {8, 8, 4, F16, CorvidWgpuScalar_BF16, F16, F16, false},
    };
    (void)adapter;
    assert_true(capacity >= sizeof all / sizeof *all);
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

/* more than it may write, of a type that Corvid does not know */
static size_t very_many(WGPUAdapter adapter, size_t capacity, CorvidWgpuCooperativeMatrix *out)
{
    (void)adapter;
    for (uint32_t i = 0; i < capacity; i++) {
        CorvidWgpuScalar unknown = (CorvidWgpuScalar)77;
        out[i] = (CorvidWgpuCooperativeMatrix){1000 + i, 16, 16, unknown, unknown, unknown, unknown, false};
    }
    return capacity + 100;
}

static void matrix_shapes_are_grouped(void **unused)
{
    (void)unused;
    char text[512] = "x";
    struct webgpu w = {.library = NULL};
    gpu_matrix_shapes(&w, NULL, text, sizeof text);
    assert_string_equal(text, "");
    w.AdapterGetCooperativeMatrices = three_kinds;
    gpu_matrix_shapes(&w, NULL, text, sizeof text);
    assert_string_equal(text, "f16 -> f32 16x16x16, 16x8x16; i8 -> i32 16x16x32; f16 x bf16 -> f16 8x8x4");
}

static void long_lists_are_cut(void **unused)
{
    (void)unused;
    struct webgpu w = {.AdapterGetCooperativeMatrices = very_many};
    char text[512];
    for (size_t capacity = 8; capacity <= sizeof text; capacity += 7) {
        memset(text, '#', sizeof text);
        gpu_matrix_shapes(&w, NULL, text, capacity);
        size_t length = strnlen(text, capacity);
        assert_true(length < capacity && length >= 4);
        assert_string_equal(text + length - 4, " ...");
    }
}

/* ---- features ---- */

static WGPUBool has_every_feature(WGPUAdapter adapter, WGPUFeatureName name)
{
    (void)adapter, (void)name;
    return true;
}

static struct asked {
    unsigned times, opens_from; /* requests before that one fail */
    size_t n_features;
    bool matrices, experimental;
} asked;

static WGPUFuture request(WGPUAdapter adapter, const WGPUDeviceDescriptor *d, WGPURequestDeviceCallbackInfo callback)
{
    (void)adapter;
    const CorvidWgpuDeviceOptions *o = (const void *)d->nextInChain;
    asked.n_features = d->requiredFeatureCount;
    asked.experimental = o && o->experimentalFeatures;
    asked.matrices = false;
    for (size_t i = 0; i < d->requiredFeatureCount; i++)
        asked.matrices |= d->requiredFeatures[i] == (WGPUFeatureName)WGPUNativeFeature_CooperativeMatrix;
    bool opens = asked.times++ >= asked.opens_from;
    WGPUDevice device = opens ? (WGPUDevice)(void *)&asked : NULL;
    WGPUStringView why = {"no such luck", WGPU_STRLEN};
    if (!opens)
        d->deviceLostCallbackInfo.callback(NULL, WGPUDeviceLostReason_FailedCreation, why,
                                           d->deviceLostCallbackInfo.userdata1, NULL);
    callback.callback(opens ? WGPURequestDeviceStatus_Success : WGPURequestDeviceStatus_Error, device, why,
                      callback.userdata1, NULL);
    return (WGPUFuture){1};
}

static WGPUStatus no_limits(WGPUAdapter adapter, WGPULimits *limits)
{
    (void)adapter, (void)limits;
    return WGPUStatus_Success;
}

static WGPUQueue no_queue(WGPUDevice device)
{
    (void)device;
    return NULL;
}

static void no_events(WGPUInstance instance) { (void)instance; }
static const char *fake_name(void) { return "fake"; }

/* a device of a runtime that has no functions beyond the standard, or all of them */
static struct gpu *featured_gpu(bool extended)
{
    struct gpu *gpu = fake_gpu();
    gpu->w.AdapterHasFeature = has_every_feature;
    gpu->w.AdapterRequestDevice = request;
    gpu->w.AdapterGetLimits = no_limits;
    gpu->w.InstanceProcessEvents = no_events;
    gpu->w.DeviceGetQueue = no_queue;
    if (extended) {
        gpu->w.GetName = fake_name;
        gpu->w.AdapterGetCooperativeMatrices = three_kinds;
    }
    gpu_features_describe(&gpu->w, NULL, &gpu->info);
    asked = (struct asked){0};
    return gpu;
}

static void features_need_a_runtime_that_can_use_them(void **unused)
{
    (void)unused;
    struct gpu *gpu = featured_gpu(false);
    struct gpu_info *i = &gpu->info;
    assert_true(i->shader_f16 && i->subgroups && i->timestamps && i->timestamps_in_passes && i->coherent);
    assert_false(i->matrix_units || i->passthrough || i->pipeline_cache);
    assert_true(gpu_request_device(gpu, NULL));
    assert_false(asked.matrices || asked.experimental);
    assert_int_equal(asked.times, 1);
    gpu = featured_gpu(true);
    assert_true(gpu->info.matrix_units);
    assert_false(gpu->info.passthrough || gpu->info.pipeline_cache); /* functions that this runtime lacks */
    assert_true(gpu_request_device(gpu, NULL));
    assert_true(asked.matrices && asked.experimental);
}

static void experimental_features_are_given_up(void **unused)
{
    (void)unused;
    struct gpu *gpu = featured_gpu(true);
    struct error err = {0};
    asked.opens_from = 1;
    assert_true(gpu_request_device(gpu, &err));
    assert_int_equal(asked.times, 2);
    assert_false(asked.matrices || asked.experimental || gpu->info.matrix_units || gpu->lost);
    assert_true(gpu->info.shader_f16 && asked.n_features > 4);
    assert_true(gpu_check(gpu, &err));
    gpu = featured_gpu(true);
    asked.opens_from = 5;
    assert_false(gpu_request_device(gpu, &err));
    assert_int_equal(asked.times, 2);
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "no such luck"));
}

/* ---- the log ---- */

static WGPULogCallback log_callback;
static void *log_user;
static WGPULogLevel log_level;

static void set_callback(WGPULogCallback callback, void *user)
{
    log_callback = callback;
    log_user = user;
}

static void set_level(WGPULogLevel level) { log_level = level; }

static void validation_layers_are_heard(void **unused)
{
    (void)unused;
    struct error err = {0};
    struct gpu *gpu = fake_gpu();
    gpu_hear_log(gpu, true); /* no such functions */
    gpu->w.SetLogCallback = set_callback;
    gpu->w.SetLogLevel = set_level;
    gpu_hear_log(gpu, true);
    assert_true(log_callback && log_user == gpu && log_level == WGPULogLevel_Error);
    log_callback(WGPULogLevel_Error, view("something else failed"), log_user);
    log_callback(WGPULogLevel_Error, view("VALIDATION [UNASSIGNED-shader] unknown"), log_user);
    log_callback(WGPULogLevel_Warn, view("VALIDATION [VUID-x] a warning"), log_user);
    assert_true(gpu_check(gpu, &err));
    log_callback(WGPULogLevel_Error, view("hal: VALIDATION [VUID-vkX-01]\n\tnot\ttrue"), log_user);
    assert_false(gpu_check(gpu, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "VUID-vkX-01"));
    gpu_hear_log(gpu, false);
    assert_true(!log_callback && log_level == WGPULogLevel_Off);
}

static void a_lost_device_stays_lost(void **unused)
{
    (void)unused;
    struct gpu gpu = {0};
    struct error err = {0};
    WGPUStringView why = {"the cable fell out", WGPU_STRLEN};
    atomic_flag_clear(&gpu.error_lock);
    gpu_on_lost(NULL, WGPUDeviceLostReason_Destroyed, why, &gpu, NULL); /* by gpu_close: no loss */
    assert_true(gpu_check(&gpu, &err));
    gpu_on_error(NULL, WGPUErrorType_Validation, why, &gpu, NULL);
    gpu_on_lost(NULL, WGPUDeviceLostReason_Unknown, why, &gpu, NULL);
    for (int i = 0; i < 2; i++) {
        err = (struct error){0};
        assert_false(gpu_check(&gpu, &err));
        assert_int_equal(err.code, ERR_DEVICE_LOST);
        assert_non_null(strstr(err.message, "open it again: the cable fell out"));
    }
}

static void an_error_is_reported_once(void **unused)
{
    (void)unused;
    struct gpu gpu = {0};
    struct error err = {0};
    atomic_flag_clear(&gpu.error_lock);
    gpu_on_error(NULL, WGPUErrorType_OutOfMemory, (WGPUStringView){"first", WGPU_STRLEN}, &gpu, NULL);
    gpu_on_error(NULL, WGPUErrorType_Validation, (WGPUStringView){"second", WGPU_STRLEN}, &gpu, NULL);
    assert_false(gpu_check(&gpu, &err));
    assert_int_equal(err.code, ERR_DEVICE);
    assert_non_null(strstr(err.message, "out of memory"));
    assert_true(gpu_check(&gpu, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_the_second_step),
        cmocka_unit_test(captures_nothing_unasked),
        cmocka_unit_test(says_that_nothing_can_capture),
        cmocka_unit_test(matrix_shapes_are_grouped),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(features_need_a_runtime_that_can_use_them),
        cmocka_unit_test(experimental_features_are_given_up),
        cmocka_unit_test(validation_layers_are_heard),
        cmocka_unit_test(a_lost_device_stays_lost),
        cmocka_unit_test(an_error_is_reported_once),
    };
    return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
