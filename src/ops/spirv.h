/* spirv.h - kernels as SPIR-V, for what GLSL can say to a Vulkan driver and WGSL cannot (the registers of matrix units).
 * Each has a WGSL sibling for everyone else. They are compiled from src/ops by the build, once for each weight type in
 * the line "// codecs:" of a .comp file, if a GLSL compiler is there; else none exists. */
#ifndef CORVID_OPS_SPIRV_H
#define CORVID_OPS_SPIRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spirv_module {
    const char *name; /* path below src/ops without .comp, and the codec: "matmul/units_direct q4_k" */
    const uint32_t *words;
    size_t n_words;
};

extern const struct spirv_module spirv_modules[]; /* written by the build; a NULL name ends it */

/* NULL: this build has none of that name. */
const struct spirv_module *spirv_find(const char *name);

/* Gives the specialisation constant `name` another value in a module's words. False: the module has none of that name. */
bool spirv_set(uint32_t *words, size_t n_words, const char *name, uint32_t value);

#endif
