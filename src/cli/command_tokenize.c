/* command_tokenize.c - `corvid tokenize`: a text as tokens, with the vocabulary of a file alone. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

enum { PIECE_MAX = 200 };

static const char about[] =
    "Prints a text's tokens, one a line: the id and the vocabulary's spelling of it. Needs no device and no weights.\n"
    "The text is treated as 'corvid run' does: the model's beginning token in front, names of control tokens become\n"
    "those tokens.";

struct tokenize_args {
    const char *model, *prompt, *file;
    bool json, ids, no_bos, no_special;
};

/* The index of the vocabulary's metadata entry; the number of entries if it is missing. */
static size_t find_vocabulary(const corvid_file *file)
{
    size_t n = corvid_file_n_metadata(file);
    for (size_t i = 0; i < n; i++) {
        corvid_metadata entry = corvid_file_metadata(file, i);
        if (entry.is_string && !strcmp(entry.key, "tokenizer.ggml.tokens")) return i;
    }
    return n;
}

/* The spelling of a token: not 0-terminated; empty for ids that the vocabulary lacks. */
static const char *spelling(const corvid_file *file, size_t vocabulary, int32_t token, size_t *length)
{
    *length = 0;
    if (vocabulary == corvid_file_n_metadata(file) || token < 0) return "";
    if ((uint64_t)token >= corvid_file_metadata(file, vocabulary).count) return "";
    return corvid_file_string(file, vocabulary, (uint64_t)token, length);
}

static void print_pieces(const corvid_file *file, const int32_t *tokens, size_t n, bool json)
{
    size_t vocabulary = find_vocabulary(file);
    json_t *ids = json ? json_array() : NULL, *pieces = json ? json_array() : NULL;
    for (size_t i = 0; i < n; i++) {
        size_t length;
        const char *piece = spelling(file, vocabulary, tokens[i], &length);
        if (json) {
            json_array_append_new(ids, json_integer(tokens[i]));
            json_array_append_new(pieces, out_json_text(piece, length));
        } else {
            out_printf("%7d  ", (int)tokens[i]);
            out_escaped(piece, length, PIECE_MAX);
            out_text("\n");
        }
    }
    if (json) out_json(json_pack("{s:I, s:o, s:o}", "count", (json_int_t)n, "tokens", ids, "pieces", pieces));
}

static int print(const struct tokenize_args *a, const char *path, const int32_t *tokens, size_t n)
{
    if (a->ids && !a->json) {
        for (size_t i = 0; i < n; i++) out_printf("%s%d", i ? " " : "", (int)tokens[i]);
        out_text("\n");
        return EXIT_OK;
    }
    corvid_error err = {.code = CORVID_OK};
    corvid_file *file = corvid_file_open(path, &err);
    if (!file) return report(&err);
    print_pieces(file, tokens, n, a->json);
    corvid_file_close(file);
    return EXIT_OK;
}

int command_tokenize(int argc, char **argv)
{
    struct tokenize_args a = {.model = NULL};
    const struct option rows[] = {
        {'m', "model", "FILE", "GGUF file; default: the built-in model", OPTION_TEXT, &a.model, 0, 0},
        {'p', "prompt", "TEXT", "the text; - reads standard input", OPTION_TEXT, &a.prompt, 0, 0},
        {'f', "file", "FILE", "reads the text from a file", OPTION_TEXT, &a.file, 0, 0},
        {0, "no-bos", NULL, "do not put the beginning token in front", OPTION_FLAG, &a.no_bos, 0, 0},
        {0, "no-special", NULL, "names of control tokens are plain text", OPTION_FLAG, &a.no_special, 0, 0},
        {0, "ids", NULL, "print the ids alone, on one line", OPTION_FLAG, &a.ids, 0, 0},
        {0, "json", NULL, "print one JSON object: count, tokens, pieces", OPTION_FLAG, &a.json, 0, 0},
    };
    struct option_group group = {"options", rows, sizeof rows / sizeof *rows};
    struct command_line line = {
        .name = "tokenize", .usage = "[-m FILE] -p TEXT [options]", .about = about, .groups = &group, .n_groups = 1};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    char builtin[COMMON_PATH_MAX], *text = NULL;
    size_t length = 0, n = 0;
    int32_t *tokens = NULL;
    corvid_error err = {.code = CORVID_OK};
    if (!prompt_read("tokenize", a.prompt, a.file, &text, &length, &code)) return code;
    int flags = (a.no_bos ? 0 : CORVID_TOKENIZE_BOS) | (a.no_special ? 0 : CORVID_TOKENIZE_SPECIAL);
    const char *path = a.model ? a.model : model_builtin(builtin);
    code = EXIT_FAILED;
    if (path) {
        if (corvid_tokenize_file(path, text, length, flags, &tokens, &n, &err)) code = print(&a, path, tokens, n);
        else code = report(&err);
    }
    free(tokens);
    free(text);
    return code;
}
