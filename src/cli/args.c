/* args.c - see args.h */
#include "cli/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corvid.h"
#include "cli/out.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100, WORD_MAX = 31 };

/* ---- nearest name ---- */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* insertions, deletions, replacements and swaps of neighbours that lead from a to b; a large number for long words */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX) return WORD_MAX;
    unsigned d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= n; i++) d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++) d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned replace = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, replace);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && d[i - 2][j - 2] + 1 < d[i][j]) d[i][j] = d[i - 2][j - 2] + 1;
        }
    }
    return d[n][m];
}

const char *args_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    unsigned best_distance = strlen(word) <= 4 ? 2 : 3;
    for (size_t i = 0; i < n; i++) {
        /* the start of a name is near to it, however long the rest */
        size_t length = strlen(word);
        bool begins = length >= 2 && !strncmp(word, candidates[i], length);
        unsigned distance = begins ? 1 : edit_distance(word, candidates[i]);
        if (distance < best_distance) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}

/* ---- values ---- */

static bool parse_integer(const char *text, const struct option *o, int64_t *out)
{
    char *end;
    errno = 0;
    /* strtoll would skip spaces */
    if (!isdigit((unsigned char)*text) && *text != '-' && *text != '+') return false;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || (double)value < o->min || (double)value > o->max) return false;
    *out = value;
    return true;
}

static bool parse_integers(const char *text, const struct option *o, struct integer_list *out)
{
    struct integer_list list = {.n = 0};
    while (list.n < sizeof list.items / sizeof *list.items) {
        char item[32];
        size_t length = strcspn(text, ",");
        if (length >= sizeof item) return false;
        memcpy(item, text, length);
        item[length] = 0;
        if (!parse_integer(item, o, &list.items[list.n++])) return false;
        if (!text[length]) {
            *out = list;
            return true;
        }
        text += length + 1;
    }
    return false;
}

static bool parse_number(const char *text, const struct option *o, double *out)
{
    /* decimal digits only: strtod also takes spaces, "nan", "inf" and hexadecimal */
    if (!*text || text[strspn(text, "+-.0123456789eE")]) return false;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < o->min || value > o->max) return false;
    *out = value;
    return true;
}

static const char *kind_text(enum option_kind kind)
{
    switch (kind) {
    case OPTION_INTEGERS: return "whole numbers separated by commas";
    case OPTION_NUMBER: return "a number";
    default: return "a whole number";
    }
}

static bool set(const char *command, const struct option *o, const char *shown, const char *value)
{
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)o->target = true; return true;
    case OPTION_TEXT: *(const char **)o->target = value; return true;
    case OPTION_LIST: {
        struct text_list *list = o->target;
        if (list->n == sizeof list->items / sizeof *list->items) {
            out_error("%s: %s may be given %zu times at most", command, shown, list->n);
            return false;
        }
        list->items[list->n++] = value;
        return true;
    }
    case OPTION_INTEGER:
        if (parse_integer(value, o, o->target)) return true;
        break;
    case OPTION_INTEGERS:
        if (parse_integers(value, o, o->target)) return true;
        break;
    case OPTION_NUMBER:
        if (parse_number(value, o, o->target)) return true;
        break;
    }
    out_error("%s: %s is '%s', expected %s from %.16g to %.16g", command, shown, value, kind_text(o->kind), o->min,
              o->max);
    return false;
}

/* ---- --help ---- */

