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
 * Both take the same input, and their results are compared. Then they run in turns, several times, and the median of the
 * ratios counts; a candidate that is not ahead after two turns is left. The best of all queues are measured once more
 * against the usual ones, for the best of many is partly luck, and must be ahead by the margin in three of four turns:
 * so much more than the margin as the turns scatter. */
#include "model/tune.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/call_group.h"
#include "model/exec_gpu.h"
#include "model/rivals.h"

enum { MIN_COPIES = 8, MAX_COPIES = 24, SOFTWARE_COPIES = 2, MAX_TOKENS = 512, SOFTWARE_TOKENS = 64 };
enum { SERIES = 5, LAST_SERIES = RIVALS_MAX_SERIES, MAX_KEYS = 48 };
enum { CACHE_SEQS = 8, REACH = 4096, SOFTWARE_REACH = 256 }; /* sequences and positions where there is a cache */
static const uint64_t cold_bytes = 72 << 20;                 /* more than caches hold */
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

struct tuner {
    const struct graph *g;
    const struct tune_listener *listener;
    uint32_t *first_alike;
    double all_bytes;    /* of a step, with dispatches */
    struct tuning asked; /* keys that were met */
    uint32_t max_tokens;
    uint32_t done, total; /* candidates */
    uint64_t began_ns;
    double predicted_s;
    /* the group at hand */
    struct rivals rivals;
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

/* Records the calls like call `first`, n of them, and plans them as usual, which tells the choices that are new. */
static bool open_group(struct tuner *t, uint32_t first, uint32_t n, struct error *err)
{
    struct rivals *r = &t->rivals;
    const struct op_call *c = &t->g->calls[first];
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
    const bool made = rivals_make_usual(r, err);
    t->chooser.choose = choose_pick;
    return made;
}

static uint32_t copies_of(const struct tuner *t, uint32_t first)
{
    uint64_t bytes = call_bytes(t->g, &t->g->calls[first], CHOICE_FEW);
    if (is_software(t)) return SOFTWARE_COPIES;
    uint64_t n = bytes ? cold_bytes / bytes + 1 : MAX_COPIES;
    return n < MIN_COPIES ? MIN_COPIES : n > MAX_COPIES ? MAX_COPIES : (uint32_t)n;
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
    k->usual_us = times.usual_s / t->rivals.graph.n_calls * 1e6;
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

/* The kernels of all rounds at once, on all processors. A kernel that is refused is met again in its round. */
static bool compile_rounds(struct tuner *t, struct error *err)
{
    struct key *keys[MAX_KEYS];
    struct error why = {0};
    while (next_round(t, keys))
        if (!gpu_exec_want(t->rivals.usual, 0, err)) return false;
    for (uint32_t i = 0; i < t->n_keys; i++) t->keys[i].next = 1;
    if (gpu_exec_compile(t->rivals.usual, &why) || !is_fatal(&why)) return true;
    if (err) *err = why;
    return false;
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

static bool keep(struct tuner *t, uint32_t first, struct tuning *tuning, struct error *err)
{
    uint32_t calls = 0;
    for (uint32_t i = 0; i < t->g->n_calls; i++) calls += t->first_alike[i] == first;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        const struct key *k = &t->keys[i];
        struct tune_row row = {.choice = &k->choice,
                               .best = k->best,
                               .calls = calls,
                               .usual_us = k->usual_us,
                               .best_us = k->usual_us * (k->best ? k->ratio : 1),
                               .n_wrong = k->n_wrong,
                               .n_refused = k->n_refused};
        for (uint32_t j = 0; j < t->n_keys; j++) { /* the first of those that are changed, or of all, tells the times */
            const struct key *o = &t->keys[j];
            row.shared |=
                o->choice.tokens == k->choice.tokens && (o->best && k->best ? j < i : o->best || (!k->best && j < i));
        }
        if (k->best && !tuning_set(tuning, k->choice.key, k->choice.numbers[k->best], err)) return false;
        if (!k->best) tuning_drop(tuning, k->choice.key);
        if (!k->skipped && t->listener->report && !t->listener->report(t->listener->user, &row))
            return fail(err, ERR_IO, "tuning was stopped");
    }
    return true;
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

/* what the rounds of a group will be: candidates, and seconds if planning takes plan_s */
static void predict(struct tuner *t, double plan_s)
{
    uint32_t rounds = 0;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        uint32_t queue = 0;
        for (uint32_t j = 0; j < t->n_keys; j++)
            if (t->keys[j].choice.tokens == t->keys[i].choice.tokens) queue += t->keys[j].choice.n - 1;
        if (queue > rounds) rounds = queue;
        t->total += t->keys[i].choice.n - 1;
        t->predicted_s += (t->keys[i].choice.n - 1) * rivals_seconds(SERIES) / 2 + rivals_seconds(LAST_SERIES) / 2;
    }
    t->predicted_s += plan_s * (rounds + 2);
}

/* the calls like this one are too little of a step */
static bool is_little(const struct tuner *t, uint32_t first)
{
    double bytes = 0;
    for (uint32_t i = first; i < t->g->n_calls; i++)
        if (t->first_alike[i] == first) bytes += (double)(call_bytes(t->g, &t->g->calls[i], 1) + dispatch_bytes);
    return bytes < least_share * t->all_bytes;
}

static bool survey(struct tuner *t, struct error *err)
{
    for (uint32_t i = 0; i < t->g->n_calls; i++)
        t->all_bytes += (double)(call_bytes(t->g, &t->g->calls[i], 1) + dispatch_bytes);
    for (uint32_t i = 0; i < t->g->n_calls; i++) {
        if (t->first_alike[i] != i || is_little(t, i)) continue;
        const uint64_t start = clock_ns();
        if (!open_group(t, i, 1, err)) return false;
        drop_unused(t);
        if (t->n_keys) predict(t, (double)(clock_ns() - start) * 1e-9);
    }
    rivals_release(&t->rivals);
    tuning_free(&t->asked);
    return true;
}

static bool tune_group(struct tuner *t, uint32_t first, struct tuning *tuning, struct error *err)
{
    if (!open_group(t, first, copies_of(t, first), err)) return false;
    drop_unused(t);
    if (!t->n_keys) return true;
    if (!rivals_prepare(&t->rivals, err)) return false;
    struct key *keys[MAX_KEYS];
    if (!compile_rounds(t, err)) return false;
    for (uint32_t n; (n = next_round(t, keys)) > 0;)
        if (!try_each(t, keys, n, err)) return false;
    return confirm(t, err) && keep(t, first, tuning, err);
}

bool tune_graph(struct gpu *gpu, const struct graph *g, const struct tune_listener *listener, struct tuning *tuning,
                struct error *err)
{
    struct tuner *t = calloc(1, sizeof *t);
    if (t) *t = (struct tuner){.rivals = {.gpu = gpu}, .g = g, .listener = listener, .max_tokens = MAX_TOKENS};
    if (t) t->first_alike = calloc(g->n_calls ? g->n_calls : 1, sizeof *t->first_alike);
    bool ok = t && t->first_alike ? true : fail_memory(err, "tuning");
    if (ok) {
        if (is_software(t)) t->max_tokens = SOFTWARE_TOKENS;
        call_groups_find(g, t->first_alike);
        ok = survey(t, err);
        t->began_ns = clock_ns();
        for (uint32_t i = 0; ok && i < g->n_calls; i++)
            if (t->first_alike[i] == i && !is_little(t, i)) ok = tune_group(t, i, tuning, err);
        rivals_release(&t->rivals);
        tuning_free(&t->asked);
    }
    if (t) free(t->first_alike);
    free(t);
    return ok;
}
