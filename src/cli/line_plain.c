/* line_plain.c - line.h without a library: the terminal's own editing, no history */
#include "cli/line.h"

#include <stdio.h>
#include <stdlib.h>

char *line_read(const char *prompt)
{
    size_t capacity = 256, length = 0;
    char *line = malloc(capacity);
    fputs(prompt, stdout);
    fflush(stdout);
    clearerr(stdin);
    for (int c; line && (c = getchar()) != '\n';) {
        if (c == EOF && (!length || ferror(stdin))) {
            free(line);
            return NULL;
        }
        if (c == EOF) break;
        if (length + 1 == capacity) {
            char *larger = realloc(line, capacity *= 2);
            if (!larger) free(line);
            line = larger;
        }
        if (line) line[length++] = (char)c;
    }
    if (line && length && line[length - 1] == '\r') length--;
    if (line) line[length] = 0;
    return line;
}

void line_history_add(const char *line) { (void)line; }

void line_history_load(const char *path) { (void)path; }

void line_history_save(const char *path) { (void)path; }

void line_end(void) {}
