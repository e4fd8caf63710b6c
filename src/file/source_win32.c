/* source_win32.c - see source.h: a read-only view of a file mapping. handle is the view's address. */
#include "file/source.h"

#include <stdlib.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/win32.h"

static bool map_file(struct source *s, HANDLE file, const char *path, struct error *err)
{
    LARGE_INTEGER size;
    if (!GetFileSizeEx(file, &size)) return win32_fail(err, "cannot look at", path);
    if (size.QuadPart <= 0) return fail(err, ERR_IO, "%s is empty: download it again", path);
    if ((uint64_t)size.QuadPart > SIZE_MAX / 2)
        return fail(err, ERR_UNSUPPORTED, "%s is too large for this system's address space", path);
    HANDLE mapping = CreateFileMappingW(file, NULL, PAGE_READONLY, (DWORD)size.HighPart, size.LowPart, NULL);
    if (!mapping) return win32_fail(err, "cannot map", path);
    void *data = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    if (!data) win32_fail(err, "cannot map", path);
    CloseHandle(mapping); /* the view stays */
    if (!data) return false;
    *s = (struct source){data, (uint64_t)size.QuadPart, data};
    return true;
}

bool source_open(struct source *s, const char *path, struct error *err)
{
    *s = (struct source){0};
    wchar_t *wide = win32_wide(path);
    if (!wide) return win32_fail(err, "cannot use the path", path);
    DWORD attributes = GetFileAttributesW(wide);
    bool folder = attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY;
    HANDLE file = folder ? INVALID_HANDLE_VALUE
                         : CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                       FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    bool ok = false;
    if (folder) {
        fail(err, ERR_IO, "%s is a folder, expected a model file", path);
    } else if (file == INVALID_HANDLE_VALUE) {
        win32_fail(err, "cannot open", path);
    } else {
        ok = map_file(s, file, path, err);
        CloseHandle(file);
    }
    free(wide);
    return ok;
}

void source_forget(const struct source *s, uint64_t at, uint64_t bytes)
{
    if (!s->handle || at >= s->size) return;
    if (bytes > s->size - at) bytes = s->size - at;
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    uint64_t page = info.dwPageSize, from = (at + page - 1) / page * page, to = (at + bytes) / page * page;
    /* unlocking pages that are not locked is the documented way to take them out of the working set */
    if (from < to) VirtualUnlock((uint8_t *)s->handle + from, (SIZE_T)(to - from));
}

void source_close(struct source *s)
{
    if (s->handle) UnmapViewOfFile(s->handle);
    *s = (struct source){0};
}
