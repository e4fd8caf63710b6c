/* attention.c - each token looks at its sequence up to itself, H query heads in groups that share a key-value head.
 *
 *   y_h = sum_p softmax_p(scale q_h . k_p) v_p          p from max(0, position - window + 1) to position; window 0: all
 *   q[T,H*D] S[P,2*KV] -> y[T,H*D]; head h reads key-value head h / (H*D / KV)
 *   args: head_dim D, window, scale
 *
 * Few tokens (attention_token.wgsl): the positions of each are divided among workgroups, and what those find is combined
 * in a second dispatch. Many (attention_tile.wgsl): tiles of tokens and keys, which are read once for a tile. Both read
 * a key once for all heads that share it, and never hold more than a tile of scores.
 *
 * The cache holds the step's tokens already (kv_write.c). Position p lies in row p % P: P must be the context, or
 * with a window at least window + tokens of a step - 1. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/attention_work.h"
#include "ops/kv_plan.h"
#include "ops/tuning.h"

enum { MAX_HEAD = 256, MAX_GROUP = 8 };

/* workgroups that fill a large device; keys of a tile; vectors of values that it holds at a time */
enum { FULL = 256, TILE_FULL = 128, TILE_ROWS = 32, TILE_ROWS_MOST = 64, TILE_KEYS = 64, TILE_VALUES = 512 };

#define ATTENTION_PARAMS(U, F)                                                                                         \
    U(vectors) U(heads_per_kv) U(slots) U(window) U(rows) U(row_quads) U(row_words) U(slot_words) F(scale)
PARAMS(attention, ATTENTION_PARAMS);

/* where position p's key of a key-value head lies; its value lies state_cols / 2 behind */
static const float *key_at(const struct op_ref *r, const float *slot, uint32_t p, uint32_t kv_head)
{
    return slot + p % r->state_rows * (size_t)r->state_cols + (size_t)kv_head * r->args->head_dim;
}

static double score(const struct op_args *a, const float *q, const float *k)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->head_dim; i++) sum += (double)q[i] * k[i];
    return sum * a->scale;
}

static void attend(const struct op_ref *r, uint32_t t, uint32_t h, uint32_t kv_head)
{
    const struct op_args *a = r->args;
    uint32_t D = a->head_dim, end = r->step->position[t] + 1;
    uint32_t begin = a->window && end > a->window ? end - a->window : 0;
    const float *slot = r->state + r->step->slot[r->step->seq[t]] * r->state_stride;
    const float *q = r->in[0].data + (size_t)t * r->in[0].cols + (size_t)h * D;
    double top = -INFINITY, total = 0, y[MAX_HEAD] = {0};
    for (uint32_t p = begin; p < end; p++) top = fmax(top, score(a, q, key_at(r, slot, p, kv_head)));
    for (uint32_t p = begin; p < end; p++) {
        const float *k = key_at(r, slot, p, kv_head), *v = k + r->state_cols / 2;
        double share = exp(score(a, q, k) - top);
        total += share;
        for (uint32_t i = 0; i < D; i++) y[i] += share * v[i];
    }
    for (uint32_t i = 0; i < D; i++) r->out[0].data[(size_t)t * r->out[0].cols + h * D + i] = (float)(y[i] / total);
}

void attention_ref(const struct op_ref *r)
{
    uint32_t heads = r->out[0].cols / r->args->head_dim, heads_per_kv = 2 * r->out[0].cols / r->state_cols;
    for (uint32_t t = 0; t < r->step->n_tokens; t++)
        for (uint32_t h = 0; h < heads; h++) attend(r, t, h, h / heads_per_kv);
}

uint32_t attention_group(uint32_t heads, uint32_t kv_heads)
{
    const uint32_t all = heads / kv_heads;
    uint32_t group = all;
    for (uint32_t n = 2; group > MAX_GROUP; n++)
        if (all % n == 0) group = all / n;
    return group;
}

