/* caches_win32.c - see caches.h */
#include "base/caches.h"

#include <stdlib.h>
#include <wchar.h>

#include "base/win32.h"

bool caches_folder(char *folder, size_t size)
{
    const wchar_t *local = _wgetenv(L"LOCALAPPDATA");
    return local && *local && win32_narrow(local, folder, size);
}
