/* rewrite.c - see rewrite.h */
#include "support/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "file/gguf_write.h"

#include <cmocka.h>

enum { NO_TYPE = 99 };

static void must(bool ok, const struct error *err)
{
    if (!ok) fail_msg("%s", err->message);
}

static bool is(const char *name, const char *chosen) { return chosen && !strcmp(name, chosen); }

static void write_metadata(struct gguf_writer *w, const struct model_file *in, const struct rewrite *r,
                           struct error *err)
{
    for (size_t i = 0; i < model_file_n_metadata(in); i++)
        if (!is(model_file_metadata(in, i)->key, r->drop))
            must(gguf_writer_copy(w, model_file_metadata(in, i), err), err);
    if (!r->key) return;
    if (r->type == VALUE_STRING)
        must(gguf_writer_string(w, r->key, (struct bytes){r->text, strlen(r->text)}, err), err);
    else if (r->type == VALUE_F32) must(gguf_writer_f32(w, r->key, (float)r->number, err), err);
    else must(gguf_writer_u32(w, r->key, (uint32_t)r->number, err), err);
}

void rewrite_model(const char *from, const char *to, const struct rewrite *r)
{
    struct error err = {0};
    struct model_file *in = model_file_open(from, &err);
    must(in, &err);
    struct gguf_writer *w = gguf_writer_create(&err);
    must(w, &err);
    write_metadata(w, in, r, &err);
    size_t n = model_file_n_tensors(in);
    for (size_t i = 0; i < n; i++) {
        struct tensor_info t = *model_file_tensor(in, i);
        if (is(t.name, r->drop)) continue;
        if (is(t.name, r->other_type)) t.type = NO_TYPE;
        if (is(t.name, r->transpose)) {
            uint64_t columns = t.dims[0];
            t.dims[0] = t.dims[1];
            t.dims[1] = columns;
        }
        must(gguf_writer_tensor(w, t.name, t.type, t.n_dims, t.dims, t.size, &err), &err);
    }
    must(gguf_writer_begin(w, to, &err), &err);
    for (size_t i = 0; i < n; i++) {
        const struct tensor_info *t = model_file_tensor(in, i);
        if (!is(t->name, r->drop)) must(gguf_writer_data(w, t->data, (size_t)t->size, &err), &err);
    }
    must(gguf_writer_finish(w, &err), &err);
    gguf_writer_destroy(w);
    model_file_close(in);
}
