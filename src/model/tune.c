/* tune.c - see tune.h.
 *
 * Calls that are alike are measured together, as a graph of 8 or more of them (call_group.h), each of which waits for the
 * one before it as in a model and reads weights that are not in the cache. An executor that plans as usual stands beside
 * one that plans with candidates, one for each number of tokens: in a round the next candidate of every queue. What a
 * queue found best stays planned while its next choice is tried.
 *
 *   queue of  1 token:   matvec A #1, #2, ..                         round 1 plans the first of each queue, round 2 the
 *   queue of  8 tokens:  matvec B #1, #2, .., matvec C #1, #2, ..    second, ...
 *
 * The kernels of all rounds of all groups are compiled before, together, which takes as long as the measuring.
 *
 * Both take the same input, and their results are compared. Then they run in turns, several times, and the median of the
 * ratios counts; a candidate that is not ahead after two turns is left, one that is far behind after a glance. The best of
 * all queues are measured once more against the usual ones, for the best of many is partly luck, and must be ahead by the
 * margin in three of four turns: so much more than the margin as the turns scatter. In the end whole steps of the graph
 * are run with what was found (tune_check.h). */
#include "model/tune.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "model/call_group.h"
#include "model/exec_gpu.h"
#include "model/rivals.h"
#include "model/tune_check.h"

enum { MIN_COPIES = 8, MAX_COPIES = 24, SOFTWARE_COPIES = 2, MAX_TOKENS = 512, SOFTWARE_TOKENS = 64 };
enum { SERIES = 5, LAST_SERIES = RIVALS_MAX_SERIES, MAX_KEYS = 48 };
enum { CACHE_SEQS = 8, REACH = 4096, SOFTWARE_REACH = 256 }; /* sequences and positions where there is a cache */
static const double compile_s = 0.25, longest_s = 1; /* a kernel, on one processor, about; a call that is measured */
static const uint64_t cold_bytes = 72 << 20;         /* more than caches hold */
static const double margin = 0.03;

/* Calls that take less of a step are not worth their time here: its bytes, where a dispatch counts as so many. */
static const double least_share = 0.02;
static const uint64_t dispatch_bytes = 8 << 20;

struct key {
    struct choice choice;
    uint32_t pick;       /* the candidate that is planned now */
    uint32_t next, best; /* candidate to try; found best */
    double before;       /* time of its queue's earlier choices, as a part of the usual ones' */
    double ratio;        /* the same with the best */
    double usual_us;
    uint32_t n_wrong, n_refused;
    bool skipped; /* takes too long here */
};

/* what a row will tell of a choice */
struct noted {
    uint32_t first, calls; /* its group's first call, and how many there are */
    uint32_t n_wrong, n_refused;
    double usual_us, ratio;
    bool skipped;
};

struct tuner {
    const struct graph *g;
    const struct tune_listener *listener;
    uint32_t *first_alike;
    bool *chosen;        /* [n_calls]: calls that are first in a group with choices */
    double all_bytes;    /* of a step, with dispatches */
    struct tuning asked; /* keys that were met */
    uint32_t max_tokens;
    uint32_t done, total; /* candidates */
    uint64_t began_ns;
    double predicted_s;
    struct tune_found *found; /* [n_rows] */
    struct noted *noted;      /* [n_rows] */
    uint32_t n_rows;
    /* the group at hand */
    struct rivals rivals;
    struct kernel_cache kernels[CHOICE_FEW + 1]; /* of groups with so many sequences */
    struct chooser chooser;
    struct key keys[MAX_KEYS];
    uint32_t n_keys;
};

static bool is_software(const struct tuner *t) { return !strcmp(gpu_describe(t->rivals.gpu)->kind, "software"); }

/* ---- planning ---- */

static uint32_t choose_pick(void *user, const struct choice *c)
{
    struct tuner *t = user;
    for (uint32_t i = 0; i < t->n_keys; i++)
        if (!strcmp(t->keys[i].choice.key, c->key)) return t->keys[i].pick;
    return 0;
}

