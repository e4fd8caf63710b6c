/* doctor.c - corvid_doctor: the self test's cases on a device, as it would be used and in its fallbacks, against the
 * scalar reference, and what to do about wrong results. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "model/sample_case.h"
#include "model/self_test.h"

static const struct variant {
    bool no_matrix, no_subgroups, no_f16;
    const char *options;
} variants[DOCTOR_VARIANTS] = {
    {false, false, false, ""},
    {true, false, false, "--no-matrix"},
    {false, true, false, "--no-subgroups"},
    {false, false, true, "--no-f16"},
    {false, true, true, "--no-subgroups --no-f16"},
};

struct examination {
    struct gpu_options options; /* of the variant */
    struct gpu *gpu;
    const struct variant *variant;
    bool (*report)(void *user, const corvid_check *check);
    void *user;
    corvid_doctor_result *result;
    bool stopped;
};

/* a case that could not run may have lost the device: the next one gets a new one */
static bool open_gpu(struct examination *e, struct error *err)
{
    if (!e->gpu) e->gpu = gpu_open(&e->options, err);
    return e->gpu;
}

/* c: NULL for the kernel that draws tokens */
static bool examine_case(struct examination *e, const struct op_case *c)
{
    struct op_case_result r = {0};
    struct error err = {0};
    uint64_t start = clock_ns();
    bool ran = open_gpu(e, &err) && (c ? op_case_run(c, e->gpu, &r, &err) : sample_self_test(e->gpu, &r, &err));
    corvid_check check = {.variant = e->variant->options,
                          .name = c ? c->name : "sampling",
                          .ok = ran && !r.wrong,
                          .nmse = ran ? r.nmse : NAN,
                          .limit = c ? c->tolerance.nmse : 0,
                          .ms = (double)(clock_ns() - start) / 1e6,
                          .message = ran ? r.message : err.message};
    if (!ran) {
        gpu_close(e->gpu);
        e->gpu = NULL;
    }
    e->result->checks++;
    e->result->wrong += !check.ok;
    e->stopped = e->report && !e->report(e->user, &check);
    return check.ok;
}

/* the number of wrong cases */
static uint32_t examine(struct examination *e, const corvid_device_options *o, const struct variant *variant,
                        const struct gpu_info *info)
{
    struct op_case c;
    uint32_t wrong = 0;
    e->variant = variant;
    e->options = gpu_options_of(o);
    e->options.no_matrix |= variant->no_matrix;
    e->options.no_subgroups |= variant->no_subgroups;
    e->options.no_f16 |= variant->no_f16;
    const bool f16 = info->shader_f16 && !variant->no_f16;
    const bool large = info->fragments && !variant->no_matrix && !variant->no_subgroups;
    for (size_t i = 0; !e->stopped && self_test_case(i, f16, large, &c); i++) wrong += !examine_case(e, &c);
    if (!e->stopped) wrong += !examine_case(e, NULL);
    gpu_close(e->gpu);
    e->gpu = NULL;
    return wrong;
}

void doctor_advise(const bool *ran, const uint32_t *wrong, char *out, size_t capacity)
{
    *out = 0;
    if (wrong[0]) {
        for (int v = 1; v < DOCTOR_VARIANTS; v++) {
            if (!ran[v] || wrong[v]) continue;
            snprintf(out, capacity, "run with %s, which gives right results on this device", variants[v].options);
            return;
        }
        snprintf(out, capacity,
                 "no variant gives right results on this device: use another --device, another "
                 "--runtime, a newer driver, or --device reference");
        return;
    }
    size_t at = 0;
    for (int v = 1; v < DOCTOR_VARIANTS && at < capacity; v++)
        if (ran[v] && wrong[v])
            at += (size_t)snprintf(out + at, capacity - at, "%s%s", at ? " or " : "do not run with ",
                                   variants[v].options);
    if (at && at < capacity) snprintf(out + at, capacity - at, ": without that, results are right");
}

bool corvid_doctor(const corvid_device_options *options, bool (*report)(void *user, const corvid_check *check),
                   void *user, corvid_doctor_result *result, corvid_error *err)
{
    static const corvid_device_options defaults;
    const corvid_device_options *o = options ? options : &defaults;
    struct examination e = {.options = gpu_options_of(o), .report = report, .user = user, .result = result};
    *result = (corvid_doctor_result){0};
    if (o->device && !strcmp(o->device, "reference"))
        return fail(inner(err), ERR_ARGUMENT, "the scalar reference is what a device is compared with: choose a GPU");
    if (!open_gpu(&e, inner(err))) return false;
    const struct gpu_info info = *gpu_describe(e.gpu);
    const bool applies[DOCTOR_VARIANTS] = {true, info.matrix_units, info.subgroups, info.shader_f16,
                                           info.subgroups && info.shader_f16};
    bool ran[DOCTOR_VARIANTS] = {false};
    uint32_t wrong[DOCTOR_VARIANTS] = {0};
    for (int v = 0; v < DOCTOR_VARIANTS && !e.stopped; v++) {
        /* both at once only helps where neither alone does */
        ran[v] = applies[v] && (v < 4 || (wrong[0] && wrong[2] && wrong[3]));
        if (ran[v]) wrong[v] = examine(&e, o, &variants[v], &info);
    }
    doctor_advise(ran, wrong, result->advice, sizeof result->advice);
    return e.stopped ? fail(inner(err), ERR_IO, "the examination was stopped") : true;
}
