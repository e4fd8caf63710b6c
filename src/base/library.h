/* library.h - shared libraries loaded at run time. */
#ifndef CORVID_BASE_LIBRARY_H
#define CORVID_BASE_LIBRARY_H

#include "base/error.h"

/* Loads the library at `path` (or by the system's search if it has no slash). NULL with the system's reason in err. */
void *library_open(const char *path, struct error *err);
/* The address of a function, or NULL. */
void (*library_symbol(void *library, const char *name))(void);
void library_close(void *library);

#endif
