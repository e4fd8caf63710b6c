/* common.c - see common.h */
#include "cli/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/terminal.h"
#include "base/trace.h"
#include "cli/out.h"
#include "cli/progress.h"

#define BUILTIN_MODEL "../share/corvid/rwkv7-tiny-q8_0.gguf"

int report(const corvid_error *err)
{
    if (*terminal_interrupts()) {
        out_error("interrupted");
        return EXIT_INTERRUPTED;
    }
    out_error("%s", err->message);
    return EXIT_FAILED;
}

struct option runtime_option(const char **runtime)
{
    static const char help[] = "WebGPU library: wgpu-native, wgpu30 or a path; default: CORVID_WEBGPU, else wgpu30 if "
                               "it is there, else wgpu-native";
    return (struct option){0, "runtime", "R", help, OPTION_TEXT, (void *)runtime, 0, 0};
}

struct option_group device_group(struct device_args *a)
{
    const struct option rows[] = {
        {0, "device", "D",
         "index or part of a name from 'corvid devices', or 'reference' for scalar C on the CPU; "
         "default: the best",
         OPTION_TEXT, &a->device, 0, 0},
        runtime_option(&a->runtime),
        {0, "no-f16", NULL, "do not compute with 16-bit floats", OPTION_FLAG, &a->no_f16, 0, 0},
        {0, "no-subgroups", NULL, "do not use subgroup operations", OPTION_FLAG, &a->no_subgroups, 0, 0},
        {0, "no-matrix", NULL, "do not use matrix units", OPTION_FLAG, &a->no_matrix, 0, 0},
        {0, "check-shaders", NULL, "keep the run-time checks of shaders: bounds, loops, division, zeroed memory",
         OPTION_FLAG, &a->check_shaders, 0, 0},
        {0, "validate", NULL, "check all that shaders, runtime and driver can check", OPTION_FLAG, &a->validate, 0, 0},
        {0, "no-cache", NULL, "neither use nor keep compiled kernels of earlier runs", OPTION_FLAG, &a->no_cache, 0, 0},
        {0, "exact", NULL, "keep activations as floats where weights are integers: slower", OPTION_FLAG, &a->exact, 0,
         0},
        {0, "no-tuning", NULL, "do not use what 'corvid tune' found", OPTION_FLAG, &a->no_tuning, 0, 0},
        {0, "trace", "FILE", "write what CPU and GPU did and when, for ui.perfetto.dev or chrome://tracing",
         OPTION_TEXT, &a->trace, 0, 0},
        {'c', "context", "N", "tokens that a transformer's session can hold; default 0: the model's own, at most 4096",
         OPTION_INTEGER, &a->context, 0, 1 << 24},
        {0, "cache-type", "TYPE",
         "how a transformer keeps keys and values: f32, f16 (half the memory) or q8_0 (a bit more than a quarter); "
         "default f32",
         OPTION_TEXT, &a->cache_type, 0, 0},
        {0, "vram", "MIB", "refuse a model that takes more memory of the device; default 0: no limit", OPTION_INTEGER,
         &a->vram, 0, 1 << 24},
        {'v', "verbose", NULL, "tell what takes memory, and time at the start, on standard error", OPTION_FLAG,
         &a->verbose, 0, 0},
    };
    memcpy(a->rows, rows, sizeof rows);
    return (struct option_group){"device", a->rows, sizeof rows / sizeof *rows};
}

struct option_group device_only_group(struct device_args *a)
{
    struct option_group group = device_group(a);
    group.n -= 7; /* --exact and what follows */
    return group;
}

corvid_device_options device_options(const struct device_args *a)
{
    return (corvid_device_options){.runtime = a->runtime,
                                   .device = a->device,
                                   .no_f16 = a->no_f16,
                                   .no_subgroups = a->no_subgroups,
                                   .no_matrix = a->no_matrix,
                                   .check_shaders = a->check_shaders,
                                   .validate = a->validate,
                                   .cache = a->no_cache ? "off" : NULL,
                                   .no_tuning = a->no_tuning};
}

