/* path.h - questions about files that C's standard library cannot answer. Paths are UTF-8. */
#ifndef CORVID_BASE_PATH_H
#define CORVID_BASE_PATH_H

#include <stdbool.h>

bool path_is_folder(const char *path);

/* Both exist and are one file, whatever the paths look like. */
bool path_same(const char *a, const char *b);

/* Creates the folders that lead to the file `path`, private to the user. False if one is missing afterwards. */
bool path_make_folders(const char *path);

#endif
