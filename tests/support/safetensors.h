/* safetensors.h - reads SafeTensors files: a JSON header of named tensors, then their data. Every offset is checked. */
#ifndef CORVID_TESTS_SUPPORT_SAFETENSORS_H
#define CORVID_TESTS_SUPPORT_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

struct safetensors; /* opaque */

/* Fails the running test if the file is not readable or not a SafeTensors file. */
struct safetensors *safetensors_open(const char *path);
void safetensors_close(struct safetensors *s); /* accepts NULL */

/* A tensor's data; *n is its number of items. Fails the running test if it is not there or of another type. */
const float *safetensors_f32(const struct safetensors *s, const char *name, size_t *n);
const uint8_t *safetensors_u8(const struct safetensors *s, const char *name, size_t *n);

#endif
