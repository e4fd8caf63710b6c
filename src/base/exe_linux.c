/* exe_linux.c - file_exe_dir of file.h, from /proc */
#define _POSIX_C_SOURCE 200809L

#include <string.h>
#include <unistd.h>

#include "base/file.h"

bool file_exe_dir(char *dir, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", dir, size);
    /* a path as long as the buffer may have been cut */
    if (length <= 0 || (size_t)length >= size) return false;
    dir[length] = 0;
    char *slash = strrchr(dir, '/');
    if (!slash) return false;
    slash[slash == dir] = 0;
    return true;
}
