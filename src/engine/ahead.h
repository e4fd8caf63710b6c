/* ahead.h - a device's thread that hands in a generation's steps and waits for their tokens, while its caller does
 * something with those it took. */
#ifndef CORVID_ENGINE_AHEAD_H
#define CORVID_ENGINE_AHEAD_H

#include "model/exec.h"

/* A generation's. Zero-initialise but for `decode`. */
struct ahead_work {
    struct decode *decode; /* NULL: there is none */
    bool failed;
    struct error error; /* why */
};

/* A device's. Zero-initialise. */
struct ahead {
    struct thread *thread;   /* NULL: none yet, or there can be none */
    struct ahead_work *work; /* NULL: it rests */
    bool busy, quit;         /* at the device; it is to end */
};

/* decode_next, by the thread, which goes on with steps ahead until ahead_rest; or here, where there are no threads. */
bool ahead_next(struct ahead *a, struct ahead_work *w, int32_t *tokens, struct error *err);

/* Returns when the thread does nothing any more: before anyone else uses the device. */
void ahead_rest(struct ahead *a);

void ahead_end(struct ahead *a);

#endif
