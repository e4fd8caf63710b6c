/* system_none.c - system.h where there is nothing to ask */
#include <stdio.h>

#include "base/system.h"

void system_describe(char *out, size_t capacity) { snprintf(out, capacity, "unknown"); }
