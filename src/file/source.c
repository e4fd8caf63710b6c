/* source.c - the part of source.h that is the same everywhere; source_{posix,win32,none}.c have the rest */
#include "file/source.h"

struct source source_memory(const void *data, uint64_t size) { return (struct source){data, size, NULL}; }
