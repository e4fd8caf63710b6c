/* system_posix.c - see system.h */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <sys/utsname.h>

#include "base/system.h"

void system_describe(char *out, size_t capacity)
{
    struct utsname u;
    if (uname(&u) < 0) snprintf(out, capacity, "unknown");
    else snprintf(out, capacity, "%s %s %s", u.sysname, u.release, u.machine);
}
