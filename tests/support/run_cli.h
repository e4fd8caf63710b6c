/* run_cli.h - runs the built command line as a user would, and looks at what it says.
 *
 *   struct cli_result r = cli_run("printf hi | $C run -p - -n 4");
 *   cli_expect(&r, 0, "text on standard output", NULL);
 *   cli_free(&r);
 *
 * The command is a shell's: $C is the program (CORVID_BIN), $T a folder that lives as long as the test program, $S the
 * sources (CORVID_SOURCE_DIR). The exit code is that of the last program in a pipe. */
#ifndef CORVID_TESTS_RUN_CLI_H
#define CORVID_TESTS_RUN_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_result {
    char command[512];
    int code;        /* 128 + signal if it was killed */
    char *out, *err; /* malloc'ed, 0-terminated */
};

/* For cmocka_run_group_tests: makes and removes $T, and sets $C and $S. */
int cli_setup(void **state);
int cli_teardown(void **state);

struct cli_result cli_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_free(struct cli_result *r);

/* Fails the test, showing everything, unless the exit code is `code` and the streams contain out and err. NULL: that
 * stream is empty; "": anything goes. */
void cli_expect(const struct cli_result *r, int code, const char *out, const char *err);

/* One error: the exit code, nothing on standard output, and one line "corvid: ..." that contains `message`. */
void cli_expect_error(const char *command, int code, const char *message);

/* Runs the command, which must succeed and print JSON; json_decref() what it returns. */
json_t *cli_json(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
