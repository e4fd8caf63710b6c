/* terminal.h - what a command-line program asks of its terminal. For the program only: the library never uses it. */
#ifndef CORVID_BASE_TERMINAL_H
#define CORVID_BASE_TERMINAL_H

#include <signal.h>
#include <stdbool.h>

/* Whether the file descriptor (0 input, 1 output, 2 errors) is a terminal. */
bool terminal_is(int fd);

/* Characters a line of the terminal behind fd; 80 if it is none. */
int terminal_columns(int fd);

/* From the first call on, Ctrl-C does not end the program: the number that is returned grows by one instead, and a
 * read that waits for input returns. The caller may set it back to 0. */
volatile sig_atomic_t *terminal_interrupts(void);

#endif
