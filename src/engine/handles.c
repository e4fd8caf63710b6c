/* handles.c - corvid_device: a GPU or the scalar reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/engine.h"

_Static_assert((int)CORVID_ERROR_ARGUMENT == ERR_ARGUMENT && (int)CORVID_ERROR_LIMIT == ERR_LIMIT &&
                   (int)CORVID_ERROR_LIMIT + 1 == ERR_COUNT,
               "the public codes are the inner ones");
_Static_assert(sizeof(corvid_error) == sizeof(struct error) &&
                   offsetof(corvid_error, message) == offsetof(struct error, message),
               "the public error is the inner one");

const char *corvid_version(void) { return CORVID_VERSION; }

static void describe(const struct gpu_info *g, corvid_device_info *out)
{
    *out = (corvid_device_info){.shader_f16 = g->shader_f16,
                                .subgroups = g->subgroups,
                                .timestamps = g->timestamps,
                                .matrix_units = g->matrix_units,
                                .passthrough = g->passthrough,
                                .coherent = g->coherent,
                                .mappable = g->mappable,
                                .pipeline_cache = g->pipeline_cache,
                                .subgroup_size = g->subgroup_size,
                                .max_buffer_bytes = g->max_buffer_bytes,
                                .max_binding_bytes = g->max_binding_bytes,
                                .max_storage_buffers = g->max_storage_buffers,
                                .max_workgroup_threads = g->max_workgroup_threads,
                                .max_workgroup_bytes = g->max_workgroup_bytes,
                                .max_workgroups = g->max_groups,
                                .storage_alignment = g->storage_alignment,
                                .uniform_alignment = g->uniform_alignment};
    memcpy(out->runtime, g->runtime, sizeof out->runtime);
    memcpy(out->runtime_version, g->runtime_version, sizeof out->runtime_version);
    memcpy(out->matrix_shapes, g->matrix_shapes, sizeof out->matrix_shapes);
    memcpy(out->name, g->name, sizeof out->name);
    memcpy(out->backend, g->backend, sizeof out->backend);
    memcpy(out->kind, g->kind, sizeof out->kind);
    memcpy(out->driver, g->driver, sizeof out->driver);
}

bool corvid_devices(const char *runtime, corvid_device_info *infos, size_t capacity, size_t *count, corvid_error *err)
{
    struct gpu_info *found = calloc(capacity ? capacity : 1, sizeof *found);
    if (!found) return fail_memory(inner(err), "the list of devices");
    bool ok = gpu_list(runtime, found, capacity, count, inner(err));
    for (size_t i = 0; ok && i < *count && i < capacity; i++) describe(&found[i], &infos[i]);
    free(found);
    return ok;
}

corvid_device *corvid_device_open(const corvid_device_options *options, corvid_error *err)
{
    static const corvid_device_options defaults;
    const corvid_device_options *o = options ? options : &defaults;
    corvid_device *d = calloc(1, sizeof *d);
    if (!d) return fail_memory(inner(err), "the device"), NULL;
    if (o->device && !strcmp(o->device, "reference")) {
        d->info = (corvid_device_info){.name = "scalar reference", .backend = "reference", .kind = "cpu"};
        return d;
    }
    uint64_t start = clock_ns();
    struct gpu_options g = gpu_options_of(o);
    kept_file_init(&d->store, "kernels", "compiled kernels", o->cache);
    g.kept_kernels = kept_file_load;
    g.kept_user = &d->store;
    d->gpu = gpu_open(&g, inner(err));
    if (!d->gpu) {
        free(d);
        return NULL;
    }
    describe(gpu_describe(d->gpu), &d->info);
    device_load_tuning(d, o->cache, o->no_tuning);
    corvid_memory memory;
    if (corvid_device_memory(d, &memory)) {
        d->info.memory_bytes = memory.bytes;
        d->info.budget_bytes = memory.budget_bytes;
    }
    d->info.open_ms = (double)(clock_ns() - start) / 1e6;
    return d;
}

void corvid_device_close(corvid_device *device)
{
    if (!device) return;
    ahead_end(&device->ahead);
    gpu_close(device->gpu);
    tuning_free(&device->tuning);
    free(device);
}

const corvid_device_info *corvid_device_describe(const corvid_device *device) { return &device->info; }

bool corvid_device_read_speed(corvid_device *device, double *bytes_per_second, corvid_error *err)
{
    if (!device->gpu) return fail(inner(err), ERR_UNSUPPORTED, "the scalar reference has no GPU memory to read");
    ahead_rest(&device->ahead);
    return gpu_read_speed(device->gpu, bytes_per_second, inner(err));
}

bool corvid_device_memory(const corvid_device *device, corvid_memory *out)
{
    struct gpu_memory m;
    *out = (corvid_memory){.bytes = 0};
    if (!device->gpu || !gpu_memory_now(device->gpu, &m)) return false;
    out->used_bytes = m.allocated_bytes;
    out->reserved_bytes = m.reserved_bytes;
    for (size_t i = 0; i < m.n_heaps; i++) {
        if (!m.heaps[i].on_device) continue;
        out->bytes += m.heaps[i].bytes;
        out->budget_bytes += m.heaps[i].budget_bytes;
        out->process_bytes += m.heaps[i].used_bytes;
    }
    return true;
}

const char *corvid_device_cache(const corvid_device *device) { return device->store.state; }

const char *corvid_device_tuning(const corvid_device *device) { return device->tunings.state; }

const char *corvid_device_warning(const corvid_device *device)
{
    return *device->tunings.warning ? device->tunings.warning : device->store.warning;
}

void device_keep_kernels(corvid_device *d)
{
    size_t bytes;
    void *data = *d->store.folder ? gpu_kernels_save(d->gpu, &bytes) : NULL;
    if (data) kept_file_save(&d->store, data, bytes);
    free(data);
}
