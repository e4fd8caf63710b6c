/* sampler.c - see sampler.h
 *
 * Probabilities are whole numbers: exp(logit - max) in units of 2^-40, from integer arithmetic only, so that no
 * platform's exp or fused multiply-add can change a decision. What is below a unit cannot be drawn.
 *
 * Nothing is sorted. The top k are collected in a heap. The top p are found by quickselect: the candidates are split
 * at a pivot, and the search goes on in the part where the sum of probabilities reaches p. */
#include "text/sampler.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "text/tokenizer.h"

enum { WEIGHT_BITS = 40, TABLE_BITS = 8 };

struct candidate {
    float logit;
    int32_t token;
    uint64_t weight;
};

struct sampler {
    struct sampler_params params;
    int32_t vocab;
    struct rng draws, pivots;
    uint64_t powers[1 << TABLE_BITS]; /* 2^-(i / 256) in units of 2^-31 */
    float *logits;                    /* with penalties */
    struct candidate *candidates;
    uint32_t *times_seen; /* a token's place in the window */
    bool *listed;         /* in `seen` */
    int32_t *seen;        /* tokens seen; some may have left the window since */
    int32_t n_seen;
    int32_t *window; /* ring of the last tokens; NULL if there is no window or no end to it */
    int32_t window_at, n_window;
};

/* exp(-x) for x in [0, 1), both in units of 2^-32: the series, nested from the back. */
static uint64_t exp_series(uint64_t x, uint64_t terms)
{
    uint64_t sum = (uint64_t)1 << 32;
    for (uint64_t n = terms; n >= 1; n--) sum = ((uint64_t)1 << 32) - (x * sum >> 32) / n;
    return sum;
}

static const double log2_e_scaled = 6196328018.71948; /* log2(e) * 2^32 */
static const uint64_t ln2_scaled = 2977044472;        /* ln(2) * 2^32 */

/* exp(d) in units of 2^-40; d <= 0, may be -infinity. */
static uint64_t weight_of(const struct sampler *s, float d)
{
    if (!(d > -28.0f)) return 0; /* exp(-28) < 2^-40 */
    double power = (double)-d * log2_e_scaled;
    uint64_t x = (uint64_t)power; /* exp(d) = 2^-(x / 2^32) */
    uint64_t rest = x & (((uint64_t)1 << (32 - TABLE_BITS)) - 1);
    uint64_t fraction = s->powers[x >> (32 - TABLE_BITS) & ((1 << TABLE_BITS) - 1)];
    fraction = fraction * exp_series(rest * ln2_scaled >> 32, 3) >> 31;
    return fraction << (WEIGHT_BITS - 32) >> (x >> 32);
}

static bool check_params(const struct sampler_params *p, struct error *err)
{
    const struct {
        const char *name;
        double value, low, high;
    } fields[] = {
        {"temperature", (double)p->temperature, -1e6, 1e6},
        {"top_k", p->top_k, 0, INT32_MAX},
        {"top_p", (double)p->top_p, 0, 1},
        {"min_p", (double)p->min_p, 0, 1},
        {"repeat_penalty", (double)p->repeat_penalty, 0.001, 1000},
        {"presence_penalty", (double)p->presence_penalty, -1e6, 1e6},
        {"frequency_penalty", (double)p->frequency_penalty, -1e6, 1e6},
        {"penalty_window", p->penalty_window, -1, 1 << 24},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!(fields[i].value >= fields[i].low && fields[i].value <= fields[i].high)) /* also NaN */
            return fail(err, ERR_ARGUMENT, "sampling: found %s = %g, expected %g to %g", fields[i].name,
                        fields[i].value, fields[i].low, fields[i].high);
    return true;
}

static float clamp(float logit) { return logit > FLT_MAX ? FLT_MAX : logit; }

static void apply_penalties(struct sampler *s)
{
    const struct sampler_params *p = &s->params;
    int32_t kept = 0;
    for (int32_t i = 0; i < s->n_seen; i++) {
        int32_t token = s->seen[i];
        s->listed[token] = s->times_seen[token] > 0;
        if (!s->listed[token]) continue;
        s->seen[kept++] = token;
        float logit = s->logits[token];
        logit = logit > 0 ? logit / p->repeat_penalty : logit * p->repeat_penalty;
        /* float times uint32 is exact in double up to 2^29 times: fused or not, the sum is the same */
        double minus = (double)p->frequency_penalty * s->times_seen[token] + (double)p->presence_penalty;
        s->logits[token] = clamp(logit - (float)minus);
    }
    s->n_seen = kept;
}

