/* command_bench.c - `corvid bench`: speed of prefill and decode in llama-bench's conventions.
 *
 *   ppN   each of B sequences reads N tokens; one step, the logits after the last token are read back
 *   tgN   N steps that feed each of B sequences one token; the likeliest next one is chosen on the device and fed on
 *         (--read-logits: the tokens are pseudo-random, and the logits are read back after each step)
 *
 * Prompts are pseudo-random and always the same; tokenising is no part. Every test starts from empty sequences, after
 * one warm-up that is not counted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/terminal.h"
#include "base/trace.h"
#include "cli/bench_profile.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

enum { BATCH_MAX = 1024, WARM_UP_STEPS = 4 };

static const char about[] =
    "Measures tokens per second as llama-bench does: ppN reads a prompt of N tokens, tgN makes N tokens one by one,\n"
    "each with B sequences at once; mean and standard deviation of R runs after a warm-up. A prompt's logits are read\n"
    "back; tokens that are made are chosen on the device (greedily) and fed on there, while --read-logits reads their\n"
    "logits too and chooses nothing. CPU is the processor time of a step. Lists such as -b 1,8,32 and several -m make\n"
    "one test for each.\n"
    "--profile runs each test once more with a timestamp after every dispatch and tells where the GPU's time goes, by\n"
    "operation, layer and kernel (with the workgroups of its dispatches). Bytes are weights and recurrent states; the\n"
    "ceiling is what a plain kernel was just measured to read. 'with timestamps' shows what they cost.\n"
    "CORVID_CAPTURE=1 in the environment lets an attached graphics debugger capture the second step.";

struct bench_args {
    struct text_list models;
    struct integer_list prompts, generates, batches;
    int64_t runs, ahead;
    bool read_logits;
    const char *format;
    bool profile;
    struct device_args device;
};

/* what the tests of one model share */
struct bench {
    struct loaded loaded;
    size_t n_sessions, n_tokens;
    corvid_session **sessions;
    corvid_input *inputs;
    corvid_sequence *sequences;
    int32_t *tokens; /* [n_tokens], every sequence reads the same */
    int32_t *made;   /* [n_sessions] */
    float *logits;   /* [n_sessions, vocabulary] */
    double ceiling;  /* bytes a second, for profiles */
};

static int64_t largest(const struct integer_list *list)
{
    int64_t max = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i] > max) max = list->items[i];
    return max;
}

static void release(struct bench *b)
{
    for (size_t i = 0; b->sessions && i < b->n_sessions; i++) corvid_session_destroy(b->sessions[i]);
    for (size_t i = 0; b->sequences && i < b->n_sessions; i++) corvid_sampler_destroy(b->sequences[i].sampler);
    free(b->sessions);
    free(b->sequences);
    free(b->inputs);
    free(b->made);
    free(b->tokens);
    free(b->logits);
    model_unload(&b->loaded);
}

/* On false a message was printed. */
static bool prepare(struct bench *b, const struct bench_args *a)
{
    corvid_error err = {.code = CORVID_OK};
    uint32_t vocabulary = corvid_model_describe(b->loaded.model)->vocabulary;
    int64_t pp = largest(&a->prompts), tg = largest(&a->generates);
    b->n_sessions = (size_t)largest(&a->batches);
    b->n_tokens = (size_t)(pp > tg ? pp : tg);
    b->sessions = calloc(b->n_sessions, sizeof *b->sessions);
    b->inputs = calloc(b->n_sessions, sizeof *b->inputs);
    b->sequences = calloc(b->n_sessions, sizeof *b->sequences);
    b->made = calloc(b->n_sessions, sizeof *b->made);
    b->tokens = calloc(b->n_tokens + 1, sizeof *b->tokens);
    b->logits = calloc(b->n_sessions * vocabulary, sizeof *b->logits);
    if (!b->sessions || !b->inputs || !b->sequences || !b->made || !b->tokens || !b->logits) {
        out_error("out of memory for %zu sequences", b->n_sessions);
        return false;
    }
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < b->n_tokens; i++) b->tokens[i] = (int32_t)rng_below(&rng, vocabulary);
    const corvid_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
    for (size_t i = 0; i < b->n_sessions; i++) {
        b->sessions[i] = corvid_session_create(b->loaded.model, &err);
        corvid_sampler *sampler = b->sessions[i] ? corvid_sampler_create(b->loaded.model, &greedy, &err) : NULL;
        b->sequences[i] = (corvid_sequence){.session = b->sessions[i], .sampler = sampler, .token = b->tokens[0]};
        if (!sampler) {
            report(&err);
            return false;
        }
        b->inputs[i] = (corvid_input){.session = b->sessions[i], .logits = b->logits + i * vocabulary};
    }
    return true;
}

