/* environment_none.c - no variable is needed here; see environment.h */
#include "base/environment.h"

void environment_default(const char *name, const char *value) { (void)name, (void)value; }
