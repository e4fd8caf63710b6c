/* sampler.c - see sampler.h: the definition of what is drawn, and its scalar form. sample/token.wgsl is the other form.
 *
 * Penalties are single float operations in a fixed order, which every platform rounds alike. Then all is integers:
 *
 *   distance[i] = largest logit - logit[i] in units of 2^-26, cut down; what is 64 or farther away is never drawn
 *   order       by distance, then by token; every filter keeps a beginning of it, which a cut describes
 *   weight(x)   exp(-x) in units of 2^-26
 *   top-k       the first k
 *   top-p       the first whose weights reach p times the weight of all that are left
 *   min-p       distances up to -ln p
 *   draw        the first token, in the order of the vocabulary, at which the sum of the weights at the temperature
 *               exceeds random number * sum of all of them / 2^32
 *
 * Nothing is sorted: a cut is found digit by digit, from histograms of the distances' bytes. */
#include "ops/sampler.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { NO_TOKEN = -1, WEIGHT_BITS = 26, DIGITS = 256 };

#define OUT_OF_REACH UINT32_MAX /* a distance */
#define HEAT_BITS 32

/* kept: distances below, and the first `ties` tokens that have just this one */
struct cut {
    uint32_t distance;
    uint64_t ties;
};

struct sampler {
    struct sampler_params params;
    struct sample_wish wish; /* but for the forbidden tokens */
    int32_t vocab;
    uint32_t n_drawn;
    uint64_t n_accepted;
    float *logits;        /* with penalties */
    uint32_t *distances;  /* [V] */
    uint32_t *times_seen; /* a token's place in the window */
    bool *listed;         /* in `seen` */
    int32_t *seen;        /* tokens seen; some may have left the window since */
    int32_t n_seen;
    int32_t *window;    /* ring of the last tokens; NULL if there is no window or no end to it */
    int32_t *forbidden; /* [n_forbidden] */
    size_t n_forbidden;
};

/* ---- the definition ---- */

/* ln(2)^k / k! in units of 2^-32 */
static const uint32_t series[] = {2977044472, 1031764991, 238388332, 41309550, 5726720, 661577, 65510, 5676, 437};

/* exp(-x) in units of 2^-26, x in units of 2^-26 */
static uint32_t weight_of(uint32_t x)
{
    const uint32_t log2_e = 3098164009;                      /* in units of 2^-31 */
    uint32_t power = (uint32_t)((uint64_t)x * log2_e >> 32); /* 2^-power, in units of 2^-25 */
    uint32_t whole = power >> 25, part = power << 7, sum = 0;
    if (whole > WEIGHT_BITS) return 0;
    for (int i = sizeof series / sizeof *series; i-- > 0;) sum = (uint32_t)((uint64_t)part * (series[i] - sum) >> 32);
    uint32_t scaled = ((uint32_t)1 << 31) - (sum >> 1), shift = 31 - WEIGHT_BITS + whole;
    return (scaled + ((uint32_t)1 << (shift - 1))) >> shift;
}

static uint32_t distance_of(float logit, float largest)
{
    float d = largest - logit;
    return d < 64 ? (uint32_t)(d * 0x1p26f) : OUT_OF_REACH; /* NaN is out of reach */
}

/* a distance at the temperature */
static uint32_t heated(const struct sample_wish *w, uint32_t distance)
{
    uint64_t x = (uint64_t)distance * w->heat >> w->heat_shift;
    return x < OUT_OF_REACH ? (uint32_t)x : OUT_OF_REACH;
}

static float clamp(float logit) { return logit > FLT_MAX ? FLT_MAX : logit; }

/* each line one rounding: not to be fused */
static float penalised(const struct sample_wish *w, float logit, uint32_t times)
{
    float scaled = logit * (logit > 0 ? w->repeat_inverse : w->repeat);
    float often = w->frequency * (float)times;
    float minus = often + w->presence;
    float left = scaled - minus;
    return clamp(left);
}

/* part * whole / 2^32 */
static uint64_t share(uint32_t part, uint64_t whole)
{
    return (uint64_t)part * (whole >> 32) + ((uint64_t)part * (uint32_t)whole >> 32);
}

/* ---- parameters ---- */

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

