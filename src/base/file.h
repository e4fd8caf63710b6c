/* file.h - what the C library lacks for writing files safely. Paths are UTF-8 on every system. */
#ifndef CORVID_BASE_FILE_H
#define CORVID_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Creates or empties the file, for binary writing; NULL with ERR_IO if that fails. */
FILE *file_create(const char *path, struct error *err);

/* Brings what was written to the disk itself. */
bool file_sync(FILE *file, struct error *err);

/* Gives `from` the name `to` in one step, replacing what was there; both on the same disk. */
bool file_replace(const char *from, const char *to, struct error *err);

/* True if the file is gone, also if it never was there. */
bool file_remove(const char *path, struct error *err);

/* The folder of the running program, without a slash at its end, 0-terminated. False if the system does not tell
 * or `size` is too small. */
bool file_exe_dir(char *dir, size_t size);

#endif
