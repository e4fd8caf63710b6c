/* library_win32.c - see library.h */
#include <windows.h>

#include "base/library.h"

void *library_open(const char *path, struct error *err)
{
    HMODULE library = LoadLibraryA(path);
    if (!library) fail(err, ERR_NO_DEVICE, "%s: LoadLibrary failed with error %lu", path, GetLastError());
    return library;
}

void (*library_symbol(void *library, const char *name))(void) { return (void (*)(void))GetProcAddress(library, name); }

void library_close(void *library)
{
    if (library) FreeLibrary(library);
}