/* notes a choice that is new */
static uint32_t choose_usual(void *user, const struct choice *c)
{
    struct tuner *t = user;
    for (uint32_t i = 0; i < t->asked.n; i++)
        if (!strcmp(t->asked.items[i].key, c->key)) return 0;
    if (c->n < 2 || t->n_keys == MAX_KEYS || !tuning_set(&t->asked, c->key, c->numbers[0], NULL)) return 0;
    struct key *k = &t->keys[t->n_keys++];
    *k = (struct key){.choice = *c, .next = 1, .before = 1, .ratio = 1};
    if (k->choice.tokens > t->max_tokens) k->choice.tokens = t->max_tokens;
    return 0;
}

/* sequences of a step: a cache for them must fit a binding */
static uint32_t seqs_of(const struct tuner *t, const struct op_call *c)
{
    const struct graph_state *s = &t->g->states[c->s.id];
    if (!c->s.id || !s->positions) return CHOICE_FEW;
    const uint64_t fit = gpu_describe(t->rivals.gpu)->max_binding_bytes / (state_stride(s) * sizeof(float));
    return fit > CACHE_SEQS ? CACHE_SEQS : fit ? (uint32_t)fit : 1;
}

/* an op whose outputs are rows of logits is never asked for many */
static void drop_unused(struct tuner *t)
{
    const val out = t->rivals.graph.calls[0].out[0];
    const bool outputs = out.id && t->rivals.graph.values[out.id].rows == ROWS_OUTPUTS;
    for (uint32_t i = 0; outputs && i < t->n_keys;)
        if (t->keys[i].choice.tokens > CHOICE_FEW) t->keys[i] = t->keys[--t->n_keys];
        else i++;
}

static uint32_t copies_of(const struct tuner *t, uint32_t first)
{
    uint64_t bytes = call_bytes(t->g, &t->g->calls[first], CHOICE_FEW);
    if (is_software(t)) return SOFTWARE_COPIES;
    uint64_t n = bytes ? cold_bytes / bytes + 1 : MAX_COPIES;
    return n < MIN_COPIES ? MIN_COPIES : n > MAX_COPIES ? MAX_COPIES : (uint32_t)n;
}

/* Records the calls like call `first` and plans them as usual, which tells the choices that are new. dry: only that. */
static bool open_group(struct tuner *t, uint32_t first, bool dry, struct error *err)
{
    struct rivals *r = &t->rivals;
    const struct op_call *c = &t->g->calls[first];
    const uint32_t n = copies_of(t, first);
    rivals_release(r);
    t->n_keys = 0;
    r->reach = is_software(t) ? SOFTWARE_REACH : REACH;
    r->limits = (struct step_limits){t->max_tokens, seqs_of(t, c), CHOICE_FEW};
    const uint64_t state_bytes = c->s.id ? state_stride(&t->g->states[c->s.id]) * sizeof(float) * r->limits.seqs : 1;
    const uint64_t states = cold_bytes / state_bytes + 1;
    if (!call_group_record(&r->graph, t->g, t->first_alike, first, n, states < n ? (uint32_t)states : n, err))
        return false;
    t->chooser = (struct chooser){choose_usual, t};
    r->graph.chooser = &t->chooser;
    r->longest_s = longest_s * n;
    r->kernels = &t->kernels[r->limits.seqs];
    if (!r->kernels->gpu) kernel_cache_init(r->kernels, r->gpu, r->limits);
    const bool made = rivals_make_usual(r, dry, err) && (!dry || gpu_exec_want(r->usual, 0, err));
    t->chooser.choose = choose_pick;
    drop_unused(t);
    return made;
}

/* ---- candidates ---- */

static bool tell_progress(struct tuner *t, const char *key, struct error *err)
{
    const double spent = (double)(clock_ns() - t->began_ns) * 1e-9, part = (double)t->done / t->total;
    /* what was predicted counts less and less */
    double left = t->predicted_s * (1 - part);
    if (t->done) left = (1 - part) * ((1 - part) * t->predicted_s + part * spent / part);
    if (t->listener->progress && !t->listener->progress(t->listener->user, key, t->done, t->total, left))
        return fail(err, ERR_IO, "tuning was stopped");
    return true;
}