/* text from column HELP_COLUMN on, wrapped between words */
static void print_wrapped(const char *text, size_t column)
{
    if (column + 1 >= HELP_COLUMN) {
        out_text("\n");
        column = 0;
    }
    out_printf("%*s", (int)(HELP_COLUMN - column), "");
    column = HELP_COLUMN;
    for (bool first = true; *text; first = false) {
        size_t length = strcspn(text, " ");
        if (!first && column + 1 + length > HELP_WIDTH) {
            out_printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (!first) {
            out_text(" ");
            column++;
        }
        out_write(text, length);
        column += length;
        text += length + strspn(text + length, " ");
    }
    out_text("\n");
}

static void print_row(char letter, const char *name, const char *value, const char *help)
{
    char left[64];
    char short_name[8] = "    ";
    if (letter) snprintf(short_name, sizeof short_name, "-%c, ", letter);
    int length = snprintf(left, sizeof left, "  %s--%s%s%s", short_name, name, value ? " " : "", value ? value : "");
    out_text(left);
    print_wrapped(help, (size_t)length);
}

static void print_help(const struct command_line *line)
{
    out_printf("usage: corvid %s %s\n\n%s\n", line->name, line->usage, line->about);
    for (size_t g = 0; g < line->n_groups; g++) {
        out_printf("\n%s:\n", line->groups[g].title);
        for (size_t i = 0; i < line->groups[g].n; i++) {
            const struct option *o = &line->groups[g].rows[i];
            print_row(o->letter, o->name, o->value, o->help);
        }
    }
    out_text("\ngeneral:\n");
    print_row('h', "help", NULL, "show this text");
    print_row(0, "version", NULL, "show Corvid's version");
}

/* ---- the command line ---- */

static const struct option *find(const struct command_line *line, const char *name, size_t length, char letter)
{
    for (size_t g = 0; g < line->n_groups; g++) {
        for (size_t i = 0; i < line->groups[g].n; i++) {
            const struct option *o = &line->groups[g].rows[i];
            if (name ? strlen(o->name) == length && !memcmp(o->name, name, length) : letter && o->letter == letter)
                return o;
        }
    }
    return NULL;
}

static void report_unknown(const struct command_line *line, const char *arg)
{
    const char *names[64] = {"help", "version"};
    size_t n = 2;
    for (size_t g = 0; g < line->n_groups; g++)
        for (size_t i = 0; i < line->groups[g].n && n < 64; i++) names[n++] = line->groups[g].rows[i].name;
    char word[WORD_MAX + 1];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(arg, "="), arg);
    const char *near = word[0] == '-' && word[1] == '-' && word[2] ? args_nearest(word + 2, names, n) : NULL;
    if (near) out_error("%s: unknown option '%s', did you mean --%s?", line->name, arg, near);
    else out_error("%s: unknown option '%s', 'corvid %s --help' lists them", line->name, arg, line->name);
}

/* Handles argv[*at], which starts with '-', and its value. */
static bool parse_option(const struct command_line *line, int argc, char **argv, int *at)
{
    const char *arg = argv[*at], *value = NULL;
    const struct option *o;
    char shown[WORD_MAX + 3];
    if (arg[1] == '-') {
        size_t length = strcspn(arg + 2, "=");
        o = find(line, arg + 2, length, 0);
        if (arg[2 + length] == '=') value = arg + 2 + length + 1;
    } else {
        o = find(line, NULL, 0, arg[1]);
        if (arg[2]) value = arg + 2;
    }
    if (!o) {
        report_unknown(line, arg);
        return false;
    }
    snprintf(shown, sizeof shown, arg[1] == '-' ? "--%s" : "-%.1s", arg[1] == '-' ? o->name : arg + 1);
    if (o->kind == OPTION_FLAG && value) {
        out_error("%s: %s takes no value, found '%s'", line->name, shown, value);
        return false;
    }
    if (o->kind != OPTION_FLAG && !value) {
        if (*at + 1 >= argc) {
            out_error("%s: %s needs a value: %s %s", line->name, shown, shown, o->value);
            return false;
        }
        value = argv[++*at];
    }
    return set(line->name, o, shown, value);
}

int args_parse(const struct command_line *line, int argc, char **argv)
{
    size_t n_operands = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (!only_operands && arg[0] == '-' && arg[1]) {
            if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) return print_help(line), EXIT_OK;
            if (!strcmp(arg, "--version")) return out_printf("corvid %s\n", corvid_version()), EXIT_OK;
            if (!strcmp(arg, "--")) only_operands = true;
            else if (!parse_option(line, argc, argv, &i)) return EXIT_USAGE;
        } else if (n_operands == line->n_operands) {
            out_error("%s: unexpected argument '%s', usage: corvid %s %s", line->name, arg, line->name, line->usage);
            return EXIT_USAGE;
        } else {
            line->operands[n_operands++] = arg;
        }
    }
    if (n_operands < line->n_operands) {
        out_error("%s: too few arguments, usage: corvid %s %s", line->name, line->name, line->usage);
        return EXIT_USAGE;
    }
    return ARGS_GO_ON;
}
