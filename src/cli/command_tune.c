/* command_tune.c - `corvid tune`: measures the kernel shapes that a model can use on this GPU, and keeps the best. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

static const char about[] =
    "Measures how this GPU likes to have the work of a model's kernels cut up (threads of a workgroup, rows of a\n"
    "thread, ...) and which kernel it likes for how many tokens, for each size of matrix, and keeps what is faster\n"
    "than the usual way in a file beside the compiled kernels: 'corvid run' and all other commands use it from then\n"
    "on. A shape is taken only if its results are right, it is 3 % faster, twice, and steps of the whole model are\n"
    "faster with it. What takes less than 2 % of a step stays as it is. Takes some seconds to half a minute on a GPU,\n"
    "and is done once for each model's sizes; a new driver or a new version of Corvid begins anew, with the usual\n"
    "shapes. Nothing else should use the GPU meanwhile. Ctrl-C stops and changes nothing; --no-tuning of other\n"
    "commands ignores what was found.";

enum { MAX_STEPS = 8 };

struct tune {
    bool json, drawn, told, printed;
    uint64_t drawn_ns;
    json_t *rows;
    struct step_time { /* of a step of so many tokens, in what was measured */
        uint32_t tokens;
        double usual_us, best_us;
    } steps[MAX_STEPS];
    int n_steps;
};

static void clear_line(struct tune *t)
{
    if (t->drawn) fputs("\r\033[K", stderr);
    t->drawn = false;
}

/* where standard error is no terminal: how long it will take, once */
static bool on_progress(void *user, const char *key, uint32_t done, uint32_t total, double left_s)
{
    enum { REDRAW_NS = 100000000 };
    struct tune *t = user;
    if (*terminal_interrupts()) return false;
    const uint64_t now = clock_ns();
    const bool terminal = terminal_is(2);
    if (!t->told) {
        fprintf(stderr, "%u candidates to measure, about %.0f s\n", (unsigned)total, left_s);
        t->told = true;
    }
    if (!terminal || (t->drawn && now - t->drawn_ns < REDRAW_NS)) return true;
    t->drawn = true;
    t->drawn_ns = now;
    fprintf(stderr, "\r\033[K%u of %u, %.0f s left: %s", (unsigned)done, (unsigned)total, left_s, key);
    fflush(stderr);
    return true;
}

static void add_time(struct tune *t, const corvid_tuned *r)
{
    int i = 0;
    while (i < t->n_steps && t->steps[i].tokens != r->tokens) i++;
    if (i == MAX_STEPS) return;
    if (i == t->n_steps) t->steps[t->n_steps++] = (struct step_time){.tokens = r->tokens};
    t->steps[i].usual_us += r->calls * r->usual_us;
    t->steps[i].best_us += r->calls * r->best_us;
}

static double percent(double before, double after) { return before > 0 ? (1 - after / before) * 100 : 0; }

static void print_row(const struct tune *t, const corvid_tuned *r)
{
    if (!t->printed)
        out_printf("%-44s %5s %-12s %9s  %-12s %9s %7s\n", "kernel", "calls", "usual", "us", "best", "us", "saved");
    out_printf("%-44s %5u %-12s %9.2f  ", r->key, (unsigned)r->calls, r->usual, r->usual_us);
    if (r->best_us < r->usual_us)
        out_printf("%-12s %9.2f %5.1f %%", r->best, r->best_us, percent(r->usual_us, r->best_us));
    else out_printf("%-12s", "-");
    if (r->wrong) out_printf("  %u of %u candidates WRONG", (unsigned)r->wrong, (unsigned)r->candidates);
    if (r->refused) out_printf("  %u of %u candidates refused", (unsigned)r->refused, (unsigned)r->candidates);
    out_text("\n");
}

static json_t *json_row(const corvid_tuned *r)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "key", r->key, "numbers", r->names,
                     "usual", r->usual, "best", r->best, "tokens", (int)r->tokens, "calls", (int)r->calls, "candidates",
                     (int)r->candidates, "wrong", (int)r->wrong, "refused", (int)r->refused, "usual_us", r->usual_us,
                     "best_us", r->best_us);
}

static bool on_row(void *user, const corvid_tuned *r)
{
    struct tune *t = user;
    clear_line(t);
    if (t->json) json_array_append_new(t->rows, json_row(r));
    else print_row(t, r);
    t->printed = true;
    if (!r->shared) add_time(t, r);
    return !*terminal_interrupts() && (t->json || out_flush());
}

static int by_tokens(const void *a, const void *b)
{
    const struct step_time *x = a, *y = b;
    return (x->tokens > y->tokens) - (x->tokens < y->tokens);
}

static void conclude(struct tune *t, const corvid_device *device, const corvid_tune_result *r)
{
    qsort(t->steps, (size_t)t->n_steps, sizeof *t->steps, by_tokens);
    out_text("\nwhat was measured takes, in a step of\n");
    for (int i = 0; i < t->n_steps; i++) {
        const struct step_time *s = &t->steps[i];
        out_printf("  %4u tokens  %9.1f us, now %9.1f us, %4.1f %% less\n", (unsigned)s->tokens, s->usual_us,
                   s->best_us, percent(s->usual_us, s->best_us));
    }
    out_printf("%u of %u shapes changed, in %.0f s; kept in %s\n", (unsigned)r->changed, (unsigned)r->choices,
               r->seconds, corvid_device_tuning(device));
}

static int tune(struct tune *t, corvid_device *device, const char *path, bool exact)
{
    corvid_error err = {.code = CORVID_OK};
    corvid_tune_result result;
    corvid_tune_options options = {.exact = exact, .progress = on_progress, .report = on_row, .user = t};
    bool done = corvid_tune(device, path, &options, &result, &err);
    clear_line(t);
    if (!done) return report(&err);
    if (t->json)
        out_json(json_pack("{s:O, s:s, s:i, s:i, s:i, s:f}", "choices", t->rows, "kept", corvid_device_tuning(device),
                           "measured", (int)result.choices, "changed", (int)result.changed, "wrong", (int)result.wrong,
                           "seconds", result.seconds));
    else conclude(t, device, &result);
    return EXIT_OK;
}

int command_tune(int argc, char **argv)
{
    struct tune t = {.json = false};
    struct device_args device = {.device = NULL};
    const char *path = NULL;
    char builtin[COMMON_PATH_MAX];
    bool exact = false;
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file; default: the built-in model", OPTION_TEXT, &path, 0, 0},
        {0, "exact", NULL, "tune for commands with --exact", OPTION_FLAG, &exact, 0, 0},
        {0, "json", NULL, "print one JSON object at the end", OPTION_FLAG, &t.json, 0, 0}};
    struct option_group groups[] = {{"tuning", rows, sizeof rows / sizeof *rows}, device_only_group(&device)};
    struct command_line line = {
        .name = "tune", .usage = "[-m FILE] [--device D] [--json]", .about = about, .groups = groups, .n_groups = 2};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    if (!path && !(path = model_builtin(builtin))) return EXIT_FAILED;
    corvid_device_options options = device_options(&device);
    corvid_error err = {.code = CORVID_OK};
    corvid_device *opened = corvid_device_open(&options, &err);
    if (!opened) return report(&err);
    if (*corvid_device_warning(opened)) out_error("%s", corvid_device_warning(opened));
    t.rows = json_array();
    code = tune(&t, opened, path, exact);
    json_decref(t.rows);
    corvid_device_close(opened);
    return code;
}