/* Compares and measures the candidate that is planned for the key. */
static bool try_key(struct tuner *t, struct key *k, struct error *err)
{
    bool same;
    struct rival_times times;
    if (!tell_progress(t, k->choice.key, err)) return false;
    rivals_set_step(&t->rivals, k->choice.tokens);
    if (!rivals_compare(&t->rivals, &same, err)) return false;
    t->done++;
    if (!same) {
        k->n_wrong++;
        return true;
    }
    const double to_beat = k->best ? k->ratio : k->before * (1 - margin);
    if (!rivals_measure(&t->rivals, SERIES, to_beat, &times, err)) return false;
    k->skipped |= times.too_long;
    if (times.too_long) return true;
    const double usual_us = times.usual_s / t->rivals.graph.n_calls * 1e6;
    if (k->usual_us <= 0 || usual_us < k->usual_us) k->usual_us = usual_us; /* glances tell more than it takes */
    if (times.ratio >= to_beat) return true;
    k->ratio = times.ratio;
    k->best = k->pick;
    return true;
}

/* A device may refuse a kernel; once it is lost it refuses all. */
static bool is_fatal(const struct error *err)
{
    return err->code == ERR_DEVICE_LOST || err->code == ERR_MEMORY || err->code == ERR_IO;
}

/* Plans with the picks of these keys and tries them. *refused: the device does not run it. */
static bool try_keys(struct tuner *t, struct key *const *keys, uint32_t n, bool *refused, struct error *err)
{
    struct error why = {0};
    bool ok = rivals_make_other(&t->rivals, &why);
    for (uint32_t i = 0; ok && i < n; i++) ok = try_key(t, keys[i], &why);
    *refused = !ok;
    if (ok || !is_fatal(&why)) return true;
    if (err) *err = why;
    return false;
}

/* The same, one by one if the device refuses one of them. */
static bool try_each(struct tuner *t, struct key *const *keys, uint32_t n, struct error *err)
{
    const uint32_t done = t->done;
    uint32_t picks[MAX_KEYS];
    bool refused;
    for (uint32_t i = 0; i < n; i++) picks[i] = keys[i]->pick;
    if (!try_keys(t, keys, n, &refused, err)) return false;
    if (refused) t->done = done;
    for (uint32_t i = 0, again = refused ? n : 0; i < again; i++) {
        for (uint32_t k = 0; k < n; k++) keys[k]->pick = k == i ? picks[k] : keys[k]->best;
        if (!try_keys(t, &keys[i], 1, &refused, err)) return false;
        keys[i]->n_refused += refused;
        t->done = done + i + 1;
    }
    return true;
}

/* of those with as many tokens, the one whose candidates are not all tried: choices of kernels come last */
static struct key *next_key(struct tuner *t, uint32_t tokens)
{
    struct key *found = NULL;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        struct key *k = &t->keys[i];
        const bool open = k->choice.tokens == tokens && !k->skipped && k->next < k->choice.n;
        if (open && (!found || (found->choice.of_kernels && !k->choice.of_kernels))) found = k;
    }
    return found;
}

/* what the choices with so many tokens have gained until now */
static double reached(const struct tuner *t, uint32_t tokens)
{
    double ratio = 1;
    for (uint32_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].choice.tokens == tokens && t->keys[i].ratio < ratio) ratio = t->keys[i].ratio;
    return ratio;
}

/* Picks the next candidate of each number of tokens: their keys. */
static uint32_t next_round(struct tuner *t, struct key *keys[MAX_KEYS])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_keys; i++) t->keys[i].pick = t->keys[i].best;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        const uint32_t tokens = t->keys[i].choice.tokens;
        bool busy = false;
        for (uint32_t j = 0; j < n; j++) busy |= keys[j]->choice.tokens == tokens;
        struct key *k = busy ? NULL : next_key(t, tokens);
        if (!k) continue;
        if (k->next == 1) k->before = k->ratio = reached(t, tokens);
        k->pick = k->next++;
        keys[n++] = k;
    }
    return n;
}

/* The best of so many tokens, together: all stay or none. */
static bool confirm_tokens(struct tuner *t, uint32_t tokens, struct error *err)
{
    struct rival_times times;
    bool same;
    rivals_set_step(&t->rivals, tokens);
    if (!rivals_compare(&t->rivals, &same, err) || !rivals_measure(&t->rivals, LAST_SERIES, 1 - margin, &times, err))
        return false;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        struct key *k = &t->keys[i];
        if (k->choice.tokens != tokens) continue;
        k->ratio = times.ratio;
        k->usual_us = times.usual_s / t->rivals.graph.n_calls * 1e6;
        if (!same || times.too_long || times.surely > 1 - margin) k->best = 0;
    }
    return true;
}

