/* kernel_hooks.h - where the linker sends calls of gpu_kernel_create and gpu_kernel_create_spirv to a test, which defines
 * __wrap_... (--wrap in CMakeLists.txt), and what it may call instead. */
#ifndef CORVID_TESTS_KERNEL_HOOKS_H
#define CORVID_TESTS_KERNEL_HOOKS_H

#include "gpu/gpu.h"

struct gpu_kernel *__real_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err);
struct gpu_kernel *__wrap_gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                            struct error *err);

struct gpu_kernel *__real_gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                                  const char *bindings, struct error *err);
struct gpu_kernel *__wrap_gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                                  const char *bindings, struct error *err);

#endif
