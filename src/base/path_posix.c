/* path_posix.c - see path.h */
#define _POSIX_C_SOURCE 200809L

#include "base/path.h"

#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 4096 };

bool path_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool path_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool path_make_folders(const char *path)
{
    char folder[PATH_BYTES_MAX];
    size_t length = strlen(path);
    if (!length || length >= sizeof folder) return false;
    memcpy(folder, path, length + 1);
    for (char *at = folder + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        /* fails for those that exist: the next line tells */
        mkdir(folder, 0700);
        if (!path_is_folder(folder)) return false;
        *at = '/';
    }
    return true;
}