/* The best of all, once more: what does not hold is not taken. */
static bool confirm(struct tuner *t, struct error *err)
{
    bool any = false;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        struct key *k = &t->keys[i];
        k->pick = k->best;
        any |= k->best > 0;
    }
    if (!any) return true;
    bool ok = rivals_make_other(&t->rivals, err);
    for (uint32_t i = 0; ok && i < t->n_keys; i++) {
        const uint32_t tokens = t->keys[i].choice.tokens;
        bool done = !t->keys[i].best;
        for (uint32_t j = 0; j < i; j++) done |= t->keys[j].choice.tokens == tokens && t->keys[j].pick;
        ok = done || confirm_tokens(t, tokens, err);
    }
    return ok;
}

/* ---- groups ---- */

/* what was found for the group at hand */
static bool note(struct tuner *t, uint32_t first, struct error *err)
{
    uint32_t calls = 0;
    for (uint32_t i = 0; i < t->g->n_calls; i++) calls += t->first_alike[i] == first;
    const size_t n = t->n_rows + t->n_keys;
    struct tune_found *found = realloc(t->found, n * sizeof *found);
    if (found) t->found = found;
    struct noted *noted = realloc(t->noted, n * sizeof *noted);
    if (noted) t->noted = noted;
    if (!found || !noted) return fail_memory(err, "what was measured");
    for (uint32_t i = 0; i < t->n_keys; i++) {
        const struct key *k = &t->keys[i];
        found[t->n_rows] = (struct tune_found){.choice = k->choice, .best = k->best};
        noted[t->n_rows++] = (struct noted){first, calls, k->n_wrong, k->n_refused, k->usual_us, k->ratio, k->skipped};
    }
    return true;
}

/* the first of those of the same steps that are changed, or of all, tells the times */
static bool is_shared(const struct tuner *t, uint32_t i)
{
    bool shared = false;
    for (uint32_t j = 0; j < t->n_rows; j++) {
        const bool other = t->found[j].best > 0, own = t->found[i].best > 0;
        if (t->noted[j].first == t->noted[i].first && t->found[j].choice.tokens == t->found[i].choice.tokens)
            shared |= other && own ? j < i : other || (!own && j < i);
    }
    return shared;
}

static bool keep(const struct tuner *t, struct tuning *tuning, struct error *err)
{
    for (uint32_t i = 0; i < t->n_rows; i++) {
        const struct tune_found *f = &t->found[i];
        const struct noted *n = &t->noted[i];
        const struct tune_row row = {.choice = &f->choice,
                                     .best = f->best,
                                     .calls = n->calls,
                                     .shared = is_shared(t, i),
                                     .usual_us = n->usual_us,
                                     .best_us = n->usual_us * (f->best ? n->ratio : 1),
                                     .n_wrong = n->n_wrong,
                                     .n_refused = n->n_refused};
        if (f->best && !tuning_set(tuning, f->choice.key, f->choice.numbers[f->best], err)) return false;
        if (!f->best) tuning_drop(tuning, f->choice.key);
        if (!n->skipped && t->listener->report && !t->listener->report(t->listener->user, &row))
            return fail(err, ERR_IO, "tuning was stopped");
    }
    return true;
}

/* the calls like this one are too little of a step */
static bool is_little(const struct tuner *t, uint32_t first)
{
    double bytes = 0;
    for (uint32_t i = first; i < t->g->n_calls; i++)
        if (t->first_alike[i] == first) bytes += (double)(call_bytes(t->g, &t->g->calls[i], 1) + dispatch_bytes);
    return bytes < least_share * t->all_bytes;
}

/* The choices of a group: their kernels are noted, their time is predicted. */
static bool survey_group(struct tuner *t, uint32_t first, struct error *err)
{
    struct key *keys[MAX_KEYS];
    if (!open_group(t, first, true, err)) return false;
    t->chosen[first] = t->n_keys > 0;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        const uint32_t n = t->keys[i].choice.n - 1;
        t->total += n;
        t->predicted_s += n * rivals_seconds(SERIES) / 2;
    }
    while (next_round(t, keys))
        if (!gpu_exec_want(t->rivals.usual, 0, err)) return false;
    return true;
}