const char *model_builtin(char buffer[COMMON_PATH_MAX])
{
    char folder[COMMON_PATH_MAX - sizeof BUILTIN_MODEL - 1];
    if (!file_exe_dir(folder, sizeof folder)) {
        out_error("cannot tell where Corvid is installed: give a model with -m FILE");
        return NULL;
    }
    snprintf(buffer, COMMON_PATH_MAX, "%s/" BUILTIN_MODEL, folder);
    FILE *file = fopen(buffer, "rb");
    if (!file) {
        out_error("the built-in model is not at %s: give a model with -m FILE", buffer);
        return NULL;
    }
    fclose(file);
    return buffer;
}

void memory_describe(const struct loaded *m, struct builder *out)
{
    const corvid_model_info *i = corvid_model_describe(m->model);
    const double mib = 1 << 20;
    corvid_memory memory;
    builder_printf(out, "memory: weights %.1f MiB, state of a session %.1f MiB", (double)i->weight_bytes / mib,
                   (double)i->state_bytes / mib);
    if (i->copies_bytes)
        builder_printf(out, " and %.1f MiB of copies once it has answered", (double)i->copies_bytes / mib);
    builder_printf(out, ", activations %.1f MiB\n", (double)i->work_bytes / mib);
    if (corvid_device_memory(m->device, &memory)) {
        builder_printf(out, "        %.1f MiB in use, %.1f MiB held from the driver", (double)memory.used_bytes / mib,
                       (double)memory.reserved_bytes / mib);
        if (memory.bytes) builder_printf(out, "; the device has %.0f MiB", (double)memory.bytes / mib);
        if (memory.budget_bytes)
            builder_printf(out, ", of which this process can use %.0f and uses %.0f", (double)memory.budget_bytes / mib,
                           (double)memory.process_bytes / mib);
        builder_text(out, "\n");
    }
}

/* --verbose: that, and what opening took */
static void tell_start(const struct loaded *m)
{
    const corvid_model_info *i = corvid_model_describe(m->model);
    const char *cache = corvid_device_cache(m->device), *tuning = corvid_device_tuning(m->device);
    struct builder text = {0};
    memory_describe(m, &text);
    builder_printf(&text, "start:  device %.0f ms, file and vocabulary %.0f ms, weights %.0f ms, %u kernels %.0f ms; ",
                   corvid_device_describe(m->device)->open_ms, i->read_ms, i->upload_ms, (unsigned)i->kernels,
                   i->compile_ms);
    builder_printf(&text, "%.0f ms in all\n", m->load_ms);
    if (*cache) builder_printf(&text, "kernels kept in %s\n", cache);
    if (*tuning) builder_printf(&text, "tuning in %s\n", tuning);
    if (text.data) fputs(text.data, stderr);
    builder_free(&text);
}

static bool cache_type_of(const char *name, corvid_cache_type *type)
{
    static const char *const names[] = {"f32", "f16", "q8_0"}; /* in the order of corvid_cache_type */
    *type = CORVID_CACHE_F32;
    for (int i = 0; name && i < (int)(sizeof names / sizeof *names); i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *type = (corvid_cache_type)i;
        return true;
    }
    if (name) out_error("--cache-type %s: expected f32, f16 or q8_0", name);
    return !name;
}

bool model_load(struct loaded *m, const struct device_args *a, const char *path, uint32_t max_sessions, int *code)
{
    char builtin[COMMON_PATH_MAX];
    *m = (struct loaded){.device = NULL};
    *code = EXIT_FAILED;
    corvid_cache_type cache_type;
    if (!cache_type_of(a->cache_type, &cache_type)) {
        *code = EXIT_USAGE;
        return false;
    }
    if (!path && !(path = model_builtin(builtin))) return false;
    uint64_t start = clock_ns();
    corvid_error err = {.code = CORVID_OK};
    corvid_device_options device = device_options(a);
    m->device = corvid_device_open(&device, &err);
    if (!m->device) {
        *code = report(&err);
        return false;
    }
    const char *warning = corvid_device_warning(m->device);
    if (*warning) out_error("%s", warning);
    struct progress progress = {.title = "loading"};
    corvid_model_options options = {.max_sessions = max_sessions,
                                    .context = (uint32_t)a->context,
                                    .exact = a->exact,
                                    .cache_type = cache_type,
                                    .max_memory = (uint64_t)a->vram << 20,
                                    .progress = progress_show,
                                    .progress_user = &progress};
    m->model = corvid_model_open(m->device, path, &options, &err);
    progress_end(&progress);
    if (!m->model) {
        *code = report(&err);
        model_unload(m);
        return false;
    }
    m->load_ms = (double)(clock_ns() - start) / 1e6;
    if (a->verbose) tell_start(m);
    return true;
}

