/* args.h - a command's options as a table: the same rows parse the command line and print --help.
 *
 *   struct option rows[] = {{'n', "n-predict", "N", "tokens at most", OPTION_INTEGER, &n, -1, 1e6}};
 *
 * Strict: a number must be one from its first to its last character and within its range; NaN and infinity are
 * refused. Accepts -n 5, -n5, --n-predict 5, --n-predict=5 and -- before operands that start with '-'. */
#ifndef CORVID_CLI_ARGS_H
#define CORVID_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* bool: takes no value */
    OPTION_TEXT,     /* const char * */
    OPTION_LIST,     /* struct text_list: may be repeated */
    OPTION_INTEGER,  /* int64_t, min .. max */
    OPTION_INTEGERS, /* struct integer_list: 1,8,32, each min .. max */
    OPTION_NUMBER    /* double, min .. max */
};

struct text_list {
    const char *items[16];
    size_t n;
};

struct integer_list {
    int64_t items[16];
    size_t n;
};

struct option {
    char letter;       /* 0: none */
    const char *name;  /* without "--" */
    const char *value; /* what --help calls the value; NULL for a flag */
    const char *help;
    enum option_kind kind;
    void *target;    /* keeps its content if the option is not given */
    double min, max; /* of integers and numbers */
};

struct option_group {
    const char *title;
    const struct option *rows;
    size_t n;
};

struct command_line {
    const char *name;  /* "run" */
    const char *usage; /* "[-m FILE] -p TEXT [options]" */
    const char *about; /* paragraphs of --help */
    const struct option_group *groups;
    size_t n_groups;
    const char **operands; /* operands[n_operands]: all are required */
    size_t n_operands;
};

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130, ARGS_GO_ON = -1 };

/* Returns ARGS_GO_ON, or the exit code after --help, --version or a mistake, which is printed. argv[0] is the
 * command. */
int args_parse(const struct command_line *line, int argc, char **argv);

/* The candidate that is so near to `word` that it was probably meant; NULL if none is. */
const char *args_nearest(const char *word, const char *const *candidates, size_t n);

#endif
