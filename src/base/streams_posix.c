/* streams_posix.c - see streams.h */
#define _POSIX_C_SOURCE 200809L

#include "base/streams.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

void streams_start(void) { signal(SIGPIPE, SIG_IGN); }

bool streams_input_ready(int timeout_ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, timeout_ms) != 0;
}
