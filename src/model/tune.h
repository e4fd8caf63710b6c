/* tune.h - measures what a graph's plan functions leave open (ops/tuning.h) on a device: corvid_tune's work. */
#ifndef CORVID_MODEL_TUNE_H
#define CORVID_MODEL_TUNE_H

#include "model/graph.h"
#include "ops/tuning.h"

/* one choice that was measured */
struct tune_row {
    const struct choice *choice;
    uint32_t best;               /* index of the candidate; 0: the usual one stays */
    uint32_t calls;              /* of the graph that it is about */
    bool shared;                 /* a row before is about the same calls and tokens, and has the same times */
    double usual_us, best_us;    /* of such a call */
    uint32_t n_wrong, n_refused; /* candidates with other results; that the device cannot run */
};

struct tune_listener {
    /* Both return false to stop. left_s is what is left, estimated; key is being measured. */
    bool (*progress)(void *user, const char *key, uint32_t done, uint32_t total, double left_s);
    bool (*report)(void *user, const struct tune_row *row); /* in the end */
    void *user;
};

/* Measures each choice of the graph and sets or drops its key in `tuning`, but for calls that take less than 2 % of a step.
 * A candidate is taken if it gives the results of the usual one and is faster by 3 % or more, twice: the second time in
 * three of four turns; and if whole steps are not slower for it. On false `tuning` may be changed in part. */
bool tune_graph(struct gpu *gpu, const struct graph *g, const struct tune_listener *listener, struct tuning *tuning,
                struct error *err);

#endif