static struct sample_wish wish_of(const struct sampler_params *p)
{
    struct sample_wish w = {.greedy = p->temperature <= 0,
                            .top_k = (uint32_t)p->top_k,
                            .top_p = p->top_p < 1 ? (uint32_t)((double)p->top_p * 0x1p32) : UINT32_MAX,
                            .farthest = OUT_OF_REACH - 1,
                            .repeat = p->repeat_penalty,
                            .repeat_inverse = 1 / p->repeat_penalty,
                            .presence = p->presence_penalty,
                            .frequency = p->frequency_penalty,
                            .seed = {(uint32_t)p->seed, (uint32_t)(p->seed >> 32)}};
    double limit = p->min_p > 0 ? -log((double)p->min_p) : 64;
    if (limit < 64) w.farthest = (uint32_t)(limit * 0x1p26);
    if (w.greedy) return w;
    /* 1 / temperature = heat / 2^shift with all 32 bits of heat in use */
    int exponent;
    double mantissa = frexp(1 / (double)p->temperature, &exponent);
    int shift = HEAT_BITS - exponent;
    w.heat = (uint32_t)(mantissa * 0x1p32);
    w.heat_shift = shift < 0 ? 0 : (uint32_t)shift; /* so cold that any distance is out of reach */
    return w;
}

static bool has_penalties(const struct sampler_params *p)
{
    return p->penalty_window && (p->repeat_penalty < 1 || p->repeat_penalty > 1 || p->presence_penalty < 0 ||
                                 p->presence_penalty > 0 || p->frequency_penalty < 0 || p->frequency_penalty > 0);
}

/* ---- choosing ---- */

static void apply_penalties(struct sampler *s)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < s->n_seen; i++) {
        int32_t token = s->seen[i];
        s->listed[token] = s->times_seen[token] > 0;
        if (!s->listed[token]) continue;
        s->seen[kept++] = token;
        s->logits[token] = penalised(&s->wish, s->logits[token], s->times_seen[token]);
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

/* What reaches an amount: a number of tokens, or a share of the weight of all that `within` keeps. */
static struct cut find_cut(const struct sampler *s, struct cut within, bool weighed, uint64_t amount)
{
    uint64_t need = amount;
    uint32_t prefix = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint64_t bins[DIGITS] = {0}, total = 0;
        uint32_t digit = 0;
        for (int32_t i = 0; i < s->vocab; i++) {
            uint32_t x = s->distances[i];
            if (x < within.distance && (x >> shift) >> 8 == prefix)
                bins[x >> shift & 255] += weighed ? weight_of(x) : 1;
        }
        if (within.ties &&
            (within.distance >> shift) >> 8 == prefix) /* the first cut is by number, so this is weighed */
            bins[within.distance >> shift & 255] += within.ties * weight_of(within.distance);
        for (int i = 0; i < DIGITS; i++) total += bins[i];
        if (shift == 24 && weighed) need = share((uint32_t)amount, total);
        if (!need) need = 1;
        if (need > total) return within; /* there are fewer */
        while (need > bins[digit]) need -= bins[digit++];
        prefix = prefix << 8 | digit;
    }
    uint64_t each = weighed ? weight_of(prefix) : 1;
    return (struct cut){prefix, (need + each - 1) / each};
}

static int32_t draw(struct sampler *s)
{
    const struct sample_wish *w = &s->wish;
    int32_t best = find_largest(s->logits, s->vocab);
    uint32_t random = rng_at(s->params.seed, s->n_drawn);
    if (best == NO_TOKEN) return NO_TOKEN;
    for (int32_t i = 0; i < s->vocab; i++) s->distances[i] = distance_of(s->logits[i], s->logits[best]);
    struct cut cut = {OUT_OF_REACH, 0};
    if (w->top_k) cut = find_cut(s, cut, false, w->top_k);
    if (w->top_p != UINT32_MAX) cut = find_cut(s, cut, true, w->top_p);
    if (w->farthest < cut.distance) cut = (struct cut){w->farthest + 1, 0};
    uint64_t total = 0, left = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t ties = cut.ties;
        if (pass) left = share(random, total);
        for (int32_t i = 0; i < s->vocab; i++) {
            uint32_t x = s->distances[i];
            if (x > cut.distance || (x == cut.distance && !ties)) continue;
            if (x == cut.distance) ties--;
            uint32_t weight = weight_of(heated(w, x));
            if (pass && left < weight) return i;
            if (pass) left -= weight;
            total += weight;
        }
    }
    return NO_TOKEN; /* not reached: left < total */
}

