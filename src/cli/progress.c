/* progress.c - see progress.h */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/terminal.h"

enum { BAR_WIDTH = 30, REDRAW_NS = 50000000 };

bool progress_show(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
    struct progress *p = user;
    if (*terminal_interrupts()) return false;
    if (!terminal_is(2) || !total_bytes) return true;
    uint64_t now = clock_ns();
    if (p->drawn && done_bytes < total_bytes && now - p->drawn_ns < REDRAW_NS) return true;
    p->drawn = true;
    p->drawn_ns = now;
    double part = (double)done_bytes / (double)total_bytes;
    if (part > 1) part = 1;
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(part * BAR_WIDTH));
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r%s [%s] %3.0f %% of %.1f MB", p->title, bar, part * 100, (double)total_bytes / 1e6);
    fflush(stderr);
    return true;
}

void progress_end(struct progress *p)
{
    /* back to the line's start, and delete to its end */
    if (p->drawn) fputs("\r\033[K", stderr);
    p->drawn = false;
}
