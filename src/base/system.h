/* system.h - what this program runs on. */
#ifndef CORVID_BASE_SYSTEM_H
#define CORVID_BASE_SYSTEM_H

#include <stddef.h>

/* One line, "Linux 6.1.0-18-amd64 x86_64"; cut if it does not fit. */
void system_describe(char *out, size_t capacity);

#endif
