/* terminal_none.c - terminal.h where nobody sits at a terminal */
#include "base/terminal.h"

static volatile sig_atomic_t interrupts;

bool terminal_is(int fd)
{
    (void)fd;
    return false;
}

int terminal_columns(int fd)
{
    (void)fd;
    return 80;
}

volatile sig_atomic_t *terminal_interrupts(void) { return &interrupts; }