/* `steps` steps of `chunk` tokens in each of `batch` sequences */
static bool feed(struct bench *b, size_t batch, size_t chunk, size_t steps, corvid_error *err)
{
    for (size_t step = 0; step < steps && !*terminal_interrupts(); step++) {
        for (size_t i = 0; i < batch; i++) {
            b->inputs[i].tokens = b->tokens + step * chunk;
            b->inputs[i].count = chunk;
        }
        if (!corvid_step(b->loaded.model, b->inputs, batch, err)) return false;
    }
    return true;
}

static bool make(struct bench *b, size_t batch, size_t steps, uint32_t ahead, corvid_error *err)
{
    corvid_generation_options options = {.max_steps = steps, .ahead = ahead};
    corvid_generation *g = corvid_generation_open(b->loaded.model, b->sequences, batch, &options, err);
    bool ok = g != NULL;
    for (size_t step = 0; ok && step < steps && !*terminal_interrupts(); step++)
        ok = corvid_generation_next(g, b->made, err);
    return corvid_generation_close(g, ok ? err : NULL) && ok;
}

/* One run, from empty sequences; adds the processor time to *cpu_ms. */
static bool run_once(struct bench *b, const struct bench_result *r, size_t steps, const struct bench_args *a,
                     uint64_t *ns, double *cpu_ms, corvid_error *err)
{
    for (size_t i = 0; i < r->batch; i++)
        if (!corvid_session_reset(b->sessions[i], err)) return false;
    uint64_t start = clock_ns();
    clock_t cpu = clock();
    bool ok = r->n_prompt || a->read_logits ? feed(b, r->batch, r->n_prompt ? r->n_prompt : 1, steps, err)
                                            : make(b, r->batch, steps, (uint32_t)a->ahead, err);
    *ns = clock_ns() - start;
    *cpu_ms += (double)(clock() - cpu) * 1000 / CLOCKS_PER_SEC;
    return ok;
}

/* Measures r->n_prompt or r->n_generate; fills in the samples. */
static bool measure(struct bench *b, struct bench_result *r, const struct bench_args *a, corvid_error *err)
{
    size_t steps = r->n_prompt ? 1 : r->n_generate, warm_up = steps < WARM_UP_STEPS ? steps : WARM_UP_STEPS;
    uint64_t ns;
    double cpu_ms = 0;
    if (!run_once(b, r, warm_up, a, &ns, &cpu_ms, err)) return false;
    cpu_ms = 0;
    for (r->n_samples = 0; r->n_samples < (size_t)a->runs && !*terminal_interrupts(); r->n_samples++)
        if (!run_once(b, r, steps, a, &r->samples_ns[r->n_samples], &cpu_ms, err)) return false;
    if (r->n_samples) r->cpu_ms = cpu_ms / (double)(r->n_samples * steps);
    bench_result_sum(r);
    return true;
}

/* The test once more, with timestamps. On false a message was printed. */
static bool profile(struct bench *b, const struct bench_result *r, const struct bench_args *a,
                    struct bench_report *report_out)
{
    corvid_error err = {.code = CORVID_OK};
    struct bench_profile p = {.ceiling = b->ceiling, .plain_ns = r->avg_ns};
    size_t steps = r->n_prompt ? 1 : r->n_generate;
    uint64_t ns = 0;
    double cpu_ms = 0;
    trace_start();
    bool done = run_once(b, r, 1, a, &ns, &cpu_ms, &err); /* makes what timestamps need */
    trace_clear();
    trace_start();
    done = done && run_once(b, r, steps, a, &ns, &cpu_ms, &err);
    trace_stop();
    p.wall_ns = (double)ns;
    bool kept = done && bench_profile_make(&p) && bench_report_profile(report_out, r, &p);
    trace_clear();
    if (kept) return true;
    bench_profile_free(&p);
    if (done) out_error("bench: --profile: too many dispatches to keep: give a smaller -n or -p");
    else report(&err);
    return false;
}

/* What profiles need to know of the device. On false a message was printed. */
static bool prepare_profiles(struct bench *b)
{
    corvid_error err = {.code = CORVID_OK};
    trace_clear(); /* it was on to open the device with timestamps */
    if (!corvid_device_describe(b->loaded.device)->timestamps) {
        out_error("bench: --profile needs a device with timestamps, %s has none",
                  corvid_device_describe(b->loaded.device)->name);
        return false;
    }
    if (corvid_device_read_speed(b->loaded.device, &b->ceiling, &err)) return true;
    report(&err);
    return false;
}

