/* tune_check.c - see tune_check.h */
#include "model/tune_check.h"

#include <string.h>

#include "model/rivals.h"

enum { SERIES = 7 };
static const double longest_s = 0.25, faster = 0.998;

struct check {
    struct rivals rivals;
    struct chooser chooser;
    struct tune_found *found;
    uint32_t n;
    bool (*again)(void *user, struct error *err);
    void *user;
};

/* the found candidates that are on */
static uint32_t choose(void *user, const struct choice *c)
{
    const struct check *k = user;
    for (uint32_t i = 0; i < k->n; i++)
        if (k->found[i].on && !strcmp(k->found[i].choice.key, c->key)) return k->found[i].best;
    return 0;
}

/* Plans with what is on. *held: a step of so many tokens is faster than the usual one, or takes too long to tell. */
static bool try_step(struct check *k, uint32_t tokens, bool *held, struct error *err)
{
    struct rival_times times;
    if (!k->again(k->user, err) || !rivals_make_other(&k->rivals, err)) return false;
    rivals_set_step(&k->rivals, tokens);
    if (!rivals_run(&k->rivals, err) || !rivals_measure(&k->rivals, SERIES, 2, &times, err)) return false;
    *held = times.too_long || times.ratio < faster;
    return true;
}

/* those found for so many tokens, together and one by one */
static bool check_tokens(struct check *k, uint32_t tokens, struct error *err)
{
    uint32_t several = 0;
    bool held;
    for (uint32_t i = 0; i < k->n; i++) {
        k->found[i].on = k->found[i].best && k->found[i].choice.tokens == tokens;
        several += k->found[i].on;
    }
    bool ok = try_step(k, tokens, &held, err);
    for (uint32_t i = 0; ok && !held && i < k->n; i++) {
        if (!k->found[i].best || k->found[i].choice.tokens != tokens) continue;
        bool alone = false;
        for (uint32_t j = 0; j < k->n; j++) k->found[j].on = i == j;
        ok = several < 2 || try_step(k, tokens, &alone, err);
        if (!alone) k->found[i].best = 0;
    }
    for (uint32_t i = 0; i < k->n; i++) k->found[i].on = false;
    return ok;
}

bool tune_check(struct gpu *gpu, const struct graph *g, struct step_limits limits, struct kernel_cache *kernels,
                struct tune_found *found, uint32_t n, bool (*again)(void *user, struct error *err), void *user,
                struct error *err)
{
    struct error why = {0};
    struct check k = {.found = found, .n = n, .again = again, .user = user};
    bool any = false, ok = true;
    for (uint32_t i = 0; i < n; i++) any |= found[i].best > 0;
    if (!any) return true;
    k.chooser = (struct chooser){choose, &k};
    k.rivals = (struct rivals){
        .gpu = gpu, .graph = *g, .borrowed = true, .limits = limits, .kernels = kernels, .longest_s = longest_s};
    k.rivals.graph.chooser = &k.chooser;
    bool room = rivals_make_usual(&k.rivals, false, &why) && rivals_prepare(&k.rivals, &why);
    room = room && rivals_make_other(&k.rivals, &why);
    for (uint32_t i = 0; room && ok && i < n; i++) {
        bool first = found[i].best > 0;
        for (uint32_t j = 0; j < i; j++) first &= found[j].choice.tokens != found[i].choice.tokens;
        if (first) ok = check_tokens(&k, found[i].choice.tokens, err);
    }
    rivals_release(&k.rivals);
    if (why.code != ERR_DEVICE_LOST) return ok;
    if (err) *err = why;
    return false;
}
