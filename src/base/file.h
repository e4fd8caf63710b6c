/* file.h - what the C library lacks for writing files safely. Paths are UTF-8 on every system. */
#ifndef CORVID_BASE_FILE_H
#define CORVID_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Creates or empties the file, for binary writing; NULL with ERR_IO if that fails. */
FILE *file_create(const char *path, struct error *err);

/* The same for a file that must not exist yet and that only this user may read and write. */
FILE *file_create_own(const char *path, struct error *err);

/* Opens a regular file for binary reading if it belongs to this user and nobody else may write to it; else NULL. */
FILE *file_open_own(const char *path);

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
