/* units_few_plan.c - kernels for few tokens on matrix units (matmul/units_few.wgsl). */
#include "ops/matmul_choices.h"

enum { UNIT = 16, LANES = 32, STEP_COLS = 32 /* of a subgroup */ };

/* multiprocessors of the device that the tiles were measured on; what is right for it is good enough for others */
enum { PROCESSORS = 132, TRIED = 3 /* of the shapes, by tuning */ };

/* how the subgroups of a workgroup share the work: row_groups x split of them, each for row_units x 16 rows */
struct few_shape {
    uint32_t row_units, row_groups, split;
};

static uint32_t tile_rows(struct few_shape s) { return UNIT * s.row_units * s.row_groups; }

static uint32_t workgroup_bytes(struct few_shape s, uint32_t token_units)
{
    const uint32_t lines = tile_rows(s) + UNIT * token_units;
    return lines * 2 * (s.split * STEP_COLS + 8) + s.row_groups * s.split * UNIT * UNIT * 4;
}

/* What counts is how much goes through the workgroup memory of a processor: its rows of W and, for each tile, x. */
static uint32_t cost_of(const struct matmul_part *part, struct few_shape s, uint32_t token_units)
{
    const uint32_t waves = (matmul_count_tiles(&part->params, tile_rows(s)) + PROCESSORS - 1) / PROCESSORS;
    return waves * (tile_rows(s) + UNIT * token_units);
}

/* no more columns a step than there are */
static struct few_shape fit_shape(const struct op_plan *p, const struct matmul_part *part, struct few_shape s,
                                  uint32_t token_units)
{
    while (s.split > 2 && (s.split / 2 * STEP_COLS >= part->params.spans * QUANT_SPAN ||
                           workgroup_bytes(s, token_units) > p->device->max_workgroup_bytes))
        s.split /= 2;
    return s;
}

static bool is_possible(const struct op_plan *p, struct few_shape s)
{
    const bool whole_blocks = s.row_groups % 2 == 0; /* of int8 output */
    return LANES * s.row_groups * s.split <= p->device->max_workgroup_threads && (!p->out_cols[OUT_Q8] || whole_blocks);
}

static struct few_shape choose_shape(const struct op_plan *p, const struct matmul_part *part, uint32_t token_units)
{
    const uint32_t tokens = UNIT * token_units;
    struct choice c = matmul_choice(p, part->m, part->params.rows, "units_few", "units of rows/of them/shares", tokens);
    static const struct few_shape shapes[] = {{1, 1, 8}, {2, 1, 8}, {1, 2, 4}, {1, 3, 4},
                                              {2, 2, 4}, {2, 3, 4}, {1, 6, 2}, {2, 4, 2}};
    struct few_shape s = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (!is_possible(p, shapes[i])) continue;
        if (!s.split || cost_of(part, shapes[i], token_units) < cost_of(part, s, token_units)) s = shapes[i];
    }
    s = fit_shape(p, part, s, token_units);
    choice_add(&c, s.row_units, s.row_groups, s.split);
    for (size_t i = 0; i < TRIED; i++) {
        const struct few_shape o = fit_shape(p, part, shapes[i], token_units);
        if (is_possible(p, o) && workgroup_bytes(o, token_units) <= p->device->max_workgroup_bytes)
            choice_add(&c, o.row_units, o.row_groups, o.split);
    }
    const uint32_t *numbers = plan_choose(p, &c);
    return (struct few_shape){numbers[0], numbers[1], numbers[2]};
}

/* Integers have packed dot products in a matvec. They are faster than units_few, keep more digits than units_direct, and
 * for smaller matrices than this nothing faster was measured. */
static bool prefers_dots(const struct op_plan *p, const struct matmul_plan *m)
{
    enum { MIN_WEIGHTS = 1 << 20 };
    const struct plan_weight *w = &p->w[m->weight];
    return matmul_is_q8(p, m) && !(can_direct(p, m) && (uint64_t)w->rows * w->cols >= MIN_WEIGHTS);
}

uint32_t units_few_from(const struct op_plan *p, const struct matmul_plan *m)
{
    if (!has_units(p->device) || !units_keep_right(p, m) || !choose_units(p, m, "few on units", CHOICE_FEW)) return 0;
    struct choice c = matmul_choice(p, m, p->w[m->weight].rows, "units_few from", "tokens", MATVEC_TOKENS);
    c.of_kernels = true;
    choice_add(&c, prefers_dots(p, m) ? MATVEC_TOKENS + 1 : 5, 0, 0);
    choice_add(&c, 5, 0, 0);
    choice_add(&c, MATVEC_TOKENS + 1, 0, 0);
    return *plan_choose(p, &c);
}

/* a segment that ends within a step */
static bool has_tail(const struct matmul_plan *m, struct few_shape s)
{
    bool tail = false;
    for (uint32_t i = 0; i < m->n_segments; i++) tail |= padded_cols(m->segments[i].cols) % (s.split * STEP_COLS) > 0;
    return tail;
}

static bool plan_tokens(struct op_plan *p, const struct matmul_part *part, uint32_t token_units, uint32_t min_tokens,
                        struct error *err)
{
    if (can_direct(p, part->m)) return plan_direct(p, part, token_units, min_tokens, err);
    const struct few_shape s = choose_shape(p, part, token_units);
    const struct kernel_const consts[] = {{"WORKGROUP", LANES * s.row_groups * s.split},
                                          {"LANES", 1},
                                          {"ROW_UNITS", s.row_units},
                                          {"ROW_GROUPS", s.row_groups},
                                          {"TOKEN_UNITS", token_units},
                                          {"TAIL", has_tail(part->m, s)}};
    struct dispatch_desc d = matmul_describe(p, part, "matmul/units_few");
    matmul_add_file(&d, matmul_is_q8(p, part->m) ? "matmul/few_x_q8" : "matmul/few_x_f32");
    matmul_add_file(&d, plan_reduce(p));
    for (size_t i = 0; i < sizeof consts / sizeof *consts; i++) d.consts[i] = consts[i];
    plan_q8_output(p, &d);
    d.f16 = d.matrix_units = d.baked = true;
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(&part->params, tile_rows(s))};
    d.grid[1] = (struct grid){.rows = p->rows, .per = UNIT * token_units};
    d.min_rows = min_tokens;
    d.max_rows = UNIT * token_units;
    return plan_dispatch(p, &d, err);
}

bool plan_units_few(struct op_plan *p, const struct matmul_part *part, uint32_t min_tokens, uint32_t max_tokens,
                    struct error *err)
{
    return plan_tokens(p, part, 1, min_tokens, err) && plan_tokens(p, part, 2, UNIT + 1, err) &&
           (max_tokens <= 2 * UNIT || plan_tokens(p, part, MATVEC_MAX / UNIT, 2 * UNIT + 1, err));
}