void model_unload(struct loaded *m)
{
    corvid_model_close(m->model);
    corvid_device_close(m->device);
    *m = (struct loaded){.device = NULL};
}

/* ---- traces ---- */

bool trace_open(const struct device_args *a, FILE **file, int *code)
{
    struct error err = {.code = ERR_NONE};
    *file = NULL;
    if (!a->trace) return true;
    *file = file_create(a->trace, &err);
    if (*file) {
        trace_start();
        return true;
    }
    out_error("--trace: %s", err.message);
    *code = EXIT_FAILED;
    return false;
}

int trace_close(const struct device_args *a, FILE *file, int code)
{
    if (!file) return code;
    size_t submissions;
    trace_stop();
    errno = 0;
    bool written = trace_write(file);
    written &= !fclose(file);
    if (!written) {
        out_error("--trace: cannot write %s: %s", a->trace, errno ? strerror(errno) : "unknown error");
        code = code == EXIT_OK ? EXIT_FAILED : code;
    } else if (!trace_submissions(&submissions) || !submissions) {
        out_error("--trace: %s holds CPU zones only: this device gives no timestamps", a->trace);
    } else if (trace_dropped()) {
        out_error("--trace: %s lacks the last %llu events: there were more than %d", a->trace,
                  (unsigned long long)trace_dropped(), TRACE_MAX);
    }
    trace_clear();
    return code;
}

/* ---- prompts ---- */

/* Reads to the end of the stream; `name` is for messages. */
static bool stream_read(FILE *stream, const char *name, char **data, size_t *size, struct error *err)
{
    size_t capacity = 1 << 16, length = 0;
    char *bytes = malloc(capacity + 1);
    while (bytes && !feof(stream) && !ferror(stream)) {
        if (length == capacity) {
            char *larger = capacity < SIZE_MAX / 4 ? realloc(bytes, 2 * capacity + 1) : NULL;
            if (!larger) free(bytes);
            bytes = larger;
            capacity *= 2;
        } else {
            length += fread(bytes + length, 1, capacity - length, stream);
        }
    }
    if (!bytes) return fail_memory(err, name);
    if (ferror(stream)) {
        free(bytes);
        return fail(err, ERR_IO, "cannot read %s: %s", name, strerror(errno));
    }
    bytes[length] = 0;
    *data = bytes;
    *size = length;
    return true;
}

bool file_read(const char *path, char **data, size_t *size, struct error *err)
{
    if (path_is_folder(path)) return fail(err, ERR_IO, "%s is a folder, expected a file", path);
    FILE *file = fopen(path, "rb");
    if (!file) return fail(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    bool done = stream_read(file, path, data, size, err);
    fclose(file);
    return done;
}

static bool text_copy(const char *from, char **text, size_t *length, struct error *err)
{
    *length = strlen(from);
    *text = malloc(*length + 1);
    if (!*text) return fail_memory(err, "the prompt");
    memcpy(*text, from, *length + 1);
    return true;
}

bool prompt_read(const char *command, const char *inline_text, const char *path, char **text, size_t *length, int *code)
{
    struct error err = {.code = ERR_NONE};
    if (!inline_text == !path) {
        const char *mistake =
            path ? "-p and -f exclude each other" : "a prompt is missing: give -p TEXT, -p - or -f FILE";
        out_error("%s: %s, 'corvid %s --help' explains", command, mistake, command);
        *code = EXIT_USAGE;
        return false;
    }
    bool done = path                        ? file_read(path, text, length, &err)
                : !strcmp(inline_text, "-") ? stream_read(stdin, "standard input", text, length, &err)
                                            : text_copy(inline_text, text, length, &err);
    if (done) return true;
    *code = EXIT_FAILED;
    if (*terminal_interrupts()) *code = EXIT_INTERRUPTED;
    else out_error("%s", err.message);
    return false;
}
