/* clock_posix.c - see clock.h */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "base/clock.h"

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
