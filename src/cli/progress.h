/* progress.h - a bar on standard error while a file is read or written; nothing where that is no terminal. */
#ifndef CORVID_CLI_PROGRESS_H
#define CORVID_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise, then set the title. */
struct progress {
    const char *title; /* "loading" */
    uint64_t drawn_ns;
    bool drawn;
};

/* For the progress callbacks of corvid.h; user is a struct progress. False (cancel) after Ctrl-C. */
bool progress_show(void *user, uint64_t done_bytes, uint64_t total_bytes);

/* Takes the bar away. */
void progress_end(struct progress *p);

#endif
