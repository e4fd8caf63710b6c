/* file_win32.c - see file.h */
#include "base/file.h"

#include <errno.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/win32.h"

static FILE *create(const char *path, const wchar_t *mode, struct error *err)
{
    wchar_t *wide = win32_wide(path);
    FILE *file = wide ? _wfopen(wide, mode) : NULL;
    if (!wide) win32_fail(err, "cannot use the path", path);
    else if (!file) fail(err, ERR_IO, "cannot create %s: %s", path, strerror(errno));
    free(wide);
    return file;
}

FILE *file_create(const char *path, struct error *err) { return create(path, L"wb", err); }

/* folders of a user are closed to others by their access lists */
FILE *file_create_own(const char *path, struct error *err) { return create(path, L"wbx", err); }

FILE *file_open_own(const char *path)
{
    wchar_t *wide = win32_wide(path);
    FILE *file = wide ? _wfopen(wide, L"rb") : NULL;
    free(wide);
    return file;
}

bool file_sync(FILE *file, struct error *err)
{
    if (fflush(file) || _commit(_fileno(file))) return fail(err, ERR_IO, "cannot write: %s", strerror(errno));
    return true;
}

bool file_replace(const char *from, const char *to, struct error *err)
{
    wchar_t *wide_from = win32_wide(from), *wide_to = win32_wide(to);
    bool ok =
        wide_from && wide_to && MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
    if (!ok) win32_fail(err, "cannot replace", to);
    free(wide_from);
    free(wide_to);
    return ok;
}

bool file_remove(const char *path, struct error *err)
{
    wchar_t *wide = win32_wide(path);
    bool ok = wide && (DeleteFileW(wide) || GetLastError() == ERROR_FILE_NOT_FOUND);
    if (!ok) win32_fail(err, "cannot remove", path);
    free(wide);
    return ok;
}