static int32_t find_largest(const float *logits, int32_t n)
{
    int32_t best = NO_TOKEN;
    float largest = -INFINITY;
    for (int32_t i = 0; i < n; i++)
        if (logits[i] > largest) largest = logits[best = i];
    return best;
}

/* Larger logits first, then smaller tokens: no two candidates are equal. */
static bool is_before(const struct candidate *x, const struct candidate *y)
{
    if (x->logit > y->logit || x->logit < y->logit) return x->logit > y->logit;
    return x->token < y->token;
}

/* Puts c at place `at` of a heap whose root is the last in order, in place of what is there, and lets it sink. */
static void sink(struct candidate *heap, int32_t n, struct candidate c, int32_t at)
{
    for (int32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_before(&heap[child], &heap[child + 1])) child++;
        if (!is_before(&c, &heap[child])) break;
        heap[at] = heap[child];
    }
    heap[at] = c;
}

/* Makes the candidates: the top k, or all without a limit, in no order. NaN and -infinity are none. */
static int32_t collect(struct sampler *s)
{
    struct candidate *c = s->candidates;
    int32_t n = 0, k = s->params.top_k;
    if (k <= 0 || k > s->vocab) k = s->vocab;
    int32_t at = 0;
    for (; at < s->vocab && n < k; at++)
        if (s->logits[at] > -INFINITY) c[n++] = (struct candidate){s->logits[at], at, 0};
    if (at == s->vocab) return n;
    for (int32_t i = k / 2 - 1; i >= 0; i--) sink(c, k, c[i], i);
    for (; at < s->vocab; at++)
        if (s->logits[at] > c[0].logit) sink(c, k, (struct candidate){s->logits[at], at, 0}, 0);
    return k;
}

/* Sets the weights of c[n] at a temperature, drops those of weight 0 and returns how many are left. */
static int32_t weigh(const struct sampler *s, int32_t n, float largest, float temperature, uint64_t *total)
{
    struct candidate *c = s->candidates;
    int32_t kept = 0;
    *total = 0;
    for (int32_t i = 0; i < n; i++) {
        uint64_t weight = weight_of(s, (c[i].logit - largest) / temperature);
        if (!weight) continue;
        c[kept] = c[i];
        c[kept++].weight = weight;
        *total += weight;
    }
    return kept;
}

/* Moves the smallest number of leading candidates whose weights reach `need` to the front; returns that number. */
static int32_t select_weight(struct sampler *s, int32_t n, uint64_t need)
{
    struct candidate *c = s->candidates;
    int32_t low = 0, high = n; /* what is below `low` is in, what is from `high` on is out */
    while (high - low > 1) {
        int32_t pivot_at = low + (int32_t)rng_below(&s->pivots, (uint64_t)(high - low)), middle = low;
        struct candidate pivot = c[pivot_at];
        c[pivot_at] = c[high - 1];
        uint64_t before = 0;
        for (int32_t i = low; i < high - 1; i++) {
            if (!is_before(&c[i], &pivot)) continue;
            struct candidate swapped = c[i];
            c[i] = c[middle];
            c[middle++] = swapped;
            before += swapped.weight;
        }
        c[high - 1] = c[middle];
        c[middle] = pivot;
        if (need <= before) {
            high = middle;
        } else if (need <= before + pivot.weight) {
            return middle + 1;
        } else {
            need -= before + pivot.weight;
            low = middle + 1;
        }
    }
    return low < n ? low + 1 : n;
}

static int32_t drop_below(struct sampler *s, int32_t n, uint64_t weight)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < n; i++)
        if (s->candidates[i].weight >= weight) s->candidates[kept++] = s->candidates[i];
    return kept;
}

