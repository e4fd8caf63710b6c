/* terminal_posix.c - see terminal.h */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "base/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;

static void count_interrupt(int number)
{
    (void)number;
    interrupts = interrupts + 1;
}

bool terminal_is(int fd) { return isatty(fd) == 1; }

int terminal_columns(int fd)
{
    struct winsize size;
    memset(&size, 0, sizeof size);
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

volatile sig_atomic_t *terminal_interrupts(void)
{
    /* without SA_RESTART, so that a waiting read ends with EINTR */
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = count_interrupt;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    return &interrupts;
}
