/* library_none.c - a platform without shared libraries; see library.h */
#include "base/library.h"

void *library_open(const char *path, struct error *err)
{
    fail(err, ERR_NO_DEVICE, "%s: this platform cannot load libraries", path);
    return 0;
}

void (*library_symbol(void *library, const char *name))(void)
{
    (void)library, (void)name;
    return 0;
}

void library_close(void *library) { (void)library; }
