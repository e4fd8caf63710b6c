/* clock.h - time that never goes back. */
#ifndef CORVID_BASE_CLOCK_H
#define CORVID_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some moment in the past; thread-safe. */
uint64_t clock_ns(void);

#endif
