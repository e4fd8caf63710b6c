/* streams.h - standard input and output of a command-line program. For the program only: the library never uses it. */
#ifndef CORVID_BASE_STREAMS_H
#define CORVID_BASE_STREAMS_H

#include <stdbool.h>

/* Call once at the start: text is UTF-8 with plain '\n', a closed output pipe is a write error (EPIPE) and no signal. */
void streams_start(void);

/* Standard input has data or has ended, within the time. True where the system cannot tell. */
bool streams_input_ready(int timeout_ms);

#endif
