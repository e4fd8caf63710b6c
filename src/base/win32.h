/* win32.h - what the *_win32.c files share: UTF-8 <-> UTF-16 and the texts of Windows errors. */
#ifndef CORVID_BASE_WIN32_H
#define CORVID_BASE_WIN32_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "base/error.h"

/* The caller frees it. NULL if `text` is not UTF-8 or memory runs out; GetLastError says which. */
wchar_t *win32_wide(const char *text);

/* False if `size` bytes do not hold the text and its 0. */
bool win32_narrow(const wchar_t *wide, char *text, size_t size);

/* fail(ERR_IO) with "ACTION PATH: what GetLastError means". */
bool win32_fail(struct error *err, const char *action, const char *path);

#endif
