/* shaders.c - see shaders.h. A few dozen names, asked for once per pipeline: a linear search is enough. */
#include "ops/shaders.h"

#include <string.h>

const char *shader_find(const char *name)
{
    for (size_t i = 0; i < n_shaders; i++) {
        if (!strcmp(shaders[i].name, name)) return shaders[i].text;
    }
    return NULL;
}
