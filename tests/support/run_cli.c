/* run_cli.c - see run_cli.h */
#define _XOPEN_SOURCE 700

#include "support/run_cli.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/corvid-test-XXXXXX";

static void set_path(const char *name, const char *variable, const char *otherwise)
{
    const char *given = getenv(variable);
    char path[PATH_MAX];
    /* absolute: tests change folders */
    if (!realpath(given && *given ? given : otherwise, path)) {
        fprintf(stderr, "%s: not found, set %s\n", given ? given : otherwise, variable);
        exit(1);
    }
    setenv(name, path, 1);
}

int cli_setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    set_path("C", "CORVID_BIN", "build/bin/corvid");
    set_path("S", "CORVID_SOURCE_DIR", ".");
    setenv("T", folder, 1);
    setenv("XDG_STATE_HOME", folder, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    return 0;
}

int cli_teardown(void **state)
{
    (void)state;
    return system("rm -r \"$T\"");
}

static char *read_all(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t capacity = 1 << 20, length = 0;
    char *text = malloc(capacity + 1);
    assert_non_null(text);
    for (size_t n; (n = fread(text + length, 1, capacity - length, file)) > 0;) {
        length += n;
        if (length < capacity) continue;
        text = realloc(text, (capacity *= 2) + 1);
        assert_non_null(text);
    }
    fclose(file);
    text[length] = 0;
    return text;
}

static struct cli_result run(const char *format, va_list args)
{
    struct cli_result r = {.code = -1};
    char line[700];
    assert_in_range(vsnprintf(r.command, sizeof r.command, format, args), 1, sizeof r.command - 1);
    snprintf(line, sizeof line, "{ %s\n} >\"$T/out\" 2>\"$T/err\"", r.command);
    fflush(NULL);
    int status = system(line);
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    r.out = read_all("out");
    r.err = read_all("err");
    return r;
}

struct cli_result cli_run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct cli_result r = run(format, args);
    va_end(args);
    return r;
}

void cli_free(struct cli_result *r)
{
    free(r->out);
    free(r->err);
    r->out = r->err = NULL;
}

static bool holds(const char *text, const char *expected) { return expected ? strstr(text, expected) != NULL : !*text; }

void cli_expect(const struct cli_result *r, int code, const char *out, const char *err)
{
    if (r->code == code && holds(r->out, out) && holds(r->err, err)) return;
    fail_msg("%s\nexit code %d, expected %d\nout: %.2000s\nexpected: %s\nerr: %.2000s\nexpected: %s", r->command,
             r->code, code, r->out, out ? out : "nothing", r->err, err ? err : "nothing");
}

void cli_expect_error(const char *command, int code, const char *message)
{
    struct cli_result r = cli_run("%s", command);
    cli_expect(&r, code, NULL, message);
    size_t length = strlen(r.err);
    if (strncmp(r.err, "corvid: ", 8) != 0 || strchr(r.err, '\n') != r.err + length - 1)
        fail_msg("%s\nexpected one line that begins with 'corvid: ', found: %s", command, r.err);
    cli_free(&r);
}

json_t *cli_json(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct cli_result r = run(format, args);
    va_end(args);
    cli_expect(&r, 0, "", NULL);
    json_error_t why;
    json_t *value = json_loads(r.out, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!value) fail_msg("%s\nno JSON: %s\n%.2000s", r.command, why.text, r.out);
    cli_free(&r);
    return value;
}
