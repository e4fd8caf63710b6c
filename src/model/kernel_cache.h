/* kernel_cache.h - dispatch descriptions to compiled kernels, each compiled once, several at a time. */
#ifndef CORVID_MODEL_KERNEL_CACHE_H
#define CORVID_MODEL_KERNEL_CACHE_H

#include "base/builder.h"
#include "ops/op.h"

struct kernel_cache {
    struct gpu *gpu;
    struct step_limits limits;
    struct cached_kernel *kernels;
    uint32_t n_kernels;
};

void kernel_cache_init(struct kernel_cache *c, struct gpu *gpu, struct step_limits limits);
void kernel_cache_free(struct kernel_cache *c);

/* Notes that the description's kernel will be needed. */
bool kernel_cache_want(struct kernel_cache *c, const struct dispatch_desc *d, struct error *err);

/* The same of a kernel that is no operation's: its WGSL, which is taken over, and the letters of its bindings (gpu.h). */
bool kernel_cache_want_text(struct kernel_cache *c, const char *name, const char *bindings, struct builder *text,
                            struct error *err);

/* Compiles what is wanted, on as many threads as there are processors. What fails is as if it had not been wanted. */
bool kernel_cache_compile(struct kernel_cache *c, struct error *err);

/* The compiled kernel of a description; NULL if it was not wanted. */
const struct gpu_kernel *kernel_cache_find(const struct kernel_cache *c, const struct dispatch_desc *d);
const struct gpu_kernel *kernel_cache_find_name(const struct kernel_cache *c, const char *name);

/* Its name, "matmul/matvec codec/q4_k reduce/subgroup LANES=32": label, profile row, cache key. */
void kernel_name(const struct dispatch_desc *d, char *out, size_t capacity);

/* Its WGSL. Fails with ERR_ARGUMENT if a file is not there. */
bool kernel_text(const struct dispatch_desc *d, const struct gpu_info *device, struct step_limits limits,
                 struct builder *out, struct error *err);

/* Its SPIR-V, where that is what it is: words, malloc'ed. Fails with ERR_ARGUMENT if this build has none of its name. */
bool kernel_spirv(const struct dispatch_desc *d, const struct gpu_info *device, struct step_limits limits,
                  struct gpu_spirv *out, struct error *err);

#endif
