/* device_text.c - see device_text.h */
#include "cli/device_text.h"

#include <string.h>

#include "cli/out.h"

enum { TEXT_MAX = 128 };

/* names come from drivers */
static void escaped(const char *text)
{
    if (!*text) text = "unknown";
    out_escaped(text, strlen(text), TEXT_MAX);
}

static const char *yes_no(bool b) { return b ? "yes" : "no"; }

void device_print(const corvid_device_info *d, bool opened)
{
    out_text("   runtime  ");
    escaped(d->runtime);
    out_printf(" %s\n   backend  %s, %s, driver ", d->runtime_version, d->backend, d->kind);
    escaped(d->driver);
    out_printf("\n   features shader-f16 %s, subgroups %s", yes_no(d->shader_f16), yes_no(d->subgroups));
    if (opened && d->subgroups) out_printf(" of %u threads", (unsigned)d->subgroup_size);
    out_printf(
        ", timestamps %s, matrix units %s\n            passthrough %s, coherent %s, mappable %s, pipeline cache %s\n"
        "   matrix shapes ",
        yes_no(d->timestamps), yes_no(d->matrix_units), yes_no(d->passthrough), yes_no(d->coherent),
        yes_no(d->mappable), yes_no(d->pipeline_cache));
    if (*d->matrix_shapes) out_escaped(d->matrix_shapes, strlen(d->matrix_shapes), sizeof d->matrix_shapes);
    else out_text("none offered by this runtime");
    if (d->memory_bytes) out_printf("\n   memory   %.0f MiB", (double)d->memory_bytes / 1048576);
    if (d->budget_bytes) out_printf(", of which this program can use %.0f MiB", (double)d->budget_bytes / 1048576);
    out_printf("\n   limits   buffer %.0f MiB, binding %.0f MiB, %u storage buffers in a kernel\n",
               (double)d->max_buffer_bytes / 1048576, (double)d->max_binding_bytes / 1048576,
               (unsigned)d->max_storage_buffers);
    out_printf("            workgroup %u threads, %u bytes; %u workgroups in a dimension\n",
               (unsigned)d->max_workgroup_threads, (unsigned)d->max_workgroup_bytes, (unsigned)d->max_workgroups);
    out_printf("            alignment %u bytes of storage, %u of uniform bindings\n", (unsigned)d->storage_alignment,
               (unsigned)d->uniform_alignment);
}

static json_t *json_text(const char *text) { return out_json_text(text, strlen(text)); }

json_t *device_json(const corvid_device_info *d, bool opened)
{
    json_t *device =
        json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:o}", "runtime", json_text(d->runtime),
                  "runtime_version", json_text(d->runtime_version), "name", json_text(d->name), "backend", d->backend,
                  "kind", d->kind, "driver", json_text(d->driver), "shader_f16", d->shader_f16, "subgroups",
                  d->subgroups, "timestamps", d->timestamps, "matrix_shapes", json_text(d->matrix_shapes));
    json_t *limits = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "max_buffer_bytes", (json_int_t)d->max_buffer_bytes,
        "max_binding_bytes", (json_int_t)d->max_binding_bytes, "max_storage_buffers",
        (json_int_t)d->max_storage_buffers, "max_workgroup_threads", (json_int_t)d->max_workgroup_threads,
        "max_workgroup_bytes", (json_int_t)d->max_workgroup_bytes, "max_workgroups", (json_int_t)d->max_workgroups,
        "storage_alignment", (json_int_t)d->storage_alignment, "uniform_alignment", (json_int_t)d->uniform_alignment);
    json_t *more =
        json_pack("{s:b, s:b, s:b, s:b, s:b}", "matrix_units", d->matrix_units, "passthrough", d->passthrough,
                  "coherent", d->coherent, "mappable", d->mappable, "pipeline_cache", d->pipeline_cache);
    json_object_update(device, more);
    json_decref(more);
    json_object_update(device, limits);
    json_decref(limits);
    if (!opened) return device;
    json_object_set_new(device, "subgroup_size", json_integer(d->subgroup_size));
    json_object_set_new(device, "memory_bytes", json_integer((json_int_t)d->memory_bytes));
    json_object_set_new(device, "budget_bytes", json_integer((json_int_t)d->budget_bytes));
    return device;
}
