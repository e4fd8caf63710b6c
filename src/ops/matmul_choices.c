/* matmul_choices.c - see matmul_choices.h. Candidates are all that the kernels and the device allow in a wide ring around
 * what is usual: half and twice the threads and the lanes, other numbers of rows. */
#include "ops/matmul_choices.h"

#include <stdio.h>

#include "quant/q8_row.h"

enum { MIN_THREADS = 64, MAX_THREADS = 512 };

/* what a shape must be for this dispatch */
struct bounds {
    uint32_t rows, steps; /* of the matrix; of a row that lanes can share */
    bool whole_blocks;    /* of int8 output in a workgroup */
};

static bool is_possible(const struct op_plan *p, const struct bounds *b, struct matvec_shape s)
{
    uint32_t group_rows = s.lanes && s.lanes <= s.threads ? s.threads / s.lanes * s.rows : 0;
    return group_rows && s.threads >= MIN_THREADS && s.threads <= MAX_THREADS && s.rows && s.rows <= 4 &&
           s.threads <= p->device->max_workgroup_threads && s.lanes <= b->steps &&
           b->rows / group_rows < p->device->max_groups && (!b->whole_blocks || group_rows % Q8_BLOCK == 0);
}

static void add_shape(const struct op_plan *p, const struct bounds *b, struct choice *c, struct matvec_shape s)
{
    if (is_possible(p, b, s)) choice_add(c, s.threads, s.lanes, s.rows);
}

/* half, as much and twice of threads and lanes, with `rows` rows a thread */
static void add_around(const struct op_plan *p, const struct bounds *b, struct choice *c, struct matvec_shape s)
{
    for (int step = 0; step < 9; step++) {
        struct matvec_shape near = {s.threads * 2, s.lanes * 2, s.rows};
        near.threads >>= step % 3;
        near.lanes >>= step / 3;
        add_shape(p, b, c, near);
    }
}

static struct matvec_shape take(const struct op_plan *p, const struct choice *c)
{
    const uint32_t *numbers = plan_choose(p, c);
    return (struct matvec_shape){numbers[0], numbers[1], numbers[2]};
}

static const char names[] = "threads/lanes of a row/rows of a thread";

enum { MANY = 512 }; /* tokens, where there is no upper end */

/* the step that is measured for all up to max_tokens */
static uint32_t tokens_of(uint32_t max_tokens)
{
    return max_tokens == MANY || max_tokens < CHOICE_FEW ? max_tokens : CHOICE_FEW;
}

struct matvec_shape choose_matvec(const struct op_plan *p, const struct matmul_part *part, uint32_t max_tokens,
                                  struct matvec_shape usual)
{
    const struct matmul_params *params = &part->params;
    if (!max_tokens) max_tokens = MANY;
    const struct plan_weight *w = &p->w[part->m->weight];
    const bool q8 = matmul_is_q8(p, part->m), q8_out = p->out_cols[OUT_Q8] > 0;
    struct bounds bounds = {params->rows, q8 ? params->spans / 2 : params->spans, q8_out};
    struct choice c = {.names = names, .tokens = tokens_of(max_tokens)};
    snprintf(c.key, sizeof c.key, "matvec %s %ux%u t%u%s%s", w->q->name, params->rows, w->cols, max_tokens,
             q8 ? " q8" : "", q8_out ? " to q8" : "");
    choice_add(&c, usual.threads, usual.lanes, usual.rows);
    add_around(p, &bounds, &c, usual);
    struct matvec_shape other = usual;
    for (other.rows = 4; other.rows; other.rows /= 2) {
        add_shape(p, &bounds, &c, other);
        add_shape(p, &bounds, &c, (struct matvec_shape){other.threads, other.lanes / 2, other.rows});
    }
    return take(p, &c);
}

struct matvec_shape choose_mixed(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin,
                                 uint32_t max_tokens, struct matvec_shape usual)
{
    const struct plan_weight *w = &p->w[m->weight], *t = &p->w[thin->weight];
    const bool q8 = matmul_is_q8(p, m);
    struct bounds bounds = {w->rows + t->rows, (uint32_t)(padded_cols(w->cols) / QUANT_SPAN) / (q8 ? 2 : 1), false};
    struct choice c = {.names = names, .tokens = tokens_of(max_tokens)};
    snprintf(c.key, sizeof c.key, "matvec %s %ux%u, %s %u t%u%s", w->q->name, w->rows, w->cols, t->q->name, t->rows,
             max_tokens, q8 ? " q8" : "");
    choice_add(&c, usual.threads, usual.lanes, usual.rows);
    add_around(p, &bounds, &c, usual);
    return take(p, &c);
}

uint32_t choose_quads(const struct op_plan *p, const struct matmul_part *part, uint32_t usual, uint32_t most)
{
    const struct plan_weight *w = &p->w[part->m->weight];
    struct choice c = {.names = "quads of a thread's rows", .tokens = MANY};
    snprintf(c.key, sizeof c.key, "matmat %s %ux%u%s", w->q->name, part->params.rows, w->cols,
             matmul_is_q8(p, part->m) ? " q8" : "");
    choice_add(&c, usual, 0, 0);
    for (uint32_t quads = 1; quads <= most; quads *= 2) choice_add(&c, quads, 0, 0);
    return *plan_choose(p, &c);
}

struct choice matmul_choice(const struct op_plan *p, const struct matmul_plan *m, uint32_t rows, const char *what,
                            const char *names_of, uint32_t tokens)
{
    const struct plan_weight *w = &p->w[m->weight];
    struct choice c = {.names = names_of, .tokens = tokens};
    snprintf(c.key, sizeof c.key, "%s %s %ux%u t%u%s%s", what, w->q->name, rows, w->cols, tokens,
             matmul_is_q8(p, m) ? " q8" : "", p->out_cols[OUT_Q8] ? " to q8" : "");
    return c;
}

bool choose_units(const struct op_plan *p, const struct matmul_plan *m, const char *what, uint32_t tokens)
{
    struct choice c = matmul_choice(p, m, p->w[m->weight].rows, what, "matrix units", tokens);
    c.of_kernels = true;
    choice_add(&c, 1, 0, 0);
    choice_add(&c, 0, 0, 0);
    return *plan_choose(p, &c);
}
