/* clock_none.c - see clock.h: C's own clock, which the user may set */
#include <time.h>

#include "base/clock.h"

uint64_t clock_ns(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
