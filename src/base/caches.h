/* caches.h - where programs of this user may keep what they can make again. */
#ifndef CORVID_BASE_CACHES_H
#define CORVID_BASE_CACHES_H

#include <stdbool.h>
#include <stddef.h>

/* The folder for caches of all programs, UTF-8, without a slash at its end; it need not exist. False if the system does
 * not tell or `size` is too small. */
bool caches_folder(char *folder, size_t size);

#endif
