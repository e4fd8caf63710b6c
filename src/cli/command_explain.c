/* command_explain.c - `corvid explain`: the recorded operations of a model as text. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

static const char about[] =
    "Prints the operations that a model consists of, with formulas, shapes and buffers. Needs no device.";

int command_explain(int argc, char **argv)
{
    const char *path = NULL;
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file; default: the built-in model", OPTION_TEXT, &path, 0, 0}};
    struct option_group group = {"model", rows, 1};
    struct command_line line = {
        .name = "explain", .usage = "[-m FILE]", .about = about, .groups = &group, .n_groups = 1};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    char builtin[COMMON_PATH_MAX], *text = NULL;
    corvid_error err = {.code = CORVID_OK};
    if (!path && !(path = model_builtin(builtin))) return EXIT_FAILED;
    if (!corvid_explain(path, &text, &err)) return report(&err);
    /* names of tensors come from the file */
    for (char *row = text; *row;) {
        size_t n = strcspn(row, "\n");
        out_escaped(row, n, n);
        out_text("\n");
        row += n + (row[n] == '\n');
    }
    free(text);
    return EXIT_OK;
}
