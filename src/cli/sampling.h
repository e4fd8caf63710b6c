/* sampling.h - the options of the commands that write text: run and chat. */
#ifndef CORVID_CLI_SAMPLING_H
#define CORVID_CLI_SAMPLING_H

#include "cli/args.h"
#include "corvid.h"

struct sampling_args {
    double temperature, top_p, min_p, repeat_penalty, presence_penalty, frequency_penalty;
    int64_t top_k, penalty_window, seed;
    struct option rows[9];
};

/* Marks every value as not given and the seed as random. */
struct option_group sampling_group(struct sampling_args *a);

/* The model's defaults with what was given. --temp 0 switches penalties off unless they are given too: it means the
 * model's likeliest text. */
corvid_sampling sampling_choose(const struct sampling_args *a, const corvid_model *model);

#endif