static int32_t draw(struct sampler *s)
{
    const struct sampler_params *p = &s->params;
    const struct candidate *c = s->candidates;
    int32_t n = collect(s);
    float largest = -INFINITY;
    for (int32_t i = 0; i < n; i++)
        if (c[i].logit > largest) largest = c[i].logit;
    uint64_t total;
    if (n && (p->top_p < 1 || p->min_p > 0)) {
        n = weigh(s, n, largest, 1, &total);
        uint64_t need = (uint64_t)((double)p->top_p * (double)total);
        if (p->top_p < 1) n = select_weight(s, n, need ? need : 1);
        if (p->min_p > 0) n = drop_below(s, n, (uint64_t)((double)p->min_p * (double)((uint64_t)1 << WEIGHT_BITS)));
    }
    if (!n) return NO_TOKEN;
    n = weigh(s, n, largest, p->temperature, &total);
    uint64_t left = rng_below(&s->draws, total);
    int32_t i = 0;
    while (left >= c[i].weight) left -= c[i++].weight;
    return c[i].token;
}

struct sampler *sampler_create(const struct sampler_params *params, int32_t vocab, struct error *err)
{
    if (!check_params(params, err)) return NULL;
    if (vocab < 1 || vocab > 1 << 23) {
        fail(err, ERR_ARGUMENT, "sampling: found a vocabulary of %d tokens, expected 1 to %d", (int)vocab, 1 << 23);
        return NULL;
    }
    struct sampler *s = calloc(1, sizeof *s);
    if (s) {
        size_t n = (size_t)vocab;
        s->params = *params;
        s->vocab = vocab;
        s->logits = malloc(n * sizeof *s->logits);
        s->candidates = malloc(n * sizeof *s->candidates);
        s->times_seen = malloc(n * sizeof *s->times_seen);
        s->listed = malloc(n * sizeof *s->listed);
        s->seen = malloc(n * sizeof *s->seen);
        if (params->penalty_window > 0) s->window = malloc((size_t)params->penalty_window * sizeof *s->window);
    }
    if (!s || !s->logits || !s->candidates || !s->times_seen || !s->listed || !s->seen ||
        (params->penalty_window > 0 && !s->window)) {
        sampler_destroy(s);
        fail_memory(err, "the sampler");
        return NULL;
    }
    for (uint64_t i = 0; i < 1 << TABLE_BITS; i++)
        s->powers[i] = exp_series((i << (32 - TABLE_BITS)) * ln2_scaled >> 32, 12) >> 1;
    sampler_reset(s);
    return s;
}

void sampler_destroy(struct sampler *s)
{
    if (!s) return;
    free(s->logits);
    free(s->candidates);
    free(s->times_seen);
    free(s->listed);
    free(s->seen);
    free(s->window);
    free(s);
}

void sampler_reset(struct sampler *s)
{
    rng_seed(&s->draws, s->params.seed);
    rng_seed(&s->pivots, 0);
    memset(s->times_seen, 0, (size_t)s->vocab * sizeof *s->times_seen);
    memset(s->listed, 0, (size_t)s->vocab * sizeof *s->listed);
    s->n_seen = s->window_at = s->n_window = 0;
}

void sampler_accept(struct sampler *s, int32_t token)
{
    if (token < 0 || token >= s->vocab || !s->params.penalty_window) return;
    if (s->window) {
        if (s->n_window == s->params.penalty_window) s->times_seen[s->window[s->window_at]]--;
        else s->n_window++;
        s->window[s->window_at] = token;
        s->window_at = (s->window_at + 1) % s->params.penalty_window;
    }
    if (s->times_seen[token] < UINT32_MAX) s->times_seen[token]++;
    if (!s->listed[token]) s->seen[s->n_seen++] = token;
    s->listed[token] = true;
}

int32_t sampler_next(struct sampler *s, const float *logits)
{
    const struct sampler_params *p = &s->params;
    bool greedy = p->temperature <= 0;
    bool penalised = s->n_seen && (p->repeat_penalty < 1 || p->repeat_penalty > 1 || p->presence_penalty < 0 ||
                                   p->presence_penalty > 0 || p->frequency_penalty < 0 || p->frequency_penalty > 0);
    if (greedy && !penalised) return find_largest(logits, s->vocab);
    for (int32_t i = 0; i < s->vocab; i++) s->logits[i] = logits[i] > -INFINITY ? clamp(logits[i]) : -INFINITY;
    if (penalised) apply_penalties(s);
    return greedy ? find_largest(s->logits, s->vocab) : draw(s);
}
