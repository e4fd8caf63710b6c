/* line.h - one line from the keyboard, with editing and history where a library for it is there. */
#ifndef CORVID_CLI_LINE_H
#define CORVID_CLI_LINE_H

#include <stdbool.h>

/* The line without its end, malloc'ed; NULL when the input has ended, or after Ctrl-C, which
 * *terminal_interrupts() tells. */
char *line_read(const char *prompt);

/* The line can be called back with the arrow keys. */
void line_history_add(const char *line);

/* History across runs: a missing or unwritable file is no error. */
void line_history_load(const char *path);
void line_history_save(const char *path);

/* Puts the keyboard back as it was. */
void line_end(void);

#endif
