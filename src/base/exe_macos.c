/* exe_macos.c - file_exe_dir of file.h, from the dynamic loader */
#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

bool file_exe_dir(char *dir, size_t size)
{
    char raw[PATH_MAX], path[PATH_MAX];
    uint32_t room = sizeof raw;
    /* the loader's path may go through links */
    if (_NSGetExecutablePath(raw, &room) || !realpath(raw, path)) return false;
    char *slash = strrchr(path, '/');
    if (!slash) return false;
    slash[slash == path] = 0;
    if (strlen(path) >= size) return false;
    strcpy(dir, path);
    return true;
}