static int bench_model(struct bench *b, const struct bench_args *a, struct bench_report *report_out)
{
    corvid_error err = {.code = CORVID_OK};
    if (a->profile && !prepare_profiles(b)) return EXIT_FAILED;
    if (!prepare(b, a)) return EXIT_FAILED;
    for (size_t k = 0; k < a->batches.n; k++) {
        for (size_t i = 0; i < a->prompts.n + a->generates.n; i++) {
            struct bench_result r = {.model = corvid_model_describe(b->loaded.model),
                                     .device = corvid_device_describe(b->loaded.device),
                                     .batch = (size_t)a->batches.items[k]};
            if (i < a->prompts.n) r.n_prompt = (size_t)a->prompts.items[i];
            else r.n_generate = (size_t)a->generates.items[i - a->prompts.n];
            if (!r.n_prompt && !r.n_generate) continue;
            r.read_logits = r.n_prompt || a->read_logits;
            if (!measure(b, &r, a, &err)) return report(&err);
            if (*terminal_interrupts()) return EXIT_INTERRUPTED;
            bench_report_add(report_out, &r);
            if (a->profile && !profile(b, &r, a, report_out)) return EXIT_FAILED;
            if (!out_flush()) return EXIT_FAILED;
        }
    }
    return EXIT_OK;
}

static void take_default(struct integer_list *list, int64_t value)
{
    if (!list->n) *list = (struct integer_list){{value}, 1};
}

static int parse(struct bench_args *a, int argc, char **argv)
{
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file, may be repeated; default: the built-in model", OPTION_LIST, &a->models, 0,
         0},
        {'p', "n-prompt", "N", "tokens of a prompt; default 512, 0: none", OPTION_INTEGERS, &a->prompts, 0, 1 << 20},
        {'n', "n-gen", "N", "tokens to make; default 128, 0: none", OPTION_INTEGERS, &a->generates, 0, 1 << 20},
        {'b', "batch", "B", "sequences that run together; default 1", OPTION_INTEGERS, &a->batches, 1, BATCH_MAX},
        {'r', "repetitions", "R", "runs of a test; default 3", OPTION_INTEGER, &a->runs, 1, BENCH_SAMPLES_MAX},
        {0, "read-logits", NULL, "read the logits of every token back instead of choosing tokens on the device",
         OPTION_FLAG, &a->read_logits, 0, 0},
        {0, "ahead", "N", "steps on the device at once; default 0: as many as help", OPTION_INTEGER, &a->ahead, 0, 8},
        {'o', "output", "FORMAT", "md, json or csv; default md", OPTION_TEXT, &a->format, 0, 0},
        {0, "profile", NULL, "show where the GPU's time goes; with -o md or json", OPTION_FLAG, &a->profile, 0, 0},
    };
    struct option_group groups[] = {{"tests", rows, sizeof rows / sizeof *rows}, device_group(&a->device)};
    struct command_line line = {
        .name = "bench", .usage = "[-m FILE] [options]", .about = about, .groups = groups, .n_groups = 2};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    if (a->profile && (a->device.trace || !strcmp(a->format, "csv"))) {
        out_error("bench: --profile goes with neither --trace nor -o csv");
        return EXIT_USAGE;
    }
    take_default(&a->prompts, 512);
    take_default(&a->generates, 128);
    take_default(&a->batches, 1);
    if (!a->models.n) a->models.n = 1; /* one without a path: the built-in model */
    /* a transformer's session needs no more room than the tests fill */
    int64_t pp = largest(&a->prompts), tg = largest(&a->generates);
    if (!a->device.context) a->device.context = pp > tg ? pp : tg;
    return ARGS_GO_ON;
}

int command_bench(int argc, char **argv)
{
    struct bench_args args = {.runs = 3, .format = "md"};
    struct bench_report out;
    int code = parse(&args, argc, argv);
    if (code != ARGS_GO_ON) return code;
    if (!bench_report_begin(&out, args.format)) {
        out_error("bench: -o is '%s', expected md, json or csv", args.format);
        return EXIT_USAGE;
    }
    FILE *trace;
    if (!trace_open(&args.device, &trace, &code)) return code;
    code = EXIT_OK;
    for (size_t i = 0; code == EXIT_OK && i < args.models.n; i++) {
        struct bench b = {.n_sessions = 0};
        uint32_t sessions = (uint32_t)largest(&args.batches);
        if (args.profile) trace_start();
        if (model_load(&b.loaded, &args.device, args.models.items[i], sessions, &code)) {
            code = bench_model(&b, &args, &out);
            release(&b);
        }
    }
    bench_report_end(&out);
    return trace_close(&args.device, trace, code);
}
