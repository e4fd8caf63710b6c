/* device_tuning.c - what corvid_tune finds, how it is kept, and how a device takes it up again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "model/tune.h"

/* All that the best shapes depend on besides the problem: the device as it was opened, and the table of candidates. */
static void describe_key(const struct gpu_info *g, char *out, size_t capacity)
{
    snprintf(out, capacity, "tuning %d, %.127s, driver %.127s, %s, %s %s, subgroups %u, f16 %d, matrix %d",
             TUNING_VERSION, g->name, g->driver, g->backend, g->runtime, g->runtime_version,
             g->subgroups ? g->subgroup_size : 0, g->shader_f16, g->matrix_units);
}

void device_load_tuning(corvid_device *d, const char *folder, bool ignored)
{
    char key[sizeof d->tunings.key - 32];
    size_t bytes;
    struct kept_file *file = &d->tunings;
    kept_file_init(file, "tuning", "the tuning", folder);
    d->chooser = (struct chooser){tuning_choose, &d->tuning};
    describe_key(gpu_describe(d->gpu), key, sizeof key);
    char *text = kept_file_load(file, key, &bytes);
    if (text && !tuning_read(&d->tuning, text, bytes))
        snprintf(file->warning, sizeof file->warning,
                 "the tuning %.300s was ignored, for it holds something else; 'corvid tune' writes it anew",
                 file->path);
    free(text);
    if (ignored) d->chooser.choose = NULL;
    if (d->tuning.n)
        snprintf(file->state, sizeof file->state, "%s: %u shapes%s", file->path, (unsigned)d->tuning.n,
                 ignored ? ", not used" : "");
}

/* ---- corvid_tune ---- */

struct listener {
    const corvid_tune_options *options;
    corvid_tune_result *result;
};

static void write_numbers(const struct choice *c, uint32_t i, char *out, size_t capacity)
{
    size_t at = 0;
    const char *name = c->names;
    for (int k = 0; name && k < CHOICE_NUMBERS && at < capacity; k++) {
        at += (size_t)snprintf(out + at, capacity - at, "%s%u", k ? "/" : "", c->numbers[i][k]);
        name = strchr(name, '/');
        if (name) name++;
    }
}

static bool on_progress(void *user, const char *key, uint32_t done, uint32_t total, double left_s)
{
    const struct listener *l = user;
    return !l->options->progress || l->options->progress(l->options->user, key, done, total, left_s);
}

static bool on_row(void *user, const struct tune_row *row)
{
    const struct listener *l = user;
    char usual[40], best[40];
    write_numbers(row->choice, 0, usual, sizeof usual);
    write_numbers(row->choice, row->best, best, sizeof best);
    corvid_tuned tuned = {.key = row->choice->key,
                          .names = row->choice->names,
                          .usual = usual,
                          .best = best,
                          .tokens = row->choice->tokens,
                          .calls = row->calls,
                          .shared = row->shared,
                          .candidates = row->choice->n,
                          .wrong = row->n_wrong,
                          .refused = row->n_refused,
                          .usual_us = row->usual_us,
                          .best_us = row->best_us};
    l->result->choices++;
    l->result->changed += row->best > 0;
    l->result->wrong += row->n_wrong;
    return !l->options->report || l->options->report(l->options->user, &tuned);
}

static bool save(corvid_device *d, const struct tuning *tuning, struct error *err)
{
    struct builder text = {0};
    tuning_write(tuning, &text);
    if (text.failed) fail_memory(err, "the tuning");
    else kept_file_save(&d->tunings, text.data, text.length);
    const bool kept = !text.failed && d->tunings.hash;
    if (!text.failed && !kept) fail(err, ERR_IO, "the tuning cannot be kept: %.400s", d->tunings.state);
    builder_free(&text);
    return kept;
}

/* What is kept of other models stays. */
static bool copy_tuning(const struct tuning *from, struct tuning *to, struct error *err)
{
    for (uint32_t i = 0; i < from->n; i++)
        if (!tuning_set(to, from->items[i].key, from->items[i].numbers, err)) return false;
    return true;
}

static bool tune_file(corvid_device *d, const struct model_file *file, bool exact, const struct tune_listener *listener,
                      struct error *err)
{
    struct hyper h = {0};
    struct graph g = {0};
    const struct arch *arch = arch_find(file, err);
    struct session_shape shape = {.context = 4096, .step_tokens = 512, .exact = exact};
    struct tuning found = {0};
    if (gpu_describe(d->gpu)->matrix_units) shape.units = (struct step_limits){512, CHOICE_FEW, CHOICE_FEW};
    bool ok = copy_tuning(&d->tuning, &found, err) && arch && arch->read(file, &h, err) &&
              model_record(&g, file, arch, &h, &shape, err) && tune_graph(d->gpu, &g, listener, &found, err) &&
              save(d, &found, err);
    graph_free(&g);
    if (ok) {
        tuning_free(&d->tuning);
        d->tuning = found;
    } else {
        tuning_free(&found);
    }
    return ok;
}

bool corvid_tune(corvid_device *device, const char *path, const corvid_tune_options *options,
                 corvid_tune_result *result, corvid_error *err)
{
    static const corvid_tune_options defaults;
    struct listener l = {options ? options : &defaults, result};
    struct tune_listener inner_listener = {on_progress, on_row, &l};
    *result = (corvid_tune_result){0};
    if (!device->gpu)
        return fail(inner(err), ERR_ARGUMENT, "the scalar reference has nothing to be tuned: choose a GPU");
    if (!*device->tunings.folder)
        return fail(inner(err), ERR_ARGUMENT, "there is no folder to keep the tuning in: set CORVID_CACHE to one");
    ahead_rest(&device->ahead);
    const uint64_t start = clock_ns();
    struct model_file *file = model_file_open(path, inner(err));
    bool ok = file && tune_file(device, file, l.options->exact, &inner_listener, inner(err));
    if (file && !ok) fail_in(inner(err), "%s", path);
    model_file_close(file);
    result->seconds = (double)(clock_ns() - start) * 1e-9;
    return ok;
}
