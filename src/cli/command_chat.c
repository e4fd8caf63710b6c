/* command_chat.c - `corvid chat`: a conversation in the terminal, or with the lines of a pipe. */
#include <stdlib.h>
#include <string.h>

#include "base/streams.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/conversation.h"
#include "cli/line.h"
#include "cli/out.h"
#include "cli/sampling.h"

#define EXAMPLE "Tell me a story about a fox."

enum { ANSWER_TOKENS = 512, INPUT_WAIT_MS = 5000 };

static const char about[] =
    "Talks to a model. The state is kept: a turn costs only its own tokens. Ctrl-C stops the answer, Ctrl-D or /quit\n"
    "ends. /help lists the commands. Every line of a pipe on standard input is a turn; if nothing comes through it\n"
    "within 5 seconds, one example is answered.\n"
    "Penalties look at the current answer only; --temp 0 switches them off unless they are given.";

struct chat {
    struct loaded loaded;
    struct conversation conversation;
    bool terminal; /* a person types */
    int code;      /* the exit code, EXIT_OK so far */
    bool over;
};

struct chat_command {
    const char *name, *value, *about;
    void (*run)(struct chat *c, const char *value);
};

/* ---- commands ---- */

static void report_turn(struct chat *c, const corvid_error *err)
{
    out_error("%s", err->message);
    if (!c->terminal) c->code = EXIT_FAILED;
    if (err->code == CORVID_ERROR_DEVICE_LOST) {
        c->code = EXIT_FAILED;
        c->over = true;
    }
}

static void reset(struct chat *c, const char *value)
{
    corvid_error err = {.code = CORVID_OK};
    (void)value;
    if (!conversation_reset(&c->conversation, &err)) report_turn(c, &err);
    else if (c->terminal) out_text("(a new conversation)\n");
}

static void save(struct chat *c, const char *value)
{
    corvid_error err = {.code = CORVID_OK};
    if (!conversation_save(&c->conversation, value, &err)) report_turn(c, &err);
    else if (c->terminal) out_printf("(saved %llu turns)\n", (unsigned long long)c->conversation.turns);
}

static void load(struct chat *c, const char *value)
{
    corvid_error err = {.code = CORVID_OK};
    if (!conversation_load(&c->conversation, value, &err)) report_turn(c, &err);
    else if (c->terminal) out_printf("(loaded %llu turns)\n", (unsigned long long)c->conversation.turns);
}

static void stats(struct chat *c, const char *value)
{
    const struct conversation *k = &c->conversation;
    const corvid_model_info *info = corvid_model_describe(c->loaded.model);
    (void)value;
    out_printf("turns: %llu, tokens in the state: %llu", (unsigned long long)k->turns,
               (unsigned long long)corvid_session_length(k->session));
    if (info->context) out_printf(" of %u", (unsigned)info->context);
    out_printf(", state: %.1f MB\nlast answer: read %zu tokens at %.1f/s, wrote %zu tokens at %.1f/s\n",
               (double)info->state_bytes / 1e6, k->prefill_tokens, rate(k->prefill_tokens, k->prefill_ms),
               k->decode_tokens, rate(k->decode_tokens, k->decode_ms));
    struct builder text = {0};
    memory_describe(&c->loaded, &text);
    if (text.data) out_text(text.data);
    builder_free(&text);
}

static void quit(struct chat *c, const char *value)
{
    (void)value;
    c->over = true;
}

static void help(struct chat *c, const char *value);

static const struct chat_command chat_commands[] = {
    {"/reset", NULL, "forget the conversation", reset},
    {"/save", "FILE", "write the conversation's state to a file", save},
    {"/load", "FILE", "go on with a saved conversation of the same model", load},
    {"/stats", NULL, "show turns, tokens, speed and memory", stats},
    {"/help", NULL, "show this list", help},
    {"/quit", NULL, "end; Ctrl-D does it too", quit},
};

enum { N_CHAT_COMMANDS = sizeof chat_commands / sizeof *chat_commands };

static void help(struct chat *c, const char *value)
{
    (void)c, (void)value;
    for (size_t i = 0; i < N_CHAT_COMMANDS; i++) {
        const struct chat_command *k = &chat_commands[i];
        out_printf("  %-6s %-5s %s\n", k->name, k->value ? k->value : "", k->about);
    }
}

static void run_command(struct chat *c, const char *line)
{
    size_t length = strcspn(line, " ");
    const char *value = line + length + strspn(line + length, " ");
    for (size_t i = 0; i < N_CHAT_COMMANDS; i++) {
        const struct chat_command *k = &chat_commands[i];
        if (strlen(k->name) != length || memcmp(k->name, line, length) != 0) continue;
        if (!k->value || *value) {
            k->run(c, value);
            return;
        }
        out_error("%s needs a value: %s %s", k->name, k->name, k->value);
        if (!c->terminal) c->code = EXIT_FAILED;
        return;
    }
    out_error("'%s' is no command of the chat, expected one of these:", line);
    help(c, NULL);
    if (!c->terminal) c->code = EXIT_FAILED;
}

/* ---- turns ---- */

static bool emit(void *user, const char *text, size_t n)
{
    (void)user;
    out_write(text, n);
    return out_flush();
}

