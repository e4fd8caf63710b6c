/* shaders.h - the WGSL sources of src/ops, carried inside the library (written by tools/embed.c at build time). */
#ifndef CORVID_OPS_SHADERS_H
#define CORVID_OPS_SHADERS_H

#include <stddef.h>

struct shader {
    const char *name; /* path below src/ops without .wgsl: "matmul/matvec" */
    const char *text;
};

extern const struct shader shaders[];
extern const size_t n_shaders;

/* The text of a shader, or NULL if there is none of that name. */
const char *shader_find(const char *name);

#endif
