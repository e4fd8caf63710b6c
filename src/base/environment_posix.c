/* environment_posix.c - see environment.h */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>

#include "base/environment.h"

void environment_default(const char *name, const char *value) { setenv(name, value, 0); }
