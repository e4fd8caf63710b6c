/* command_devices.c - `corvid devices`: the GPUs that can be chosen with --device. */
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

enum { DEVICES_MAX = 32, TEXT_MAX = 128 };

static const char about[] =
    "Lists the GPUs that the WebGPU library finds, best first: without --device the first one is used.\n"
    "The index or a part of the name chooses one: --device 1, --device nvidia. '--device reference' is the scalar\n"
    "executor on the CPU: slow, for comparison.";

static void escaped(const char *text) { out_escaped(text, strlen(text), TEXT_MAX); }

static void print_device(size_t index, const corvid_device_info *d)
{
    out_printf("%zu: ", index);
    escaped(d->name);
    out_printf("\n   backend %s, %s, driver ", d->backend, d->kind);
    escaped(*d->driver ? d->driver : "unknown");
    out_printf("\n   shader-f16 %s, subgroups %s, timestamps %s\n", d->shader_f16 ? "yes" : "no",
               d->subgroups ? "yes" : "no", d->timestamps ? "yes" : "no");
    out_printf("   limits: buffer %.0f MiB, binding %.0f MiB, workgroup %u threads, %u bytes\n",
               (double)d->max_buffer_bytes / 1048576, (double)d->max_binding_bytes / 1048576,
               (unsigned)d->max_workgroup_threads, (unsigned)d->max_workgroup_bytes);
}

static json_t *json_device(size_t index, const corvid_device_info *d)
{
    return json_pack("{s:I, s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:I, s:I, s:I, s:I}", "index", (json_int_t)index,
                     "name", out_json_text(d->name, strlen(d->name)), "backend", d->backend, "kind", d->kind, "driver",
                     out_json_text(d->driver, strlen(d->driver)), "shader_f16", d->shader_f16, "subgroups",
                     d->subgroups, "timestamps", d->timestamps, "max_buffer_bytes", (json_int_t)d->max_buffer_bytes,
                     "max_binding_bytes", (json_int_t)d->max_binding_bytes, "max_workgroup_threads",
                     (json_int_t)d->max_workgroup_threads, "max_workgroup_bytes",
                     (json_int_t)d->max_workgroup_bytes);
}

int command_devices(int argc, char **argv)
{
    bool json = false;
    const struct option rows[] = {{0, "json", NULL, "print a JSON array", OPTION_FLAG, &json, 0, 0}};
    struct option_group group = {"output", rows, 1};
    struct command_line line = {.name = "devices", .usage = "[--json]", .about = about, .groups = &group,
                                .n_groups = 1};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    corvid_device_info infos[DEVICES_MAX];
    size_t count = 0;
    corvid_error err = {.code = CORVID_OK};
    if (!corvid_devices(infos, DEVICES_MAX, &count, &err)) return report(&err);
    if (count > DEVICES_MAX) count = DEVICES_MAX;
    json_t *array = json ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        if (json) json_array_append_new(array, json_device(i, &infos[i]));
        else print_device(i, &infos[i]);
    }
    if (json) out_json(array);
    return EXIT_OK;
}
