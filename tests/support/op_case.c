/* op_case.c - see op_case.h. */
#include "support/op_case.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- devices ---- */

static struct gpu *gpus[N_VARIANTS];
static char variant_names[N_VARIANTS][32];

struct gpu *case_gpu(enum variant v)
{
    if (gpus[v]) return gpus[v];
    const char *device = getenv("CORVID_DEVICE");
    struct gpu_options options = {.device = device};
    if (v == VARIANT_PLAIN) options.no_f16 = options.no_subgroups = options.no_matrix = options.validate = true;
    struct error err = {0};
    gpus[v] = gpu_open(&options, &err);
    if (!gpus[v]) {
        fprintf(stderr, "no GPU: %s\n", err.message);
        exit(1);
    }
    const struct gpu_info *info = gpu_describe(gpus[v]);
    snprintf(variant_names[v], sizeof variant_names[v], "%s%s%s%s", v == VARIANT_PLAIN ? "plain" : "features",
             info->subgroups ? " subgroup" : "", info->shader_f16 ? " f16" : "", info->matrix_units ? " matrix" : "");
    return gpus[v];
}

const char *case_variant_name(enum variant v) { return case_gpu(v) ? variant_names[v] : ""; }

void case_close(void)
{
    for (int v = 0; v < N_VARIANTS; v++) gpu_close(gpus[v]);
    memset(gpus, 0, sizeof gpus);
}

void case_run(void **test_state)
{
    const struct gpu_case *g = *test_state;
    struct gpu_info *info = (struct gpu_info *)gpu_describe(g->gpu);
    const struct gpu_info real = *info;
    struct op_case_result result;
    struct error err = {0};
    if (g->max_binding_bytes) info->max_binding_bytes = g->max_binding_bytes;
    if (g->max_workgroup_bytes) info->max_workgroup_bytes = g->max_workgroup_bytes;
    if (g->subgroup_size && real.subgroups) info->subgroup_size = g->subgroup_size;
    if (g->hardware) snprintf(info->kind, sizeof info->kind, "discrete");
    if (g->backend) snprintf(info->backend, sizeof info->backend, "%s", g->backend);
    bool ran = op_case_run(&g->c, g->gpu, &result, &err);
    *info = real;
    if (!ran) fail_msg("%s", err.message);
    if (result.wrong) fail_msg("%s", result.message);
}