/* ---- the sampler ---- */

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
        s->wish = wish_of(params);
        s->vocab = vocab;
        s->logits = malloc(n * sizeof *s->logits);
        s->distances = malloc(n * sizeof *s->distances);
        s->times_seen = malloc(n * sizeof *s->times_seen);
        s->listed = malloc(n * sizeof *s->listed);
        s->seen = malloc(n * sizeof *s->seen);
        if (params->penalty_window > 0) s->window = malloc((size_t)params->penalty_window * sizeof *s->window);
    }
    if (!s || !s->logits || !s->distances || !s->times_seen || !s->listed || !s->seen ||
        (params->penalty_window > 0 && !s->window)) {
        sampler_destroy(s);
        fail_memory(err, "the sampler");
        return NULL;
    }
    sampler_reset(s);
    return s;
}

void sampler_destroy(struct sampler *s)
{
    if (!s) return;
    free(s->logits);
    free(s->distances);
    free(s->times_seen);
    free(s->listed);
    free(s->seen);
    free(s->window);
    free(s->forbidden);
    free(s);
}

void sampler_reset(struct sampler *s)
{
    memset(s->times_seen, 0, (size_t)s->vocab * sizeof *s->times_seen);
    memset(s->listed, 0, (size_t)s->vocab * sizeof *s->listed);
    s->n_seen = 0;
    s->n_drawn = 0;
    s->n_accepted = 0;
}

void sampler_accept(struct sampler *s, int32_t token)
{
    if (token < 0 || token >= s->vocab || !s->params.penalty_window) return;
    if (s->window) {
        int32_t *place = &s->window[s->n_accepted % (uint32_t)s->params.penalty_window];
        if (s->n_accepted >= (uint32_t)s->params.penalty_window) s->times_seen[*place]--;
        *place = token;
    }
    s->n_accepted++;
    if (s->times_seen[token] < 1 << 24) s->times_seen[token]++; /* exact as a float */
    if (!s->listed[token]) s->seen[s->n_seen++] = token;
    s->listed[token] = true;
}

bool sampler_forbid(struct sampler *s, int32_t token, struct error *err)
{
    if (token < 0 || token >= s->vocab)
        return fail(err, ERR_ARGUMENT, "sampling: token %d is not in the vocabulary of %d", (int)token, (int)s->vocab);
    int32_t *longer = realloc(s->forbidden, (s->n_forbidden + 1) * sizeof *longer);
    if (!longer) return fail_memory(err, "the sampler");
    s->forbidden = longer;
    s->forbidden[s->n_forbidden++] = token;
    return true;
}

int32_t sampler_next(struct sampler *s, const float *logits)
{
    for (int32_t i = 0; i < s->vocab; i++) s->logits[i] = logits[i] > -INFINITY ? clamp(logits[i]) : -INFINITY;
    for (size_t i = 0; i < s->n_forbidden; i++) s->logits[s->forbidden[i]] = -INFINITY;
    if (s->n_seen && has_penalties(&s->params)) apply_penalties(s);
    int32_t token = s->wish.greedy ? find_largest(s->logits, s->vocab) : draw(s);
    s->n_drawn++;
    return token;
}

bool sampler_fits(const struct sampler *s)
{
    int32_t window = has_penalties(&s->params) ? s->params.penalty_window : 0;
    return s->vocab <= SAMPLE_MAX_VOCAB && window >= 0 && window <= SAMPLE_HISTORY &&
           s->n_forbidden <= SAMPLE_FORBIDDEN;
}

void sampler_describe(const struct sampler *s, struct sample_wish *wish, struct sample_past *past)
{
    *wish = s->wish;
    wish->n_forbidden = (uint32_t)s->n_forbidden;
    for (size_t i = 0; i < s->n_forbidden; i++) wish->forbidden[i] = (uint32_t)s->forbidden[i];
    *past = (struct sample_past){.drawn = s->n_drawn};
    if (!has_penalties(&s->params)) return;
    wish->window = (uint32_t)s->params.penalty_window;
    /* counts on from a number that has the same place in the window and is at least as large as it, if need be */
    uint64_t n = s->n_accepted;
    past->n_tokens = (uint32_t)(n < wish->window ? n : wish->window + n % wish->window);
    for (uint32_t i = 0; i < wish->window && i < n; i++) past->tokens[i] = (uint32_t)s->window[i];
}

void sample_past_add(struct sample_past *past, const struct sample_wish *wish, uint32_t token)
{
    past->drawn++;
    if (!wish->window) return;
    past->tokens[past->n_tokens++ % wish->window] = token;
}

void sampler_follow(struct sampler *s, int32_t token)
{
    s->n_drawn++;
    sampler_accept(s, token);
}