/* On all processors. A kernel that is refused is met again in its round. */
static bool compile(struct tuner *t, struct error *err)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= CHOICE_FEW; i++) n += t->kernels[i].n_kernels;
    const double measuring_s = t->predicted_s;
    t->predicted_s += n * compile_s / thread_processors();
    if (t->total && !tell_progress(t, "kernels", err)) return false;
    t->predicted_s = measuring_s;
    for (uint32_t i = 0; i <= CHOICE_FEW; i++) {
        struct error why = {0};
        if (!t->kernels[i].n_kernels || kernel_cache_compile(&t->kernels[i], &why) || !is_fatal(&why)) continue;
        if (err) *err = why;
        return false;
    }
    return true;
}

static bool survey(struct tuner *t, struct error *err)
{
    for (uint32_t i = 0; i < t->g->n_calls; i++)
        t->all_bytes += (double)(call_bytes(t->g, &t->g->calls[i], 1) + dispatch_bytes);
    for (uint32_t i = 0; i < t->g->n_calls; i++)
        if (t->first_alike[i] == i && !is_little(t, i) && !survey_group(t, i, err)) return false;
    rivals_release(&t->rivals);
    tuning_free(&t->asked);
    return compile(t, err);
}

static bool tune_group(struct tuner *t, uint32_t first, struct error *err)
{
    struct key *keys[MAX_KEYS];
    if (!open_group(t, first, false, err) || !rivals_prepare(&t->rivals, err)) return false;
    for (uint32_t n; (n = next_round(t, keys)) > 0;)
        if (!try_each(t, keys, n, err)) return false;
    return confirm(t, err) && note(t, first, err);
}

static bool goes_on(void *user, struct error *err) { return tell_progress(user, "whole steps", err); }

/* What was found, in steps of the graph; of as many sequences as all calls have room for. */
static bool check(struct tuner *t, struct error *err)
{
    struct step_limits limits = {t->max_tokens, CHOICE_FEW, CHOICE_FEW};
    for (uint32_t i = 0; i < t->g->n_calls; i++) {
        const uint32_t seqs = seqs_of(t, &t->g->calls[i]);
        if (seqs < limits.seqs) limits.seqs = seqs;
    }
    rivals_release(&t->rivals);
    struct kernel_cache *kernels = &t->kernels[limits.seqs];
    if (!kernels->gpu) kernel_cache_init(kernels, t->rivals.gpu, limits);
    return tune_check(t->rivals.gpu, t->g, limits, kernels, t->found, t->n_rows, goes_on, t, err);
}

static void release(struct tuner *t)
{
    rivals_release(&t->rivals);
    for (uint32_t i = 0; i <= CHOICE_FEW; i++) kernel_cache_free(&t->kernels[i]);
    tuning_free(&t->asked);
    free(t->first_alike);
    free(t->chosen);
    free(t->found);
    free(t->noted);
    free(t);
}

bool tune_graph(struct gpu *gpu, const struct graph *g, const struct tune_listener *listener, struct tuning *tuning,
                struct error *err)
{
    struct tuner *t = calloc(1, sizeof *t);
    if (t) *t = (struct tuner){.rivals = {.gpu = gpu}, .g = g, .listener = listener, .max_tokens = MAX_TOKENS};
    if (!t) return fail_memory(err, "tuning");
    t->first_alike = calloc(g->n_calls + 1, sizeof *t->first_alike);
    t->chosen = calloc(g->n_calls + 1, sizeof *t->chosen);
    bool ok = t->first_alike && t->chosen ? true : fail_memory(err, "tuning");
    if (ok) {
        if (is_software(t)) t->max_tokens = SOFTWARE_TOKENS;
        call_groups_find(g, t->first_alike);
        ok = survey(t, err);
        t->began_ns = clock_ns();
        for (uint32_t i = 0; ok && i < g->n_calls; i++)
            if (t->chosen[i]) ok = tune_group(t, i, err);
        ok = ok && check(t, err) && keep(t, tuning, err);
    }
    release(t);
    return ok;
}
