/* line_libedit.c - line.h with libedit. Its reader is replaced by one that ends at Ctrl-C, which libedit's does not. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "cli/line.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/path.h"
#include "base/terminal.h"

enum { HISTORY_MAX = 1000 };

static EditLine *editor;
static History *history_list;
static HistEvent event;
static const char *shown_prompt;

static char *prompt_text(EditLine *e)
{
    (void)e;
    return (char *)shown_prompt;
}

/* One character from the keyboard: 1, 0 at the end of input, -1 after Ctrl-C. */
static int read_character(EditLine *e, wchar_t *out)
{
    mbstate_t state;
    (void)e;
    memset(&state, 0, sizeof state);
    for (;;) {
        char byte;
        if (*terminal_interrupts()) return -1; /* it came while a key was handled */
        ssize_t n = read(STDIN_FILENO, &byte, 1);
        if (n < 0 && errno == EINTR && !*terminal_interrupts()) continue;
        if (n <= 0) return (int)n;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == 1 || used == 0) return 1;
        if (used == (size_t)-1) {
            /* not a character: start again with the next byte */
            memset(&state, 0, sizeof state);
        }
    }
}

static bool start(void)
{
    if (editor) return true;
    editor = el_init("corvid", stdin, stdout, stderr);
    history_list = history_init();
    if (!editor || !history_list) return false;
    history(history_list, &event, H_SETSIZE, HISTORY_MAX);
    history(history_list, &event, H_SETUNIQUE, 1);
    el_set(editor, EL_PROMPT, prompt_text);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, history_list);
    el_set(editor, EL_GETCFN, read_character);
    /* Ctrl-R searches, as in shells */
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return true;
}

char *line_read(const char *prompt)
{
    int count = 0;
    shown_prompt = prompt;
    if (!start()) return NULL;
    const char *text = el_gets(editor, &count);
    if (!text || count <= 0) {
        el_reset(editor);
        return NULL;
    }
    size_t length = strcspn(text, "\n");
    char *line = malloc(length + 1);
    if (!line) return NULL;
    memcpy(line, text, length);
    line[length] = 0;
    return line;
}

void line_history_add(const char *line)
{
    if (start() && *line) history(history_list, &event, H_ENTER, line);
}

void line_history_load(const char *path)
{
    if (start()) history(history_list, &event, H_LOAD, path);
}

void line_history_save(const char *path)
{
    if (history_list && path_make_folders(path)) history(history_list, &event, H_SAVE, path);
}

void line_end(void)
{
    if (editor) el_end(editor);
    if (history_list) history_end(history_list);
    editor = NULL;
    history_list = NULL;
}
