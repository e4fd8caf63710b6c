/* kernel_cache.c - links WGSL snippets to kernels. See kernel_cache.h and dispatch_desc in ops/op.h. */
#include "model/kernel_cache.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "ops/shaders.h"
#include "ops/spirv.h"

enum { NAME_CAPACITY = 640 };

struct cached_kernel {
    char name[NAME_CAPACITY];
    char bindings[DISPATCH_MAX_OPERANDS + 3];
    struct builder text;       /* until it is compiled: WGSL, */
    struct gpu_spirv spirv;    /* or words, malloc'ed */
    struct gpu_kernel *kernel; /* from then on */
};

void kernel_cache_init(struct kernel_cache *c, struct gpu *gpu, struct step_limits limits)
{
    *c = (struct kernel_cache){.gpu = gpu, .limits = limits};
}

static void free_code(struct cached_kernel *k)
{
    builder_free(&k->text);
    free((void *)k->spirv.words);
    k->spirv = (struct gpu_spirv){0};
}

void kernel_cache_free(struct kernel_cache *c)
{
    for (uint32_t i = 0; i < c->n_kernels; i++) {
        gpu_kernel_destroy(c->kernels[i].kernel);
        free_code(&c->kernels[i]);
    }
    free(c->kernels);
    c->kernels = NULL;
    c->n_kernels = 0;
}

static unsigned long long hash_params(const struct dispatch_desc *d)
{
    unsigned long long h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < d->params_bytes; i++) h = (h ^ ((const unsigned char *)d->params)[i]) * 1099511628211u;
    return h;
}

/* struct Params and `params`: a uniform, or a constant */
static void put_params(const struct dispatch_desc *d, struct builder *out)
{
    builder_text(out, d->params_wgsl);
    if (!d->baked) {
        builder_text(out, "@group(0) @binding(0) var<uniform> params: Params;\n");
        return;
    }
    const char *type = d->params_wgsl;
    builder_text(out, "const params = Params(");
    for (size_t i = 0; i < d->params_bytes / sizeof(uint32_t) && (type = strchr(type, ':')); i++, type++) {
        uint32_t word;
        float number;
        memcpy(&word, (const char *)d->params + i * sizeof word, sizeof word);
        memcpy(&number, &word, sizeof number);
        if (type[2] == 'u') builder_printf(out, "%uu, ", word);
        else builder_printf(out, "f32(%.9g), ", (double)number);
    }
    builder_text(out, ");\n");
}

void kernel_name(const struct dispatch_desc *d, char *out, size_t capacity)
{
    size_t at = 0;
    for (int i = 0; i < DISPATCH_MAX_FILES && d->files[i] && at < capacity; i++)
        at += (size_t)snprintf(out + at, capacity - at, "%s%s", i ? " " : "", d->files[i]);
    for (int i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name && at < capacity; i++)
        at += (size_t)snprintf(out + at, capacity - at, " %s=%u", d->consts[i].name, d->consts[i].value);
    if (d->f16 && at < capacity) at += (size_t)snprintf(out + at, capacity - at, " f16");
    if (d->baked && at < capacity) snprintf(out + at, capacity - at, " params=%016llx", hash_params(d));
}

bool kernel_text(const struct dispatch_desc *d, const struct gpu_info *device, struct step_limits limits,
                 struct builder *out, struct error *err)
{
    if (d->matrix_units) builder_text(out, "enable wgpu_cooperative_matrix;\n");
    builder_text(out, d->f16 ? "enable f16;\nalias Real = f16;\n" : "alias Real = f32;\n");
    for (int i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name; i++)
        builder_printf(out, "const %s = %uu;\n", d->consts[i].name, d->consts[i].value);
    builder_printf(out,
                   "const SUBGROUP = %uu;\nconst MAX_TOKENS = %uu;\nconst MAX_SEQS = %uu;\nconst MAX_OUTPUTS = %uu;\n",
                   device->subgroup_size, limits.tokens, limits.seqs, limits.outputs);
    put_params(d, out);
    const char *files[DISPATCH_MAX_FILES + 1] = {"batch"};
    memcpy(files + 1, d->files, sizeof d->files);
    for (int i = 0; i < DISPATCH_MAX_FILES + 1 && files[i]; i++) {
        const char *text = shader_find(files[i]);
        if (!text) return fail(err, ERR_ARGUMENT, "there is no shader %s", files[i]);
        builder_text(out, text);
    }
    return out->failed ? fail_memory(err, "a kernel's text") : true;
}

/* the fields of struct Params as constants: "struct Params { rows: u32, ..." */
static void set_params(const struct dispatch_desc *d, uint32_t *words, size_t n_words)
{
    const char *at = strchr(d->params_wgsl, '{');
    for (size_t i = 0; at && i < d->params_bytes / sizeof(uint32_t); i++, at = strchr(at + 1, ',')) {
        char name[32];
        uint32_t value;
        memcpy(&value, (const char *)d->params + i * sizeof value, sizeof value);
        if (sscanf(at, "%*[{, \n]%31[a-z0-9_]", name) == 1) spirv_set(words, n_words, name, value);
    }
}

