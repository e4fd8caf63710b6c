/* command_run.c - `corvid run`: continues a text. */
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/generate.h"
#include "cli/out.h"
#include "cli/sampling.h"

static const char about[] =
    "Continues a text and writes the continuation to standard output as it is made.\n"
    "The prompt is taken as it is: no chat format is added, names of control tokens in it become those tokens.\n"
    "Penalties look at the continuation only; --temp 0 switches them off unless they are given.\n"
    "--json prints one object: prompt, prompt_tokens, tokens, text, finish_reason (stop, length, interrupted), seed\n"
    "and timings, in which decode_tokens counts the tokens fed after the prompt: one less than were made.\n"
    "CORVID_CAPTURE=1 in the environment lets an attached graphics debugger capture the second step.";

enum { PREFILL_CHUNK = 512 };

struct run_args {
    const char *model, *prompt, *file;
    int64_t n;
    struct text_list stops;
    bool json, ignore_eos;
    struct device_args device;
    struct sampling_args sampling;
};

struct run {
    const struct run_args *args;
    struct loaded loaded;
    char *text;
    size_t length;
    int32_t *tokens; /* of the prompt */
    size_t n_tokens;
    struct builder answer;
    corvid_sampling sampling;
};

static bool emit(void *user, const char *text, size_t n)
{
    struct run *r = user;
    if (r->args->json) {
        builder_append(&r->answer, text, n);
        return true;
    }
    out_write(text, n);
    return out_flush();
}

static int parse(struct run_args *a, int argc, char **argv)
{
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file; default: the built-in model", OPTION_TEXT, &a->model, 0, 0},
        {'p', "prompt", "TEXT", "the text to continue; - reads standard input", OPTION_TEXT, &a->prompt, 0, 0},
        {'f', "file", "FILE", "reads the prompt from a file", OPTION_TEXT, &a->file, 0, 0},
        {'n', "n-predict", "N", "tokens to make at most; default 128, -1: until the text or the context ends",
         OPTION_INTEGER, &a->n, -1, INT32_MAX},
        {0, "stop", "S", "ends the text before S; may be repeated", OPTION_LIST, &a->stops, 0, 0},
        {0, "ignore-eos", NULL, "never take a token that ends the text", OPTION_FLAG, &a->ignore_eos, 0, 0},
        {0, "json", NULL, "print one JSON object at the end", OPTION_FLAG, &a->json, 0, 0},
    };
    struct option_group groups[] = {
        {"text", rows, sizeof rows / sizeof *rows}, sampling_group(&a->sampling), device_group(&a->device)};
    struct command_line line = {
        .name = "run", .usage = "[-m FILE] -p TEXT [options]", .about = about, .groups = groups, .n_groups = 3};
    int code = args_parse(&line, argc, argv);
    for (size_t i = 0; code == ARGS_GO_ON && i < a->stops.n; i++) {
        if (*a->stops.items[i]) continue;
        out_error("run: --stop is empty, expected a text");
        code = EXIT_USAGE;
    }
    return code;
}

static json_t *json_tokens(const int32_t *tokens, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(array, json_integer(tokens[i]));
    return array;
}

static void print_json(struct run *r, const struct generation *g)
{
    json_t *timings = json_pack("{s:f, s:I, s:f, s:I, s:f}", "load_ms", r->loaded.load_ms, "prefill_tokens",
                                (json_int_t)g->prefill_tokens, "prefill_tokens_per_second",
                                rate(g->prefill_tokens, g->prefill_ms), "decode_tokens", (json_int_t)g->decode_tokens,
                                "decode_tokens_per_second", rate(g->decode_tokens, g->decode_ms));
    out_json(json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:o}", "prompt", out_json_text(r->text, r->length),
                       "prompt_tokens", json_tokens(r->tokens, r->n_tokens), "tokens",
                       json_tokens(g->tokens, g->n_tokens), "text", out_json_text(r->answer.data, r->answer.length),
                       "finish_reason", finish_text(g->finish), "seed", (json_int_t)r->sampling.seed, "timings",
                       timings));
}

static int continue_text(struct run *r, corvid_session *session)
{
    const struct run_args *a = r->args;
    corvid_error err = {.code = CORVID_OK};
    r->sampling = sampling_choose(&a->sampling, r->loaded.model);
    struct generation g = {.model = r->loaded.model,
                           .session = session,
                           .sampling = &r->sampling,
                           .stops = a->stops.items,
                           .n_stops = a->stops.n,
                           .max_tokens = a->n,
                           .ignore_eos = a->ignore_eos,
                           .prefill_chunk = PREFILL_CHUNK,
                           .emit = emit,
                           .emit_user = r};
    bool done = generate(&g, r->tokens, r->n_tokens, &err);
    if (!a->json && terminal_is(1)) out_text("\n");
    if (done && a->json) print_json(r, &g);
    free(g.tokens);
    if (!done) return report(&err);
    return g.finish == FINISH_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_OK;
}

static int work(struct run *r)
{
    corvid_error err = {.code = CORVID_OK};
    int code = EXIT_FAILED;
    if (!prompt_read("run", r->args->prompt, r->args->file, &r->text, &r->length, &code)) return code;
    if (!model_load(&r->loaded, &r->args->device, r->args->model, 1, &code)) return code;
    if (!corvid_tokenize(r->loaded.model, r->text, r->length, CORVID_TOKENIZE_BOS | CORVID_TOKENIZE_SPECIAL, &r->tokens,
                         &r->n_tokens, &err)) {
        return report(&err);
    }
    if (!r->n_tokens) {
        out_error("the prompt is empty and this model has no token that begins a text: give a prompt");
        return EXIT_FAILED;
    }
    corvid_session *session = corvid_session_create(r->loaded.model, &err);
    if (!session) return report(&err);
    code = continue_text(r, session);
    corvid_session_destroy(session);
    return code;
}

int command_run(int argc, char **argv)
{
    struct run_args args = {.n = 128};
    int code = parse(&args, argc, argv);
    if (code != ARGS_GO_ON) return code;
    struct run run = {.args = &args};
    FILE *trace;
    if (!trace_open(&args.device, &trace, &code)) return code;
    code = work(&run);
    model_unload(&run.loaded);
    code = trace_close(&args.device, trace, code);
    builder_free(&run.answer);
    free(run.tokens);
    free(run.text);
    return code;
}
