/* caches_linux.c - see caches.h: the XDG Base Directory Specification */
#include "base/caches.h"

#include <stdio.h>
#include <stdlib.h>

bool caches_folder(char *folder, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (cache && *cache == '/') length = snprintf(folder, size, "%s", cache); /* others are invalid, it says */
    else if (home && *home == '/') length = snprintf(folder, size, "%s/.cache", home);
    return length > 0 && (size_t)length < size;
}
