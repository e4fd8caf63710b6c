/* native.c - finds and loads the WebGPU library. */
#include "gpu/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/library.h"

/* every platform's name: only one of them exists at a time */
static const char *const library_names[] = {"libwgpu_native.so", "libwgpu_native-release.so", "libwgpu_native.dylib",
                                            "wgpu_native.dll"};
enum { N_NAMES = sizeof library_names / sizeof *library_names };

static void *open_library(struct error *err)
{
    const char *chosen = getenv("CORVID_WEBGPU");
    if (chosen && *chosen) {
        void *library = library_open(chosen, err);
        if (!library) fail_in(err, "the WebGPU library named by CORVID_WEBGPU cannot be loaded");
        return library;
    }
    char folder[2048], path[2200];
    if (file_exe_dir(folder, sizeof folder)) {
        for (int i = 0; i < N_NAMES; i++) {
            snprintf(path, sizeof path, "%s/../lib/corvid/%s", folder, library_names[i]);
            void *library = library_open(path, NULL);
            if (library) return library;
        }
    }
    for (int i = 0; i < N_NAMES; i++) {
        void *library = library_open(library_names[i], NULL);
        if (library) return library;
    }
    fail(err, ERR_NO_DEVICE,
         "the WebGPU library (libwgpu_native) was not found in lib/corvid beside the program or in the system's "
         "folders: run scripts/setup in the source folder, or set CORVID_WEBGPU to its path");
    return NULL;
}

bool webgpu_load(struct webgpu *w, struct error *err)
{
    /* Mesa's device-select layer complains on stderr where there is no desktop; Corvid chooses devices itself */
    environment_default("NODEVICE_SELECT", "1");
    *w = (struct webgpu){.library = open_library(err)};
    if (!w->library) return false;
    const char *missing = NULL;
#define X(name)                                                                \
    {                                                                          \
        void (*f)(void) = library_symbol(w->library, "wgpu" #name);            \
        memcpy(&w->name, &f, sizeof f);                                        \
        if (!f) missing = "wgpu" #name;                                        \
    }
    WEBGPU_FUNCTIONS(X)
    WGPU_NATIVE_FUNCTIONS(X)
#undef X
    if (!missing) return true;
    webgpu_unload(w);
    return fail(err, ERR_NO_DEVICE, "the WebGPU library has no function %s: expected wgpu-native 29", missing);
}

void webgpu_unload(struct webgpu *w)
{
    library_close(w->library);
    *w = (struct webgpu){0};
}
