/* library_posix.c - see library.h */
#include <dlfcn.h>
#include <string.h>

#include "base/library.h"

void *library_open(const char *path, struct error *err)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail(err, ERR_NO_DEVICE, "%s", dlerror());
    return library;
}

void (*library_symbol(void *library, const char *name))(void)
{
    /* POSIX lets data pointers hold functions; C does not say how to convert them */
    void *address = dlsym(library, name);
    void (*function)(void);
    memcpy(&function, &address, sizeof function);
    return function;
}

void library_close(void *library)
{
    if (library) dlclose(library);
}