bool kernel_spirv(const struct dispatch_desc *d, const struct gpu_info *device, struct step_limits limits,
                  struct gpu_spirv *out, struct error *err)
{
    const struct spirv_module *m = spirv_find(d->files[0]);
    if (!m) return fail(err, ERR_ARGUMENT, "there is no SPIR-V kernel %s", d->files[0]);
    uint32_t *words = malloc(m->n_words * sizeof *words);
    if (!words) return fail_memory(err, "a kernel's code");
    memcpy(words, m->words, m->n_words * sizeof *words);
    *out = (struct gpu_spirv){.words = words, .n_words = m->n_words};
    const struct kernel_const all[] = {{"SUBGROUP", device->subgroup_size},
                                       {"MAX_TOKENS", limits.tokens},
                                       {"MAX_SEQS", limits.seqs},
                                       {"MAX_OUTPUTS", limits.outputs}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) spirv_set(words, m->n_words, all[i].name, all[i].value);
    for (int i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name; i++) {
        spirv_set(words, m->n_words, d->consts[i].name, d->consts[i].value);
        if (!strcmp(d->consts[i].name, "WORKGROUP")) out->threads = d->consts[i].value;
    }
    if (d->baked) set_params(d, words, m->n_words);
    return true;
}

/* binding 0 params, 1 batch, then the operands */
static void bindings_of(const struct dispatch_desc *d, char *out)
{
    *out++ = 'u';
    *out++ = 'r';
    for (size_t i = 0; i < d->n_operands; i++) *out++ = d->operands[i].access;
    *out = 0;
}

static struct cached_kernel *find(const struct kernel_cache *c, const char *name)
{
    for (uint32_t i = 0; i < c->n_kernels; i++)
        if (!strcmp(c->kernels[i].name, name)) return &c->kernels[i];
    return NULL;
}

/* a place for one more, zeroed */
static struct cached_kernel *add(struct kernel_cache *c, const char *name, struct error *err)
{
    if (!(c->n_kernels & (c->n_kernels - 1))) {
        size_t capacity = c->n_kernels ? 2 * (size_t)c->n_kernels : 1;
        struct cached_kernel *grown = realloc(c->kernels, capacity * sizeof *grown);
        if (!grown) return fail_memory(err, "the kernel cache"), NULL;
        c->kernels = grown;
    }
    struct cached_kernel *k = &c->kernels[c->n_kernels++];
    *k = (struct cached_kernel){0};
    snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

bool kernel_cache_want(struct kernel_cache *c, const struct dispatch_desc *d, struct error *err)
{
    char name[NAME_CAPACITY];
    kernel_name(d, name, sizeof name);
    if (strlen(name) == sizeof name - 1) return fail(err, ERR_LIMIT, "a kernel's name is too long: %s", name);
    if (find(c, name)) return true;
    struct cached_kernel *k = add(c, name, err);
    if (!k) return false;
    bindings_of(d, k->bindings);
    const struct gpu_info *device = gpu_describe(c->gpu);
    return d->spirv ? kernel_spirv(d, device, c->limits, &k->spirv, err)
                    : kernel_text(d, device, c->limits, &k->text, err);
}

bool kernel_cache_want_text(struct kernel_cache *c, const char *name, const char *bindings, struct builder *text,
                            struct error *err)
{
    struct cached_kernel *k = text->failed ? NULL : add(c, name, err);
    if (text->failed) fail_memory(err, "a kernel's text");
    if (!k) {
        builder_free(text);
        return false;
    }
    snprintf(k->bindings, sizeof k->bindings, "%s", bindings);
    k->text = *text;
    *text = (struct builder){0};
    return true;
}

/* what the compiling threads share */
struct compilation {
    struct kernel_cache *cache;
    atomic_uint next;
    atomic_flag failed;
    struct error error; /* the first one */
};

static void compile_some(void *user)
{
    struct compilation *c = user;
    for (uint32_t i; (i = atomic_fetch_add(&c->next, 1)) < c->cache->n_kernels;) {
        struct cached_kernel *k = &c->cache->kernels[i];
        struct error error = {0};
        if (k->kernel) continue;
        k->kernel = k->spirv.words ? gpu_kernel_create_spirv(c->cache->gpu, k->name, &k->spirv, k->bindings, &error)
                                   : gpu_kernel_create(c->cache->gpu, k->name, k->text.data, k->bindings, &error);
        if (!k->kernel && !atomic_flag_test_and_set(&c->failed)) c->error = error;
        free_code(k);
    }
}

static void forget_failed(struct kernel_cache *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_kernels; i++)
        if (c->kernels[i].kernel) c->kernels[n++] = c->kernels[i];
    c->n_kernels = n;
}

bool kernel_cache_compile(struct kernel_cache *c, struct error *err)
{
    struct compilation work = {.cache = c, .failed = ATOMIC_FLAG_INIT};
    thread_run(thread_processors(), compile_some, &work);
    forget_failed(c);
    if (work.error.code && err) *err = work.error;
    return !work.error.code;
}

const struct gpu_kernel *kernel_cache_find(const struct kernel_cache *c, const struct dispatch_desc *d)
{
    char name[NAME_CAPACITY];
    kernel_name(d, name, sizeof name);
    return kernel_cache_find_name(c, name);
}

const struct gpu_kernel *kernel_cache_find_name(const struct kernel_cache *c, const char *name)
{
    const struct cached_kernel *k = find(c, name);
    return k ? k->kernel : NULL;
}
