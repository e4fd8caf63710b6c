/* units_direct_plan.c - kernels for few tokens that build the matrices of matrix units in registers
 * (matmul/units_direct.comp), where the device lets them. */
#include <stdio.h>
#include <string.h>

#include "ops/matmul_parts.h"
#include "ops/spirv.h"

enum { UNIT = 16, LANES = 32, INTEGER_STEP = 128, FLOAT_STEP = 32 /* columns */ };

/* multiprocessors of the device that the shapes were measured on; what is right for it is good enough for others */
enum { PROCESSORS = 132, SCHEDULERS = 4, THREADS_MAX = 384, SUMS_BYTES = 48 << 10, UNITS_TRIED = 2 };

/* how the subgroups of a workgroup share the work: row_groups x split of them, each for row_units x 16 rows */
struct direct_shape {
    uint32_t row_units, row_groups, split;
};

static uint32_t tile_rows(struct direct_shape s) { return UNIT * s.row_units * s.row_groups; }

static uint32_t step_cols(const struct op_plan *p, const struct matmul_plan *m)
{
    return matmul_is_q8(p, m) ? INTEGER_STEP : FLOAT_STEP;
}

static uint32_t steps_of(const struct op_plan *p, const struct matmul_plan *m)
{
    uint32_t cols = 0;
    for (uint32_t i = 0; i < m->n_segments; i++)
        if (cols < m->segments[i].cols) cols = m->segments[i].cols;
    return (cols + step_cols(p, m) - 1) / step_cols(p, m);
}

/* a segment that ends within a step */
static bool has_tail(const struct op_plan *p, const struct matmul_plan *m)
{
    bool tail = false;
    for (uint32_t i = 0; i < m->n_segments; i++) tail |= padded_cols(m->segments[i].cols) % step_cols(p, m) > 0;
    return tail;
}

static uint32_t sums_bytes(struct direct_shape s, uint32_t together)
{
    return s.row_groups * s.split * together * UNIT * (UNIT * s.row_units + 4) * (uint32_t)sizeof(float);
}

static bool has_room(const struct op_plan *p, struct direct_shape s, uint32_t together)
{
    const uint32_t bytes = sums_bytes(s, together);
    return bytes <= SUMS_BYTES && bytes <= p->device->max_workgroup_bytes;
}

static bool is_possible(const struct op_plan *p, struct direct_shape s)
{
    const bool whole_blocks = s.row_units * s.row_groups % 2 == 0; /* of int8 output */
    const uint32_t threads = LANES * s.row_groups * s.split;
    return threads <= THREADS_MAX && threads <= p->device->max_workgroup_threads && has_room(p, s, 1) &&
           (!p->out_cols[OUT_Q8] || whole_blocks);
}

/* Instructions that the busiest scheduler issues, about, as all pipelines wait for them: in a step of a subgroup x and
 * weights are decoded and the units are told to multiply. One subgroup alone waits for its own results as well. */
static uint32_t cost_of(const struct op_plan *p, const struct matmul_part *part, struct direct_shape s,
                        uint32_t token_units)
{
    const uint32_t waves = (matmul_count_tiles(&part->params, tile_rows(s)) + PROCESSORS - 1) / PROCESSORS;
    const uint32_t subgroups = (waves * s.row_groups * s.split + SCHEDULERS - 1) / SCHEDULERS;
    const uint32_t steps = (steps_of(p, part->m) + s.split - 1) / s.split;
    const uint32_t step = 112 * token_units + 80 * s.row_units + 150 * s.row_units * token_units;
    return steps * step * (subgroups == 1 ? 3 : 2 * subgroups);
}

static struct direct_shape choose_shape(const struct op_plan *p, const struct matmul_part *part, uint32_t token_units)
{
    struct direct_shape best = {1, 2, 1};
    for (uint32_t units = 1; units <= UNITS_TRIED; units++) {
        for (uint32_t groups = 1; groups <= 2; groups++) {
            for (uint32_t split = 1; LANES * split <= THREADS_MAX; split++) {
                const struct direct_shape s = {units, groups, split};
                if (is_possible(p, s) && split <= steps_of(p, part->m) &&
                    cost_of(p, part, s, token_units) < cost_of(p, part, best, token_units))
                    best = s;
            }
        }
    }
    return best;
}

/* NULL: there is none, or the device cannot have it */
static const char *find_module(const struct op_plan *p, const struct matmul_plan *m)
{
    const struct plan_weight *w = &p->w[m->weight];
    char name[64];
    snprintf(name, sizeof name, "matmul/units_direct %s", w->mixed ? "mixed" : w->q->codec);
    const struct spirv_module *module = p->device->fragments ? spirv_find(name) : NULL;
    return module ? module->name : NULL;
}

bool can_direct(const struct op_plan *p, const struct matmul_plan *m)
{
    const bool x_suits = matmul_is_q8(p, m) || quant_is_float(p->w[m->weight].q);
    return x_suits && find_module(p, m);
}

bool plan_direct(struct op_plan *p, const struct matmul_part *part, uint32_t token_units, uint32_t min_tokens,
                 struct error *err)
{
    const struct direct_shape s = choose_shape(p, part, token_units);
    const uint32_t together = has_room(p, s, token_units) ? token_units : 1;
    const bool to_q8 = p->out_cols[OUT_Q8] > 0;
    const struct kernel_const consts[] = {{"WORKGROUP", LANES * s.row_groups * s.split},
                                          {"ROW_UNITS", s.row_units},
                                          {"ROW_GROUPS", s.row_groups},
                                          {"TOKEN_UNITS", token_units},
                                          {"TOGETHER", together},
                                          {"TAIL", has_tail(p, part->m)},
                                          {"FLOATS", !to_q8 || p->floats_read},
                                          {"STORE_Q8", to_q8}};
    struct dispatch_desc d = matmul_describe(p, part, NULL);
    memset(d.files, 0, sizeof d.files);
    d.files[0] = find_module(p, part->m);
    for (size_t i = 0; i < sizeof consts / sizeof *consts; i++) d.consts[i] = consts[i];
    d.operands[d.n_operands++] = operand_out(OUT_Q8);
    d.spirv = d.baked = true;
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(&part->params, tile_rows(s))};
    d.grid[1] = (struct grid){.rows = p->rows, .per = UNIT * token_units};
    d.min_rows = min_tokens;
    d.max_rows = UNIT * token_units;
    return plan_dispatch(p, &d, err);
}
