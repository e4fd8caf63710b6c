/* model.c - corvid_model: file, vocabulary, recorded graph and executor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/trace.h"
#include "engine/engine.h"

enum {
    DEFAULT_CONTEXT = 4096,
    DEFAULT_STEP_TOKENS = 512,
    MAX_STEP_TOKENS = 4096,
    MAX_SESSIONS = 1024,
    MIN_OUTPUTS = 16,
};

bool model_find_tensor(void *file, const char *name, struct tensor_info *out)
{
    const struct tensor_info *t = model_file_find_tensor(file, name);
    if (t) *out = *t;
    return t;
}

bool model_record(struct graph *g, const struct model_file *file, const struct arch *arch, const struct hyper *h,
                  const struct session_shape *shape, struct error *err)
{
    graph_init(g, model_find_tensor, (void *)file);
    g->int8 = !shape->exact;
    g->units_tokens = shape->units.tokens;
    g->units_outputs = shape->units.outputs;
    arch->record(g, h, shape);
    return graph_ok(g, err);
}

static void copy_bytes(char *out, size_t capacity, struct bytes text)
{
    size_t n = text.length < capacity - 1 ? text.length : capacity - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text.data[i] < ' ' || text.data[i] == 127 ? ' ' : text.data[i];
    out[n] = 0;
}

/* the type that holds the most weights, and how many weights there are */
static const char *count_weights(const struct model_file *f, uint64_t *total)
{
    const char *name = "";
    uint64_t most = 0;
    *total = 0;
    for (size_t i = 0; i < model_file_n_tensors(f); i++) *total += model_file_tensor(f, i)->n_items;
    for (size_t k = 0; quant_at(k); k++) {
        uint64_t n = 0;
        for (size_t i = 0; i < model_file_n_tensors(f); i++)
            if (model_file_tensor(f, i)->type == (uint32_t)quant_at(k)->type) n += model_file_tensor(f, i)->n_items;
        if (n <= most) continue;
        most = n;
        name = quant_at(k)->name;
    }
    return name;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool describe(corvid_model *m, const char *path, uint32_t context, struct error *err)
{
    corvid_model_info *i = &m->info;
    struct bytes name;
    if (!metadata_string(m->file, "general.name", &name, err)) return false;
    if (!name.length) name = (struct bytes){file_name(path), strlen(file_name(path))};
    copy_bytes(i->name, sizeof i->name, name);
    snprintf(i->architecture, sizeof i->architecture, "%s", m->arch->name);
    snprintf(i->type, sizeof i->type, "%s", count_weights(m->file, &i->parameters));
    i->layers = m->hyper.layers;
    i->embedding = m->hyper.embd;
    i->vocabulary = m->hyper.vocab;
    i->context = m->arch->recurrent ? 0 : context;
    i->recurrent = m->arch->recurrent;
    i->file_bytes = model_file_bytes(m->file);
    struct exec_sizes s = exec_sizes(m->exec);
    i->weight_bytes = s.weight_bytes;
    i->state_bytes = s.state_bytes;
    i->work_bytes = s.work_bytes;
    i->copies_bytes = s.copies_bytes;
    i->upload_ms = s.upload_ms;
    i->compile_ms = s.compile_ms;
    i->kernels = s.n_kernels;
    i->bos = tokenizer_bos(m->tokenizer);
    i->eos = tokenizer_eos(m->tokenizer);
    return true;
}

static bool choose_limits(corvid_model *m, const corvid_model_options *o, struct session_shape *shape,
                          struct error *err)
{
    uint32_t sessions = o->max_sessions ? o->max_sessions : 1;
    uint32_t tokens = o->max_step_tokens ? o->max_step_tokens : DEFAULT_STEP_TOKENS;
    uint32_t trained = m->hyper.train_context;
    uint32_t context = o->context ? o->context : trained && trained < DEFAULT_CONTEXT ? trained : DEFAULT_CONTEXT;
    if (sessions > MAX_SESSIONS)
        return fail(err, ERR_LIMIT, "%u sessions, at most %d are possible", sessions, MAX_SESSIONS);
    if (tokens > MAX_STEP_TOKENS)
        return fail(err, ERR_LIMIT, "a step of %u tokens, at most %d are possible", tokens, MAX_STEP_TOKENS);
    if (tokens < sessions) tokens = sessions;
    if ((int)o->cache_type < 0 || (int)o->cache_type >= (int)KV_TYPES)
        return fail(err, ERR_ARGUMENT, "cache_type %d, expected one of enum corvid_cache_type", (int)o->cache_type);
    if (!m->arch->recurrent && trained && context > trained)
        return fail(err, ERR_LIMIT, "a context of %u tokens, but the model was made for at most %u", context, trained);
    m->limits = (struct step_limits){tokens, sessions, sessions < MIN_OUTPUTS ? MIN_OUTPUTS : sessions};
    *shape = (struct session_shape){
        .context = context, .step_tokens = tokens, .exact = o->exact, .cache = (enum kv_type)o->cache_type};
    if (m->device->gpu && gpu_describe(m->device->gpu)->matrix_units) shape->units = m->limits;
    return true;
}

/* Refuses a model that would take more than max_memory. */
static bool check_memory(const corvid_model *m, const corvid_model_options *o, struct error *err)
{
    struct exec_sizes s;
    if (!o->max_memory || !m->device->gpu) return true;
    if (!exec_gpu_sizes(m->device->gpu, &m->graph, m->limits, &s, err)) return false;
    uint64_t states = (s.state_bytes + s.copies_bytes) * m->limits.seqs;
    uint64_t all = s.weight_bytes + states + s.work_bytes;
    if (all <= o->max_memory) return true;
    const double mib = 1 << 20;
    return fail(err, ERR_LIMIT,
                "%.0f MiB of device memory are needed, %.0f are allowed: weights %.0f, states of %u sessions and their "
                "copies %.0f, activations %.0f; use fewer sessions, a shorter context or a smaller type of weights",
                (double)all / mib, (double)o->max_memory / mib, (double)s.weight_bytes / mib, m->limits.seqs,
                (double)states / mib, (double)s.work_bytes / mib);
}

static bool open_model(corvid_model *m, const char *path, const corvid_model_options *o, struct error *err)
{
    struct session_shape shape;
    uint64_t start = clock_ns();
    m->file = model_file_open(path, err);
    m->arch = m->file ? arch_find(m->file, err) : NULL;
    if (!m->arch || !m->arch->read(m->file, &m->hyper, err)) return false;
    m->tokenizer = tokenizer_create(m->file, err);
    if (!m->tokenizer || !choose_limits(m, o, &shape, err)) return false;
    if ((uint32_t)tokenizer_size(m->tokenizer) > m->hyper.vocab)
        return fail(err, ERR_FORMAT, "the vocabulary has %d tokens, but token_embd.weight only %u rows",
                    tokenizer_size(m->tokenizer), m->hyper.vocab);
    if (!model_record(&m->graph, m->file, m->arch, &m->hyper, &shape, err)) return false;
    m->graph.chooser = &m->device->chooser;
    if (!check_memory(m, o, err)) return false;
    m->info.read_ms = (double)(clock_ns() - start) / 1e6;
    m->exec = m->device->gpu ? exec_gpu_create(m->device->gpu, &m->graph, m->limits, m->limits.seqs, o->progress,
                                               o->progress_user, err)
                             : exec_ref_create(&m->graph, m->limits, m->limits.seqs, err);
    if (!m->exec || !step_init(&m->step, m->limits, err)) return false;
    if (m->device->gpu) device_keep_kernels(m->device);
    m->rows = calloc(m->limits.outputs, sizeof *m->rows);
    m->fed = calloc(m->limits.seqs, sizeof *m->fed);
    m->taken = calloc(m->limits.seqs, sizeof *m->taken);
    m->slot_used = calloc(m->limits.seqs, sizeof *m->slot_used);
    if (!m->rows || !m->fed || !m->taken || !m->slot_used) return fail_memory(err, "the model");
    if (m->device->gpu) source_forget(model_file_source(m->file), 0, model_file_bytes(m->file));
    return describe(m, path, shape.context, err);
}

corvid_model *corvid_model_open(corvid_device *device, const char *path, const corvid_model_options *options,
                                corvid_error *err)
{
    static const corvid_model_options defaults;
    corvid_model *m = calloc(1, sizeof *m);
    if (!m) return fail_memory(inner(err), "the model"), NULL;
    m->device = device;
    ahead_rest(&device->ahead);
    const struct trace_zone zone = trace_begin("open model");
    const bool opened = open_model(m, path, options ? options : &defaults, inner(err));
    trace_end(zone, path);
    if (opened) return m;
    if (m->file) fail_in(inner(err), "%s", path); /* model_file_open names it itself */
    corvid_model_close(m);
    return NULL;
}

void corvid_model_close(corvid_model *model)
{
    if (!model) return;
    ahead_rest(&model->device->ahead);
    exec_destroy(model->exec);
    graph_free(&model->graph);
    step_free(&model->step);
    tokenizer_destroy(model->tokenizer);
    model_file_close(model->file);
    free(model->rows);
    free(model->fed);
    free(model->taken);
    free(model->slot_used);
    free(model);
}

const corvid_model_info *corvid_model_describe(const corvid_model *model) { return &model->info; }

uint64_t model_fingerprint(corvid_model *m)
{
    if (m->fingerprint) return m->fingerprint;
    enum { SAMPLE = 256 };
    XXH64_state_t hash;
    XXH64_reset(&hash, 0);
    XXH64_update(&hash, m->arch->name, strlen(m->arch->name));
    for (uint32_t i = 1; i < m->graph.n_weights; i++) {
        const struct graph_weight *w = &m->graph.weights[i];
        uint32_t shape[] = {(uint32_t)w->q->type, w->rows, w->cols};
        uint64_t row = 0;
        if (w->n_parts) continue;
        XXH64_update(&hash, w->name, strlen(w->name));
        XXH64_update(&hash, shape, sizeof shape);
        if (w->vector || !quant_row_bytes(w->q, w->cols, &row)) continue;
        XXH64_update(&hash, w->data, row < SAMPLE ? (size_t)row : SAMPLE);
    }
    m->fingerprint = XXH64_digest(&hash) | 1;
    return m->fingerprint;
}
