/* sampling.c - see sampling.h */
#include "cli/sampling.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define NOT_GIVEN INT64_MIN
#define SEED_MAX 9007199254740992.0 /* 2^53: readers of JSON keep it exactly */

/* differs from run to run; it need not be secret */
static int64_t seed_random(void)
{
    struct timespec now = {.tv_sec = 0};
    timespec_get(&now, TIME_UTC);
    uint64_t x = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    x ^= clock_ns() << 20 ^ (uint64_t)(uintptr_t)&now;
    /* the finisher of splitmix64 */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((x ^ (x >> 31)) >> 11);
}

struct option_group sampling_group(struct sampling_args *a)
{
    *a = (struct sampling_args){.temperature = NAN,
                                .top_p = NAN,
                                .min_p = NAN,
                                .repeat_penalty = NAN,
                                .presence_penalty = NAN,
                                .frequency_penalty = NAN,
                                .top_k = NOT_GIVEN,
                                .penalty_window = NOT_GIVEN,
                                .seed = seed_random()};
    const struct option rows[] = {
        {0, "temp", "T", "temperature; 0 always takes the likeliest token", OPTION_NUMBER, &a->temperature, 0, 100},
        {0, "top-k", "K", "only the K likeliest tokens; 0: all", OPTION_INTEGER, &a->top_k, 0, INT32_MAX},
        {0, "top-p", "P", "only the likeliest tokens that sum up to P; 1: all", OPTION_NUMBER, &a->top_p, 0, 1},
        {0, "min-p", "M", "only tokens at least M times as likely as the likeliest; 0: all", OPTION_NUMBER, &a->min_p,
         0, 1},
        {0, "repeat-penalty", "R", "divides the score of tokens that the answer has; 1: off", OPTION_NUMBER,
         &a->repeat_penalty, 0.01, 100},
        {0, "presence-penalty", "A", "taken from the score of tokens that the answer has; 0: off", OPTION_NUMBER,
         &a->presence_penalty, -100, 100},
        {0, "frequency-penalty", "F", "the same for every time that the answer has them; 0: off", OPTION_NUMBER,
         &a->frequency_penalty, -100, 100},
        {0, "penalty-window", "N", "the last tokens that penalties look at; -1: all", OPTION_INTEGER,
         &a->penalty_window, -1, INT32_MAX},
        {0, "seed", "S", "the same seed gives the same text; default: random", OPTION_INTEGER, &a->seed, 0, SEED_MAX},
    };
    memcpy(a->rows, rows, sizeof rows);
    return (struct option_group){"sampling (defaults are the model's custom)", a->rows, sizeof rows / sizeof *rows};
}

static void override(float *value, double given)
{
    if (!isnan(given)) *value = (float)given;
}

corvid_sampling sampling_choose(const struct sampling_args *a, const corvid_model *model)
{
    corvid_sampling s = corvid_sampling_defaults(model);
    if (!isnan(a->temperature) && a->temperature <= 0) {
        s.repeat_penalty = 1;
        s.presence_penalty = s.frequency_penalty = 0;
    }
    override(&s.temperature, a->temperature);
    override(&s.top_p, a->top_p);
    override(&s.min_p, a->min_p);
    override(&s.repeat_penalty, a->repeat_penalty);
    override(&s.presence_penalty, a->presence_penalty);
    override(&s.frequency_penalty, a->frequency_penalty);
    if (a->top_k != NOT_GIVEN) s.top_k = (int32_t)a->top_k;
    if (a->penalty_window != NOT_GIVEN) s.penalty_window = (int32_t)a->penalty_window;
    s.seed = (uint64_t)a->seed;
    return s;
}
