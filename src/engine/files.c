/* files.c - the public face of file/: looking at a model file, and the recorded operations as text. */
#include <stdio.h>
#include <stdlib.h>

#include "base/builder.h"
#include "engine/engine.h"
#include "model/explain.h"

struct corvid_file {
    struct model_file *inner;
};

corvid_file *corvid_file_open(const char *path, corvid_error *err)
{
    corvid_file *f = calloc(1, sizeof *f);
    if (!f) return fail_memory(inner(err), "a file"), NULL;
    f->inner = model_file_open(path, inner(err));
    if (f->inner) return f;
    free(f);
    return NULL;
}

void corvid_file_close(corvid_file *file)
{
    if (!file) return;
    model_file_close(file->inner);
    free(file);
}

uint32_t corvid_file_version(const corvid_file *file) { return model_file_version(file->inner); }
uint64_t corvid_file_bytes(const corvid_file *file) { return model_file_bytes(file->inner); }
size_t corvid_file_n_metadata(const corvid_file *file) { return model_file_n_metadata(file->inner); }
size_t corvid_file_n_tensors(const corvid_file *file) { return model_file_n_tensors(file->inner); }

static const char *const array_names[] = {
    [VALUE_U8] = "array of u8",       [VALUE_I8] = "array of i8",     [VALUE_U16] = "array of u16",
    [VALUE_I16] = "array of i16",     [VALUE_U32] = "array of u32",   [VALUE_I32] = "array of i32",
    [VALUE_F32] = "array of f32",     [VALUE_BOOL] = "array of bool", [VALUE_STRING] = "array of string",
    [VALUE_ARRAY] = "array of array", [VALUE_U64] = "array of u64",   [VALUE_I64] = "array of i64",
    [VALUE_F64] = "array of f64",
};

corvid_metadata corvid_file_metadata(const corvid_file *file, size_t index)
{
    const struct metadata *m = model_file_metadata(file->inner, index);
    return (corvid_metadata){.key = m->key,
                             .type = m->type == VALUE_ARRAY ? array_names[m->item_type] : value_type_name(m->type),
                             .count = m->count,
                             .is_string = m->item_type == VALUE_STRING,
                             .is_bool = m->item_type == VALUE_BOOL,
                             .is_number = m->item_type != VALUE_STRING && m->item_type != VALUE_BOOL};
}

corvid_tensor corvid_file_tensor(const corvid_file *file, size_t index)
{
    const struct tensor_info *t = model_file_tensor(file->inner, index);
    const struct quant_info *q = quant_find(t->type);
    corvid_tensor out = {.name = t->name, .n_dims = t->n_dims, .at = t->at, .size = t->size};
    if (q) snprintf(out.type, sizeof out.type, "%s", q->name);
    else snprintf(out.type, sizeof out.type, "type %u", t->type);
    for (int i = 0; i < TENSOR_MAX_DIMS; i++) out.dims[i] = t->dims[i];
    return out;
}

const char *corvid_file_string(const corvid_file *file, size_t index, uint64_t item, size_t *length)
{
    const struct bytes *b = (const struct bytes *)model_file_metadata(file->inner, index)->items + item;
    *length = b->length;
    return b->data;
}

double corvid_file_number(const corvid_file *file, size_t index, uint64_t item)
{
    return metadata_number(model_file_metadata(file->inner, index), item);
}

static bool explain_file(const struct model_file *file, char **out, struct error *err)
{
    struct hyper h = {0};
    struct graph g = {0};
    struct builder text = {0};
    const struct arch *arch = arch_find(file, err);
    struct session_shape shape = {.context = 4096, .step_tokens = 512};
    if (!arch || !arch->read(file, &h, err)) return false;
    bool ok = model_record(&g, file, arch, &h, &shape, err) &&
              explain(&g, (struct step_limits){shape.step_tokens, 1, 16}, &text, err);
    graph_free(&g);
    if (ok) *out = text.data;
    else builder_free(&text);
    return ok;
}

bool corvid_explain(const char *path, char **out, corvid_error *err)
{
    struct model_file *file = model_file_open(path, inner(err));
    bool ok = file && explain_file(file, out, inner(err));
    if (file && !ok) fail_in(inner(err), "%s", path);
    model_file_close(file);
    return ok;
}
