/* environment.h - environment variables. */
#ifndef CORVID_BASE_ENVIRONMENT_H
#define CORVID_BASE_ENVIRONMENT_H

/* Sets the variable for this process unless it is set. Before other threads run. */
void environment_default(const char *name, const char *value);

#endif
