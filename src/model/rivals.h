/* rivals.h - two executors of one graph whose calls are alike (call_group.h): they get the same input, their results are
 * compared, and they are timed in turns. For tune.c. */
#ifndef CORVID_MODEL_RIVALS_H
#define CORVID_MODEL_RIVALS_H

#include "model/exec.h"

/* Zero-initialise; all up to `reach` is the user's to fill. */
struct rivals {
    struct gpu *gpu;
    struct graph graph;
    struct step_limits limits;
    struct kernel_cache *kernels; /* of these limits */
    bool borrowed;                /* a whole graph, not to be destroyed, instead of calls that are alike */
    double longest_s;             /* a step that takes longer is not measured */
    uint32_t reach;               /* positions of a cache that a step may look back at, at most */
    struct exec *usual, *other;   /* as the graph's chooser says when they are made; on the same weights */
    struct step step;
    float *inputs[OP_MAX_INPUTS], *want, *got;
};

/* Destroys both and the graph. */
void rivals_release(struct rivals *r);

/* Makes the usual executor, or one that only tells which kernels there would be (gpu_exec_create_dry); gives it input;
 * makes the other one, with the same input, or plans it anew. */
bool rivals_make_usual(struct rivals *r, bool dry, struct error *err);
bool rivals_prepare(struct rivals *r, struct error *err);
bool rivals_make_other(struct rivals *r, struct error *err);

/* From now on a step of `tokens` tokens: of as many sequences if they are limits.seqs or fewer, else of one. They are the
 * last that a cache of positions has room for. */
void rivals_set_step(struct rivals *r, uint32_t tokens);

/* Both run the step, whatever their states are. */
bool rivals_run(struct rivals *r, struct error *err);

/* Both run the step from the same states. *same: they give the same but for rounding. */
bool rivals_compare(struct rivals *r, bool *same, struct error *err);

enum { RIVALS_MAX_SERIES = 11 };

struct rival_times {
    double usual_s;       /* median of a step */
    double ratio, surely; /* the other's time to the usual one's: median of the pairs; three quarters are no larger */
    bool too_long;        /* nothing was measured */
};

/* Times the step that both have run, `series` times each, in turns; less than once, once or twice if it is clear by then
 * that the ratio will not be below `to_beat`. */
bool rivals_measure(struct rivals *r, int series, double to_beat, struct rival_times *times, struct error *err);

/* Seconds that rivals_measure takes, about. */
double rivals_seconds(int series);

#endif
