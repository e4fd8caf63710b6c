/* path_none.c - see path.h: a system that tells nothing */
#include "base/path.h"

#include <string.h>

bool path_is_folder(const char *path)
{
    (void)path;
    return false;
}

bool path_same(const char *a, const char *b) { return strcmp(a, b) == 0; }

bool path_make_folders(const char *path)
{
    (void)path;
    return false;
}
