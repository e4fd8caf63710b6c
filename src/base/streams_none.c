/* streams_none.c - see streams.h: nothing to prepare */
#include "base/streams.h"

void streams_start(void) {}

bool streams_input_ready(int timeout_ms)
{
    (void)timeout_ms;
    return true;
}
