/* model_case.c - see model_case.h */
#include "support/model_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

#include <cmocka.h> /* last: its macro fail() hides error.h's function */

const char built_in_model[] = "models/rwkv7-tiny-q8_0.gguf";

struct path in_source(const char *name)
{
    const char *root = getenv("CORVID_SOURCE_DIR");
    struct path p;
    if (*name == '/') snprintf(p.text, sizeof p.text, "%s", name);
    else snprintf(p.text, sizeof p.text, "%s/%s", root ? root : ".", name);
    return p;
}

struct path in_shared(const char *name)
{
    const char *shared = getenv("CORVID_SHARED");
    struct path p = in_source("../shared/");
    size_t n = shared ? 0 : strlen(p.text);
    snprintf(p.text + n, sizeof p.text - n, "%s%s%s", shared ? shared : "", shared ? "/" : "", name);
    return p;
}

bool is_there(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file;
}

corvid_device *open_device(const struct model_setup *setup)
{
    corvid_error err;
    corvid_device_options o = {.device = setup->device, .no_f16 = setup->no_f16, .no_subgroups = setup->no_subgroups};
    corvid_device *device = corvid_device_open(&o, &err);
    if (!device) fail_msg("%s", err.message);
    return device;
}

static corvid_model *open_as(corvid_device *device, const char *path, uint32_t sessions, uint32_t context,
                             uint32_t step_tokens, bool exact, corvid_cache_type cache)
{
    corvid_error err;
    corvid_model_options o = {.max_sessions = sessions,
                              .context = context,
                              .max_step_tokens = step_tokens,
                              .exact = exact,
                              .cache_type = cache};
    corvid_model *model = corvid_model_open(device, path, &o, &err);
    if (!model) fail_msg("%s", err.message);
    return model;
}

corvid_model *open_model(corvid_device *device, const char *path, uint32_t sessions, uint32_t context,
                         uint32_t step_tokens)
{
    return open_as(device, path, sessions, context, step_tokens, true, CORVID_CACHE_F32);
}

corvid_model *open_model_int8(corvid_device *device, const char *path, uint32_t sessions)
{
    return open_as(device, path, sessions, 0, 0, false, CORVID_CACHE_F32);
}

corvid_model *open_model_cache(corvid_device *device, const char *path, corvid_cache_type cache, uint32_t sessions,
                               uint32_t context, uint32_t step_tokens)
{
    return open_as(device, path, sessions, context, step_tokens, true, cache);
}

struct model_case model_case_open(const struct model_setup *setup)
{
    struct model_case c = {.device = open_device(setup)};
    c.model = open_model_cache(c.device, in_source(setup->file).text, setup->cache, setup->sessions, setup->context,
                               setup->step_tokens);
    return c;
}

void model_case_close(struct model_case *c)
{
    corvid_model_close(c->model);
    corvid_device_close(c->device);
    *c = (struct model_case){0};
}

corvid_session *new_session(corvid_model *model)
{
    corvid_error err;
    corvid_session *session = corvid_session_create(model, &err);
    if (!session) fail_msg("%s", err.message);
    return session;
}

void reset(corvid_session *session)
{
    corvid_error err;
    if (!corvid_session_reset(session, &err)) fail_msg("%s", err.message);
}

void feed(corvid_session *session, const int32_t *tokens, size_t count, float *logits, float *all_logits)
{
    corvid_error err;
    corvid_input in = {session, tokens, count, logits, all_logits};
    if (!corvid_step(session->model, &in, 1, &err)) fail_msg("%s", err.message);
}

float *new_floats(size_t n)
{
    float *floats = malloc((n ? n : 1) * sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < n; i++) floats[i] = NAN; /* what was not written must not pass */
    return floats;
}

double max_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        if (!(d <= most)) most = isnan(d) ? INFINITY : d;
    }
    return most;
}

int32_t best_of(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return (int32_t)best;
}

static float *read_state(const corvid_session *s, uint32_t id)
{
    const struct graph_state *g = &s->model->graph.states[id];
    size_t n = (size_t)g->rows * g->cols;
    float *floats = new_floats(n);
    struct error err;
    if (!exec_state_read(s->model->exec, (state){id}, s->slot, 0, n, floats, &err)) fail_msg("%s", err.message);
    return floats;
}

/* the difference of state `id`, relative to its largest element */
static double one_difference(const corvid_session *a, const corvid_session *b, uint32_t id)
{
    const struct graph_state *x = &a->model->graph.states[id], *y = &b->model->graph.states[id];
    assert_string_equal(x->name, y->name);
    assert_int_equal(x->cols, y->cols);
    float *p = read_state(a, id), *q = read_state(b, id);
    /* of a ring the newest positions, as many as both have */
    uint64_t rows = x->rows < y->rows ? x->rows : y->rows, end = x->positions ? a->length : rows;
    uint64_t begin = end > rows ? end - rows : 0;
    double difference = 0, largest = 0;
    for (uint64_t row = begin; row < end; row++) {
        const float *u = p + row % x->rows * x->cols, *v = q + row % y->rows * y->cols;
        difference = fmax(difference, max_difference(u, v, x->cols));
        for (uint32_t c = 0; c < x->cols; c++) largest = fmax(largest, fabs((double)u[c]));
    }
    free(p);
    free(q);
    return difference > 0 ? difference / largest : 0;
}

double state_difference(const corvid_session *a, const corvid_session *b)
{
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->model->graph.n_states, b->model->graph.n_states);
    double most = 0;
    for (uint32_t id = 1; id < a->model->graph.n_states; id++) most = fmax(most, one_difference(a, b, id));
    return most;
}
