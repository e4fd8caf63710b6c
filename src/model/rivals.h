/* rivals.h - two executors of one graph whose calls are alike (call_group.h): they get the same input, their results are
 * compared, and they are timed in turns. For tune.c. */
#ifndef CORVID_MODEL_RIVALS_H
#define CORVID_MODEL_RIVALS_H

#include "model/exec.h"

/* Zero-initialise; the graph and the limits are the user's to fill. */
struct rivals {
    struct gpu *gpu;
    struct graph graph;
    struct step_limits limits;
    struct exec *usual, *other; /* as the graph's chooser says when they are made */
    struct step step;
    float *inputs[OP_MAX_INPUTS], *want, *got;
};

/* Destroys both and the graph. */
void rivals_release(struct rivals *r);

/* Makes the usual executor; gives it input, after which others can be made; makes the other one, with the same input. */
bool rivals_make_usual(struct rivals *r, struct error *err);
bool rivals_prepare(struct rivals *r, struct error *err);
bool rivals_make_other(struct rivals *r, struct error *err);
void rivals_end_other(struct rivals *r);

/* From now on a step of `tokens` tokens: of as many sequences if they are CHOICE_FEW or fewer, else of one. */
void rivals_set_step(struct rivals *r, uint32_t tokens);

/* Both run the step from cleared states. *same: they give the same but for rounding. */
bool rivals_compare(struct rivals *r, bool *same, struct error *err);

enum { RIVALS_MAX_SERIES = 11 };

struct rival_times {
    double usual_s, other_s; /* medians of a step */
    bool too_long;           /* its dispatches take longer than a second: nothing was measured */
};

/* Times the step that both have run, `series` times each, in turns; once if the other is clearly slower. */
bool rivals_measure(struct rivals *r, int series, struct rival_times *times, struct error *err);

/* Seconds that rivals_measure takes, about. */
double rivals_seconds(int series);

#endif
