/* win32.c - see win32.h */
#include "base/win32.h"

#include <stdlib.h>
#include <string.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

wchar_t *win32_wide(const char *text)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = length > 0 ? calloc((size_t)length, sizeof *wide) : NULL;
    if (wide) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
    return wide;
}

bool win32_narrow(const wchar_t *wide, char *text, size_t size)
{
    int room = size < 1 << 20 ? (int)size : 1 << 20;
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, room, NULL, NULL) > 0;
}

bool win32_fail(struct error *err, const char *action, const char *path)
{
    DWORD code = GetLastError();
    wchar_t wide[256];
    char text[512];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, wide,
                                  sizeof wide / sizeof *wide, NULL);
    /* the system's texts end in a line break */
    while (length && (wide[length - 1] == L'\n' || wide[length - 1] == L'\r' || wide[length - 1] == L' ')) length--;
    wide[length < 255 ? length : 255] = 0;
    if (!length || !win32_narrow(wide, text, sizeof text))
        return fail(err, ERR_IO, "%s %s: Windows error %lu", action, path, (unsigned long)code);
    return fail(err, ERR_IO, "%s %s: %s", action, path, text);
}