/* parts that a step's few tokens share, for each query head; full: workgroups of all */
static uint32_t token_slots(uint32_t full, uint32_t groups, uint32_t positions)
{
    const uint32_t blocks = (positions + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const uint32_t slots = full / groups < blocks ? full / groups : blocks;
    return slots > ATTENTION_FEW ? slots : ATTENTION_FEW;
}

/* tiles that share their positions' workgroups: more of them fill the device by themselves */
static uint32_t tile_slots(uint32_t full, uint32_t groups) { return groups < full ? full / groups : 1; }

uint32_t attention_work(uint32_t heads, uint32_t kv_heads, uint32_t head_dim, uint32_t positions)
{
    const uint32_t group = attention_group(heads, kv_heads), groups = heads / group;
    const uint32_t few = token_slots(FULL, groups, positions) * heads,
                   many = tile_slots(TILE_FULL, groups) * groups * TILE_ROWS_MOST;
    return (few > many ? few : many) * (head_dim + 4);
}

/* what the kernels of a call share */
struct shape {
    uint32_t heads, group, vectors;
    struct attention_params params;
};

static struct shape shape_of(const struct op_plan *p)
{
    const struct op_args *a = p->args;
    const uint32_t C = p->out_cols[0], heads = C / a->head_dim, kv_heads = p->state_cols / 2 / a->head_dim;
    return (struct shape){.heads = heads,
                          .group = attention_group(heads, kv_heads),
                          .vectors = a->head_dim / 4,
                          .params = {.vectors = C / 4,
                                     .heads_per_kv = heads / kv_heads,
                                     .window = a->window,
                                     .rows = p->state_rows,
                                     .row_quads = p->state_cols / 4,
                                     .row_words = (uint32_t)kv_row_words(p->state_type, p->state_cols),
                                     .slot_words = p->state_stride,
                                     .scale = a->scale}};
}

/* ---- choices (tuning.h) ---- */

static struct choice choice_of(const struct op_plan *p, const struct shape *s, const char *what, const char *names,
                               uint32_t tokens)
{
    struct choice c = {.names = names, .tokens = tokens};
    snprintf(c.key, sizeof c.key, "attention %s %ux%u/%u %s window %u%s t%u", what, s->heads, 4 * s->vectors,
             s->params.heads_per_kv, kv_type_name(p->state_type), s->params.window, p->out_cols[OUT_Q8] ? " q8" : "",
             tokens);
    return c;
}

/* of attention_token */
struct token_shape {
    uint32_t threads, lanes; /* of a workgroup; of a key */
    uint32_t full;           /* workgroups, FULL at most: there is scratch for those */
};

static struct token_shape choose_token_shape(const struct op_plan *p, const struct shape *s)
{
    enum { SEQUENCES = 8 };
    struct token_shape usual = {plan_threads(p, 256), 1, FULL};
    while (2 * usual.lanes <= s->vectors && usual.lanes < 16) usual.lanes *= 2;
    struct choice c = choice_of(p, s, "few", "threads/lanes of a key/workgroups", SEQUENCES);
    choice_add(&c, usual.threads, usual.lanes, usual.full);
    for (uint32_t full = FULL; full >= FULL / 4; full /= 2)
        for (uint32_t threads = plan_threads(p, 256); threads >= 128 && threads >= s->vectors; threads /= 2)
            for (uint32_t lanes = usual.lanes; lanes && lanes >= usual.lanes / 4; lanes /= 2)
                choice_add(&c, threads, lanes, full);
    const uint32_t *numbers = plan_choose(p, &c);
    return (struct token_shape){numbers[0], numbers[1], numbers[2]};
}

/* of attention_tile */
struct tile_shape {
    uint32_t rows;   /* of queries */
    uint32_t values; /* keys whose values it holds at a time */
    uint32_t full;   /* workgroups, TILE_FULL at most */
};

static struct tile_shape choose_tile_shape(const struct op_plan *p, const struct shape *s)
{
    enum { MANY = 512 };
    const bool fits = p->device->max_workgroup_bytes >= 24 << 10 && p->device->max_workgroup_threads >= 256;
    struct tile_shape usual = {fits ? TILE_ROWS_MOST : TILE_ROWS, 1, TILE_FULL};
    while (2 * usual.values * s->vectors <= TILE_VALUES && usual.values < TILE_KEYS) usual.values *= 2;
    if (plan_is_software(p)) return usual; /* steps that are measured there have too few tokens */
    struct choice c = choice_of(p, s, "many", "rows/keys at a time/workgroups", MANY);
    choice_add(&c, usual.rows, usual.values, usual.full);
    for (uint32_t full = TILE_FULL; full >= TILE_FULL / 2; full /= 2)
        for (uint32_t rows = usual.rows; rows >= TILE_ROWS; rows /= 2)
            for (uint32_t values = usual.values; values && values >= usual.values / 2; values /= 2)
                choice_add(&c, rows, values, full);
    const uint32_t *numbers = plan_choose(p, &c);
    return (struct tile_shape){numbers[0], numbers[1], numbers[2]};
}

/* up to how many tokens attention_token does it */
static uint32_t choose_few(const struct op_plan *p, const struct shape *s)
{
    struct choice c = choice_of(p, s, "few up to", "tokens", ATTENTION_FEW);
    c.of_kernels = true;
    choice_add(&c, ATTENTION_FEW, 0, 0);
    choice_add(&c, ATTENTION_FEW / 2, 0, 0);
    return *plan_choose(p, &c);
}

/* ---- kernels ---- */

static struct dispatch_desc describe(const struct op_plan *p, const struct shape *s, const char *kernel,
                                     const char *splits, const char *kv)
{
    return (struct dispatch_desc){.files = {kernel, "attention/attention_span", splits, plan_reduce(p), kv},
                                  .params_wgsl = attention_params_wgsl,
                                  .params = &s->params,
                                  .params_bytes = sizeof s->params,
                                  .operands = {operand_in(0), operand_state('r'), operand_scratch(OUT_MORE, 'w')},
                                  .n_operands = 3};
}

/* the parts of steps of min_tokens to max_tokens; `tokens` of a tile, 0 if those of few tokens */
static bool plan_combine(struct op_plan *p, const struct shape *s, uint32_t block, uint32_t tokens, uint32_t min_tokens,
                         uint32_t max_tokens, struct error *err)
{
    /* few tokens have many parts and need many threads; software does a thread at a time */
    const bool wide = !tokens && !plan_is_software(p);
    const uint32_t channels = wide && s->vectors % 8 == 0 ? 8 : s->vectors;
    const uint32_t threads = wide ? plan_threads(p, 256) : power_of_two_from(channels);
    struct dispatch_desc d =
        describe(p, s, "attention/attention_combine",
                 tokens ? "attention/attention_tile_splits" : "attention/attention_token_splits", NULL);
    const struct kernel_const consts[] = {{"WORKGROUP", threads < 8 ? 8 : threads},
                                          {"LANES", threads < 8 ? 8 : threads},
                                          {"VECTORS", s->vectors},
                                          {"CHANNELS", channels},
                                          {"SLOTS", s->params.slots},
                                          {"BLOCK", block},
                                          {"TOKENS", tokens}};
    memcpy(d.consts, consts, sizeof consts);
    d.operands[0] = operand_scratch(OUT_MORE, 'r');
    d.operands[1] = operand_out(0);
    d.n_operands = 2;
    plan_q8_output(p, &d);
    d.grid[0].fixed = s->heads * (s->vectors / channels);
    d.grid[1] = (struct grid){1, 1, ROWS_TOKENS};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err);
}

