/* caches_none.c - see caches.h: a system without folders */
#include "base/caches.h"

bool caches_folder(char *folder, size_t size)
{
    (void)folder, (void)size;
    return false;
}
