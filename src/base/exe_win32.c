/* exe_win32.c - file_exe_dir of file.h, from the module's name */
#include <wchar.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/file.h"
#include "base/win32.h"

enum { MAX_WIDE_PATH = 32768 };

bool file_exe_dir(char *dir, size_t size)
{
    const size_t room = MAX_WIDE_PATH;
    wchar_t *path = HeapAlloc(GetProcessHeap(), 0, room * sizeof *path);
    if (!path) return false;
    DWORD length = GetModuleFileNameW(NULL, path, (DWORD)room);
    wchar_t *slash = length && length < room ? wcsrchr(path, L'\\') : NULL;
    if (slash) *slash = 0;
    bool ok = slash && win32_narrow(path, dir, size);
    HeapFree(GetProcessHeap(), 0, path);
    return ok;
}