static bool plan_few(struct op_plan *p, struct shape *s, uint32_t max_tokens, struct error *err)
{
    const bool software = plan_is_software(p);
    struct token_shape shape = {plan_threads(p, 64), 1, FULL};
    while (2 * shape.lanes <= s->vectors && shape.lanes < 8) shape.lanes *= 2;
    if (!software) shape = choose_token_shape(p, s);
    const uint32_t threads = shape.threads, lanes = shape.lanes;
    const uint32_t block = threads / lanes > ATTENTION_BLOCK ? threads / lanes : ATTENTION_BLOCK;
    struct dispatch_desc d =
        describe(p, s, "attention/attention_token", "attention/attention_token_splits", plan_kv_read(p));
    const struct kernel_const consts[] = {
        {"WORKGROUP", threads}, {"LANES", lanes}, {"VECTORS", s->vectors}, {"GROUP", s->group}, {"BLOCK", block}};
    memcpy(d.consts, consts, sizeof consts);
    /* software pays for workgroups without positions as for others: a token is one part there */
    s->params.slots = software ? 1 : token_slots(shape.full, s->heads / s->group, p->state_rows);
    d.grid[0].fixed = s->heads / s->group;
    if (software) d.grid[1] = (struct grid){1, 1, ROWS_TOKENS};
    else d.grid[1].fixed = s->params.slots;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err) && plan_combine(p, s, block, 0, 0, max_tokens, err);
}

static bool plan_tile(struct op_plan *p, const struct shape *s, const struct tile_shape *tile, bool split,
                      uint32_t min_tokens, uint32_t max_tokens, struct error *err)
{
    const uint32_t rows = tile->rows, values = tile->values, tokens = rows / s->group;
    struct dispatch_desc d =
        describe(p, s, "attention/attention_tile", "attention/attention_tile_splits", plan_kv_read(p));
    const struct kernel_const consts[] = {{"WORKGROUP", 4 * rows}, {"LANES", 16},          {"VECTORS", s->vectors},
                                          {"GROUP", s->group},     {"ROWS", rows},         {"TOKENS", tokens},
                                          {"BLOCK", TILE_KEYS},    {"VALUE_KEYS", values}, {"SPLIT", split}};
    memcpy(d.consts, consts, sizeof consts);
    d.operands[2] = operand_out(split ? OUT_MORE : 0);
    d.grid[0].fixed = s->heads / s->group;
    if (split) d.grid[1].fixed = s->params.slots;
    else d.grid[1] = (struct grid){1, tokens, ROWS_TOKENS};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    if (!plan_dispatch(p, &d, err)) return false;
    if (split) return plan_combine(p, s, TILE_KEYS, tokens, min_tokens, max_tokens, err);
    return !p->out_cols[OUT_Q8] || plan_quantize_output(p, min_tokens, err);
}

bool attention_plan(struct op_plan *p, struct error *err)
{
    struct shape s = shape_of(p);
    const uint32_t few = plan_is_software(p) ? ATTENTION_FEW : choose_few(p, &s);
    if (!plan_few(p, &s, few, err)) return false;
    const struct tile_shape tile = choose_tile_shape(p, &s);
    s.params.slots = tile_slots(tile.full, s.heads / s.group);
    /* tiles of TILE_ROWS fill the device sooner, but share no more workgroups */
    const uint32_t split_most = s.params.slots * (TILE_ROWS / s.group);
    const bool splits = split_most > few;
    return (!splits || plan_tile(p, &s, &tile, true, few + 1, split_most, err)) &&
           plan_tile(p, &s, &tile, false, (splits ? split_most : few) + 1, 0, err);
}
