/* native.c - finds and loads the WebGPU library: one of the known runtimes, or a file that the user names. */
#include "gpu/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/library.h"

/* best first: without a choice the first one that loads is used */
static const struct runtime {
    const char *name, *stem; /* of --runtime, of the library's file */
    const char *how_to_get;
} runtimes[] = {
    {"wgpu30", "corvid_wgpu", "`make runtime` in the source folder builds it"},
    {"wgpu-native", "wgpu_native", "scripts/setup in the source folder fetches it"},
};
enum { N_RUNTIMES = sizeof runtimes / sizeof *runtimes };

/* every platform's way to name a library: only one of them exists at a time */
static const char *const affixes[][2] = {{"lib", ".so"}, {"lib", ".dylib"}, {"", ".dll"}};
enum { N_AFFIXES = sizeof affixes / sizeof *affixes, NAME_CAPACITY = 64, FOLDER_CAPACITY = 2048 };

static void file_name(const struct runtime *r, int platform, char out[NAME_CAPACITY])
{
    snprintf(out, NAME_CAPACITY, "%s%s%s", affixes[platform][0], r->stem, affixes[platform][1]);
}

/* ---- one library ---- */

static bool bind_functions(struct webgpu *w, struct error *err)
{
    const char *missing = NULL;
#define LOAD(prefix, name)                                                                                             \
    {                                                                                                                  \
        void (*f)(void) = library_symbol(w->library, prefix #name);                                                    \
        memcpy(&w->name, &f, sizeof f);                                                                                \
    }
#define X(name) LOAD("wgpu", name) if (!w->name) missing = "wgpu" #name;
    WEBGPU_FUNCTIONS(X)
    WGPU_NATIVE_FUNCTIONS(X)
#undef X
#define X(name) LOAD("wgpu", name)
    WEBGPU_OPTIONAL_FUNCTIONS(X)
#undef X
#define X(name) LOAD("corvidWgpu", name)
    CORVID_WGPU_FUNCTIONS(X)
#undef X
#undef LOAD
    if (!missing) return true;
    webgpu_unload(w);
    return fail(err, ERR_NO_DEVICE, "the WebGPU library has no function %s: expected wgpu-native 29 or wgpu30",
                missing);
}

static bool load_file(struct webgpu *w, const char *path, const char *runtime, struct error *err)
{
    *w = (struct webgpu){.library = library_open(path, err)};
    if (!w->library || !bind_functions(w, err)) return false;
    snprintf(w->runtime, sizeof w->runtime, "%s", runtime);
    uint32_t v = w->GetVersion ? w->GetVersion() : 0;
    snprintf(w->version, sizeof w->version, "%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
    if (!v) snprintf(w->version, sizeof w->version, "unknown");
    return true;
}

static bool is_there(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file;
}

/* ---- a known runtime ---- */

/* lib/corvid beside the program's bin; "" if the system does not tell where that is */
static void library_folder(char out[FOLDER_CAPACITY])
{
    const char *rest = "/../lib/corvid";
    if (file_exe_dir(out, FOLDER_CAPACITY - strlen(rest))) strcat(out, rest);
    else *out = 0;
}

enum outcome { LOADED, ABSENT, BROKEN };

static enum outcome load_runtime(struct webgpu *w, const struct runtime *r, struct error *err)
{
    char folder[FOLDER_CAPACITY], name[NAME_CAPACITY], path[FOLDER_CAPACITY + NAME_CAPACITY];
    library_folder(folder);
    for (int i = 0; *folder && i < N_AFFIXES; i++) {
        file_name(r, i, name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!is_there(path)) continue;
        if (load_file(w, path, r->name, err)) return LOADED;
        fail_in(err, "the WebGPU runtime %s", r->name);
        return BROKEN;
    }
    for (int i = 0; i < N_AFFIXES; i++) {
        file_name(r, i, name);
        if (load_file(w, name, r->name, NULL)) return LOADED;
    }
    file_name(r, 0, name);
    fail(err, ERR_NO_DEVICE,
         "the WebGPU runtime %s was not found: looked for %s (.dylib, .dll) in %s and in the "
         "system's folders; %s, --runtime and CORVID_WEBGPU take another's path",
         r->name, name, folder, r->how_to_get);
    return ABSENT;
}

static bool load_best(struct webgpu *w, struct error *err)
{
    struct error why, reported = {0};
    bool broken = false;
    for (int i = 0; i < N_RUNTIMES; i++) {
        enum outcome outcome = load_runtime(w, &runtimes[i], &why);
        if (outcome == LOADED) return true;
        /* a library that is there but damaged explains more than one that is not there */
        if (outcome == BROKEN || !broken) reported = why;
        broken |= outcome == BROKEN;
    }
    if (err) *err = reported;
    return false;
}

/* ---- the user's choice ---- */

/* The known runtime whose library has this file name, "/some/where/libwgpu_native.so"; else the file name itself. */
static const char *runtime_of_path(const char *path)
{
    const char *base = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' || *c == '\\') base = c + 1;
    for (int i = 0; i < N_RUNTIMES; i++)
        for (int platform = 0; platform < N_AFFIXES; platform++) {
            char name[NAME_CAPACITY];
            file_name(&runtimes[i], platform, name);
            if (!strcmp(base, name)) return runtimes[i].name;
        }
    return base;
}

static bool load_chosen(struct webgpu *w, const char *chosen, struct error *err)
{
    for (int i = 0; i < N_RUNTIMES; i++)
        if (!strcmp(chosen, runtimes[i].name)) return load_runtime(w, &runtimes[i], err) == LOADED;
    /* names of runtimes hold none of these, paths and file names do */
    if (strpbrk(chosen, "/\\.")) {
        if (load_file(w, chosen, runtime_of_path(chosen), err)) return true;
        return fail_in(err, "the WebGPU library %s cannot be used", chosen);
    }
    return fail(err, ERR_NO_DEVICE,
                "no WebGPU runtime is called \"%s\": expected %s (lib%s.so), %s (lib%s.so), or the "
                "path of a library",
                chosen, runtimes[0].name, runtimes[0].stem, runtimes[1].name, runtimes[1].stem);
}

bool webgpu_load(struct webgpu *w, const char *runtime, struct error *err)
{
    /* Mesa's device-select layer complains on stderr where there is no desktop; Corvid chooses devices itself */
    environment_default("NODEVICE_SELECT", "1");
    *w = (struct webgpu){0};
    if (runtime && *runtime) return load_chosen(w, runtime, err);
    runtime = getenv("CORVID_WEBGPU");
    if (!runtime || !*runtime) return load_best(w, err);
    return load_chosen(w, runtime, err) ? true : fail_in(err, "CORVID_WEBGPU");
}

void webgpu_unload(struct webgpu *w)
{
    library_close(w->library);
    *w = (struct webgpu){0};
}
