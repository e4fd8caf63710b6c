/* main.c - `corvid`: finds the command and runs it. */
#include <locale.h>
#include <string.h>

#include "cli/args.h"
#include "base/streams.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "corvid.h"
#include "cli/out.h"

struct command {
    const char *name, *about;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"run", "continue a text", command_run},
    {"chat", "talk to a model", command_chat},
    {"bench", "measure prefill and decode in tokens per second", command_bench},
    {"devices", "list the GPUs", command_devices},
    {"doctor", "check that the GPU computes rightly, for bug reports", command_doctor},
    {"tune", "find the fastest kernel shapes of a model on this GPU", command_tune},
    {"inspect", "show the metadata and tensors of a model file", command_inspect},
    {"explain", "show the operations that a model consists of", command_explain},
    {"quantize", "write a smaller copy of a model file", command_quantize},
    {"tokenize", "show a text as tokens", command_tokenize},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int print_help(void)
{
    out_text("corvid - run language models on WebGPU\n\nusage: corvid COMMAND [options]\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++) out_printf("  %-10s %s\n", commands[i].name, commands[i].about);
    out_text("\n'corvid COMMAND --help' explains a command, 'corvid --version' shows the version.\n\n"
             "Without -m FILE a command uses the built-in model. Results go to standard output, messages to standard\n"
             "error.\n\n"
             "exit codes:\n"
             "  0    success, also when the reader of the output closed its pipe\n"
             "  1    an error while working: a file, a device or a model\n"
             "  2    wrong usage: an unknown command or option, a bad value\n"
             "  130  interrupted by Ctrl-C\n");
    return EXIT_OK;
}

static int report_unknown(const char *word)
{
    const char *names[N_COMMANDS + 2] = {"--help", "--version"};
    for (size_t i = 0; i < N_COMMANDS; i++) names[i + 2] = commands[i].name;
    const char *near = args_nearest(word, names, N_COMMANDS + 2);
    const char *kind = word[0] == '-' ? "option" : "command";
    if (near) out_error("unknown %s '%s', did you mean %s?", kind, word, near);
    else out_error("unknown %s '%s', 'corvid --help' lists the commands", kind, word);
    return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        out_error("a command is missing, 'corvid --help' lists them");
        return EXIT_USAGE;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) return print_help();
    if (!strcmp(word, "--version")) {
        out_printf("corvid %s\n", corvid_version());
        return EXIT_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(word, commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    return report_unknown(word);
}

int main(int argc, char **argv)
{
    /* characters only: numbers keep their decimal point */
    setlocale(LC_CTYPE, "");
    streams_start();
    terminal_interrupts();
    return out_finish(dispatch(argc, argv));
}
