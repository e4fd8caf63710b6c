/* caches_macos.c - see caches.h */
#include "base/caches.h"

#include <stdio.h>
#include <stdlib.h>

bool caches_folder(char *folder, size_t size)
{
    const char *home = getenv("HOME");
    int length = home && *home == '/' ? snprintf(folder, size, "%s/Library/Caches", home) : -1;
    return length > 0 && (size_t)length < size;
}
