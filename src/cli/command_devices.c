/* command_devices.c - `corvid devices`: the GPUs that can be chosen with --device. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/device_text.h"
#include "cli/out.h"

enum { DEVICES_MAX = 32, TEXT_MAX = 128 };

static const char about[] =
    "Lists the GPUs that the WebGPU runtime finds, best first: without --device the first one is used.\n"
    "The index or a part of the name chooses one: --device 1, --device nvidia. '--device reference' is the scalar\n"
    "executor on the CPU: slow, for comparison. No device is opened without --probe.";

struct devices_args {
    const char *runtime;
    bool probe, json;
};

/* Opens the device to learn what only an open one tells. On false *why says what failed. */
static bool probe(const struct devices_args *a, size_t index, corvid_device_info *info, corvid_error *why)
{
    char device[24];
    snprintf(device, sizeof device, "%zu", index);
    corvid_device_options options = {.device = device, .runtime = a->runtime};
    corvid_device *opened = corvid_device_open(&options, why);
    if (opened) *info = *corvid_device_describe(opened);
    corvid_device_close(opened);
    return opened;
}

static void show_text(size_t index, const corvid_device_info *d, bool opened, const corvid_error *why)
{
    out_printf("%zu: ", index);
    out_escaped(d->name, strlen(d->name), TEXT_MAX);
    out_text("\n");
    device_print(d, opened);
    if (!why->code) return;
    out_text("   cannot be opened: ");
    out_escaped(why->message, strlen(why->message), sizeof why->message);
    out_text("\n");
}

static json_t *show_json(size_t index, const corvid_device_info *d, bool opened, const corvid_error *why)
{
    json_t *device = device_json(d, opened);
    json_object_set_new(device, "index", json_integer((json_int_t)index));
    if (why->code) json_object_set_new(device, "error", out_json_text(why->message, strlen(why->message)));
    return device;
}

int command_devices(int argc, char **argv)
{
    struct devices_args a = {.probe = false};
    const struct option rows[] = {
        {0, "probe", NULL, "open each device: measures its subgroups and shows whether it works", OPTION_FLAG, &a.probe,
         0, 0},
        {0, "json", NULL, "print a JSON array", OPTION_FLAG, &a.json, 0, 0},
        runtime_option(&a.runtime),
    };
    struct option_group group = {"devices", rows, sizeof rows / sizeof *rows};
    struct command_line line = {
        .name = "devices", .usage = "[--probe] [--json]", .about = about, .groups = &group, .n_groups = 1};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    corvid_device_info infos[DEVICES_MAX];
    size_t count = 0;
    corvid_error err = {.code = CORVID_OK};
    if (!corvid_devices(a.runtime, infos, DEVICES_MAX, &count, &err)) return report(&err);
    if (count > DEVICES_MAX) count = DEVICES_MAX;
    json_t *array = a.json ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        corvid_error why = {.code = CORVID_OK};
        bool opened = a.probe && probe(&a, i, &infos[i], &why);
        if (a.json) json_array_append_new(array, show_json(i, &infos[i], opened, &why));
        else show_text(i, &infos[i], opened, &why);
    }
    if (a.json) out_json(array);
    return EXIT_OK;
}
