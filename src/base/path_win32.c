/* path_win32.c - see path.h */
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/win32.h"

enum { PATH_BYTES_MAX = 4096 };

bool path_is_folder(const char *path)
{
    wchar_t *wide = win32_wide(path);
    DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

static bool identity(const char *path, BY_HANDLE_FILE_INFORMATION *out)
{
    wchar_t *wide = win32_wide(path);
    if (!wide) return false;
    HANDLE file = CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS, NULL);
    free(wide);
    if (file == INVALID_HANDLE_VALUE) return false;
    bool known = GetFileInformationByHandle(file, out) != 0;
    CloseHandle(file);
    return known;
}

bool path_same(const char *a, const char *b)
{
    BY_HANDLE_FILE_INFORMATION x, y;
    return identity(a, &x) && identity(b, &y) && x.dwVolumeSerialNumber == y.dwVolumeSerialNumber &&
           x.nFileIndexHigh == y.nFileIndexHigh && x.nFileIndexLow == y.nFileIndexLow;
}

static bool make_folder(const char *path)
{
    wchar_t *wide = win32_wide(path);
    /* fails for those that exist: path_is_folder tells */
    if (wide) CreateDirectoryW(wide, NULL);
    free(wide);
    return path_is_folder(path);
}

bool path_make_folders(const char *path)
{
    char folder[PATH_BYTES_MAX];
    size_t length = strlen(path);
    if (!length || length >= sizeof folder) return false;
    memcpy(folder, path, length + 1);
    for (char *at = folder + 1; (at = strpbrk(at, "/\\")); at++) {
        char separator = *at;
        *at = 0;
        if (at[-1] != ':' && !make_folder(folder)) return false;
        *at = separator;
    }
    return true;
}
