/* common.h - what several commands share: opening a device and a model, reading a prompt. */
#ifndef CORVID_CLI_COMMON_H
#define CORVID_CLI_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/args.h"
#include "base/builder.h"
#include "base/error.h"
#include "corvid.h"

enum { COMMON_PATH_MAX = 4096 };

/* The rows that every command with a device has; zero-initialise. */
struct device_args {
    const char *device, *runtime, *trace, *cache_type;
    int64_t context, vram;
    bool no_f16, no_subgroups, no_matrix, check_shaders, validate, no_cache, no_tuning, exact, verbose;
    struct option rows[15];
};

struct option_group device_group(struct device_args *a);      /* of commands that load a model */
struct option_group device_only_group(struct device_args *a); /* without what is about models */
struct option runtime_option(const char **runtime);
corvid_device_options device_options(const struct device_args *a);

struct loaded {
    corvid_device *device;
    corvid_model *model;
    double load_ms; /* opening the device, reading and uploading the file */
};

/* Opens the device and the model `path` (NULL: the built-in one). After false the mistake is printed, *code is the
 * exit code and there is nothing to release. */
bool model_load(struct loaded *m, const struct device_args *a, const char *path, uint32_t max_sessions, int *code);
void model_unload(struct loaded *m);

/* For --trace: opens the file and begins to record; true without --trace. To be called before model_load, and
 * trace_close after model_unload: it writes the file and returns the exit code, which is `code` unless it failed. */
bool trace_open(const struct device_args *a, FILE **file, int *code);
int trace_close(const struct device_args *a, FILE *file, int code);

/* The model that comes with Corvid, next to the executable: `buffer` or NULL with a printed message. */
const char *model_builtin(char buffer[COMMON_PATH_MAX]);

/* A prompt from -p (where "-" is standard input) or -f; both NULL is a mistake. *text is malloc'ed. On false *code is
 * the exit code. */
bool prompt_read(const char *command, const char *inline_text, const char *path, char **text, size_t *length,
                 int *code);

/* The whole file, malloc'ed and 0-terminated. */
bool file_read(const char *path, char **data, size_t *size, struct error *err);

/* What takes memory of the device, one or two lines for people. */
void memory_describe(const struct loaded *m, struct builder *out);

/* Prints the library's error; returns the exit code. */
int report(const corvid_error *err);

#endif
