/* kernel_cache.c - links WGSL snippets to kernels. See kernel_cache.h and dispatch_desc in ops/op.h. */
#include "model/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/shaders.h"

enum { NAME_CAPACITY = 192 };

struct cached_kernel {
    char name[NAME_CAPACITY];
    struct gpu_kernel *kernel;
};

void kernel_cache_init(struct kernel_cache *c, struct gpu *gpu, struct step_limits limits)
{
    *c = (struct kernel_cache){.gpu = gpu, .limits = limits};
}

void kernel_cache_free(struct kernel_cache *c)
{
    for (uint32_t i = 0; i < c->n_kernels; i++) gpu_kernel_destroy(c->kernels[i].kernel);
    free(c->kernels);
    c->kernels = NULL;
    c->n_kernels = 0;
}

void kernel_name(const struct dispatch_desc *d, char *out, size_t capacity)
{
    size_t at = 0;
    for (int i = 0; i < DISPATCH_MAX_FILES && d->files[i] && at < capacity; i++)
        at += (size_t)snprintf(out + at, capacity - at, "%s%s", i ? " " : "", d->files[i]);
    for (int i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name && at < capacity; i++)
        at += (size_t)snprintf(out + at, capacity - at, " %s=%u", d->consts[i].name, d->consts[i].value);
    if (d->f16 && at < capacity) snprintf(out + at, capacity - at, " f16");
}

bool kernel_text(const struct dispatch_desc *d, const struct gpu_info *device, struct step_limits limits,
                 struct builder *out, struct error *err)
{
    builder_text(out, d->f16 ? "enable f16;\nalias Real = f16;\n" : "alias Real = f32;\n");
    for (int i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name; i++)
        builder_printf(out, "const %s = %uu;\n", d->consts[i].name, d->consts[i].value);
    builder_printf(out, "const SUBGROUP = %uu;\nconst MAX_TOKENS = %uu;\nconst MAX_SEQS = %uu;\nconst MAX_OUTPUTS = %uu;\n",
                   device->subgroup_size, limits.tokens, limits.seqs, limits.outputs);
    builder_text(out, d->params_wgsl);
    const char *files[DISPATCH_MAX_FILES + 1] = {"batch"};
    memcpy(files + 1, d->files, sizeof d->files);
    for (int i = 0; i < DISPATCH_MAX_FILES + 1 && files[i]; i++) {
        const char *text = shader_find(files[i]);
        if (!text) return fail(err, ERR_ARGUMENT, "there is no shader %s", files[i]);
        builder_text(out, text);
    }
    return out->failed ? fail_memory(err, "a kernel's text") : true;
}

/* binding 0 params, 1 batch, then the operands */
static void bindings_of(const struct dispatch_desc *d, char *out)
{
    *out++ = 'u';
    *out++ = 'r';
    for (size_t i = 0; i < d->n_operands; i++) *out++ = d->operands[i].access;
    *out = 0;
}

const struct gpu_kernel *kernel_cache_get(struct kernel_cache *c, const struct dispatch_desc *d, struct error *err)
{
    char name[NAME_CAPACITY], bindings[DISPATCH_MAX_OPERANDS + 3];
    kernel_name(d, name, sizeof name);
    for (uint32_t i = 0; i < c->n_kernels; i++)
        if (!strcmp(c->kernels[i].name, name)) return c->kernels[i].kernel;
    if (!(c->n_kernels & (c->n_kernels - 1))) {
        size_t capacity = c->n_kernels ? 2 * (size_t)c->n_kernels : 1;
        struct cached_kernel *grown = realloc(c->kernels, capacity * sizeof *grown);
        if (!grown) return fail_memory(err, "the kernel cache"), NULL;
        c->kernels = grown;
    }
    struct builder text = {0};
    struct gpu_kernel *kernel = NULL;
    bindings_of(d, bindings);
    if (kernel_text(d, gpu_describe(c->gpu), c->limits, &text, err))
        kernel = gpu_kernel_create(c->gpu, name, text.data, bindings, err);
    builder_free(&text);
    if (!kernel) return NULL;
    struct cached_kernel *entry = &c->kernels[c->n_kernels++];
    memcpy(entry->name, name, sizeof name);
    entry->kernel = kernel;
    return kernel;
}