static void ask(struct chat *c, const char *text)
{
    corvid_error err = {.code = CORVID_OK};
    bool done = conversation_ask(&c->conversation, text, &err);
    out_text(c->terminal ? "\n\n" : "\n");
    bool interrupted = *terminal_interrupts() != 0;
    *terminal_interrupts() = 0;
    if (interrupted && !c->terminal) {
        c->code = EXIT_INTERRUPTED;
        c->over = true;
    }
    if (!out_flush()) c->over = true;
    if (done) return;
    report_turn(c, &err);
    if (err.code == CORVID_ERROR_LIMIT) {
        if (c->terminal) out_text("(/reset starts a new conversation)\n");
    } else if (!c->over) {
        reset(c, NULL);
    }
}

static void take_line(struct chat *c, const char *line)
{
    line += strspn(line, " \t");
    if (*line == '/') run_command(c, line);
    else if (*line) ask(c, line);
}

static void talk(struct chat *c)
{
    bool hinted = false;
    while (!c->over) {
        char *line = line_read("> ");
        if (!line && *terminal_interrupts()) {
            *terminal_interrupts() = 0;
            out_text(hinted ? "\n" : "\n(Ctrl-D or /quit ends, and so does another Ctrl-C)\n");
            if (hinted) return;
            hinted = true;
            continue;
        }
        if (!line) {
            out_text("\n");
            return;
        }
        hinted = false;
        line_history_add(line);
        take_line(c, line);
        free(line);
    }
}

static void banner(const struct chat *c)
{
    const corvid_model_info *m = corvid_model_describe(c->loaded.model);
    const corvid_device_info *d = corvid_device_describe(c->loaded.device);
    out_text("corvid " CORVID_VERSION ": ");
    out_escaped(m->name, strlen(m->name), sizeof m->name);
    out_printf(" (%s, %s, %.1f M parameters) on ", m->architecture, m->type, (double)m->parameters / 1e6);
    out_escaped(d->name, strlen(d->name), sizeof d->name);
    out_printf(" (%s)\n/help lists the commands, Ctrl-C stops an answer, Ctrl-D ends\n\n", d->backend);
}

/* The history's file; false if there is no home. */
static bool history_path(char path[COMMON_PATH_MAX])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;
    if (state && *state == '/') length = snprintf(path, COMMON_PATH_MAX, "%s/corvid/history", state);
    else if (home && *home) length = snprintf(path, COMMON_PATH_MAX, "%s/.local/state/corvid/history", home);
    else return false;
    return length > 0 && length < COMMON_PATH_MAX;
}

static void talk_to_person(struct chat *c)
{
    char path[COMMON_PATH_MAX];
    bool has_path = history_path(path);
    banner(c);
    out_flush();
    if (has_path) line_history_load(path);
    talk(c);
    if (has_path) line_history_save(path);
    line_end();
}

static void talk_to_pipe(struct chat *c)
{
    char *line = streams_input_ready(INPUT_WAIT_MS) ? line_read("") : NULL;
    if (!line && !*terminal_interrupts()) {
        out_text("> " EXAMPLE "\n");
        ask(c, EXAMPLE);
    }
    while (line) {
        take_line(c, line);
        free(line);
        line = c->over ? NULL : line_read("");
    }
    if (*terminal_interrupts()) c->code = EXIT_INTERRUPTED;
}

/* ---- the command ---- */

struct chat_args {
    const char *model, *system;
    int64_t n;
    struct device_args device;
    struct sampling_args sampling;
};

static int parse(struct chat_args *a, int argc, char **argv)
{
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file; default: the built-in model", OPTION_TEXT, &a->model, 0, 0},
        {0, "system", "TEXT", "tells the model how to behave", OPTION_TEXT, &a->system, 0, 0},
        {'n', "n-predict", "N", "tokens of an answer at most; default 512, -1: no limit", OPTION_INTEGER, &a->n, -1,
         INT32_MAX},
    };
    struct option_group groups[] = {
        {"conversation", rows, sizeof rows / sizeof *rows}, sampling_group(&a->sampling), device_group(&a->device)};
    struct command_line line = {.name = "chat",
                                .usage = "[-m FILE] [--system TEXT] [options]",
                                .about = about,
                                .groups = groups,
                                .n_groups = 3};
    return args_parse(&line, argc, argv);
}

int command_chat(int argc, char **argv)
{
    struct chat_args args = {.n = ANSWER_TOKENS};
    struct chat c = {.terminal = terminal_is(0) && terminal_is(1), .code = EXIT_OK};
    int code = parse(&args, argc, argv);
    if (code != ARGS_GO_ON) return code;
    FILE *trace;
    if (!trace_open(&args.device, &trace, &code)) return code;
    if (!model_load(&c.loaded, &args.device, args.model, 1, &code)) return trace_close(&args.device, trace, code);
    corvid_error err = {.code = CORVID_OK};
    c.conversation = (struct conversation){.model = c.loaded.model,
                                           .system = args.system,
                                           .emit = emit,
                                           .session = corvid_session_create(c.loaded.model, &err),
                                           .sampling = sampling_choose(&args.sampling, c.loaded.model),
                                           .max_tokens = args.n};
    if (!c.conversation.session) c.code = report(&err);
    else if (c.terminal) talk_to_person(&c);
    else talk_to_pipe(&c);
    corvid_session_destroy(c.conversation.session);
    model_unload(&c.loaded);
    return trace_close(&args.device, trace, c.code);
}
