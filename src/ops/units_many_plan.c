/* units_many_plan.c - kernels for many tokens on matrix units whose registers are known (matmul/units_many.comp). */
#include <stdio.h>

#include "ops/matmul_choices.h"
#include "ops/spirv.h"

/* of a tile; columns of a turn; what its workgroup needs */
enum { TILE_ROWS = MANY_ROWS, TURN = 128, BLOCK = 32, THREADS = 256, WORKGROUP_BYTES = 32768, STORAGE_BUFFERS = 9 };
/* so many weights at least; smaller matrices fill a device better with smaller tiles */
enum { MIN_WEIGHTS = 1 << 22 };
enum { ACT_VARIED = 6 }; /* of the kernel: each segment has its own */

static void module_name(const struct op_plan *p, const struct matmul_plan *m, char *out, size_t capacity)
{
    snprintf(out, capacity, "matmul/units_many %s", p->w[m->weight].mixed ? "mixed" : p->w[m->weight].q->codec);
}

/* whole tiles and turns; x and y lie in whole blocks */
static bool fits_tiles(const struct op_plan *p, const struct matmul_part *part)
{
    const struct matmul_plan *m = part->m;
    bool fits = p->in_cols[matmul_is_q8(p, m) ? IN_Q8 : 0] % BLOCK == 0 && part->params.row_at % BLOCK == 0;
    for (uint32_t i = 0; i < m->n_segments; i++)
        fits &= m->segments[i].cols % TURN == 0 && m->segments[i].x_at % BLOCK == 0;
    for (uint32_t i = 0; i < MAX_PRODUCTS; i++) {
        const uint32_t rows = matmul_segment_rows(&part->params, i);
        fits &= rows == 0 || (rows >= TILE_ROWS && rows % BLOCK == 0);
    }
    return fits;
}

bool suits_many(const struct op_plan *p, const struct matmul_part *part, bool stored)
{
    char name[48];
    module_name(p, part->m, name, sizeof name);
    return p->device->fragments && spirv_find(name) && p->device->max_workgroup_bytes >= WORKGROUP_BYTES &&
           p->device->max_workgroup_threads >= THREADS && p->device->max_storage_buffers >= STORAGE_BUFFERS &&
           (stored || matmul_is_q8(p, part->m)) && matmul_count_weights(&part->params) >= MIN_WEIGHTS &&
           fits_tiles(p, part);
}

static uint32_t shared_act(const struct matmul_plan *m)
{
    uint32_t act = m->segments[0].act;
    for (uint32_t i = 1; i < m->n_segments; i++)
        if (m->segments[i].act != act) act = ACT_VARIED;
    return act;
}

bool plan_many_tiles(struct op_plan *p, const struct matmul_part *part, uint32_t min_rows, uint32_t max_rows,
                     struct error *err)
{
    const struct matmul_plan *m = part->m;
    const bool q8 = matmul_is_q8(p, m), to_q8 = p->out_cols[OUT_Q8] > 0, floats = !to_q8 || p->floats_read;
    const struct operand unused = {.kind = OPERAND_NONE, .access = 'r'}; /* two of them may be the same buffer */
    char name[48];
    module_name(p, m, name, sizeof name);
    struct dispatch_desc d = {
        .files = {name},
        .consts = {{"WORKGROUP", THREADS}, {"X_Q8", q8}, {"ACT", shared_act(m)}, {"FLOATS", floats}, {"TO_Q8", to_q8}},
        .spirv = true,
        .baked = true,
        .params_wgsl = matmul_params_wgsl,
        .params = &part->params,
        .params_bytes = sizeof part->params,
        .operands = {operand_quants(m->weight, part->index), operand_scales(m->weight, part->index),
                     q8 ? operand_in(IN_Q8) : operand_scratch(OUT_HALVES, 'r'),
                     part->params.shares > 1 ? operand_scratch(OUT_MORE, 'w') : unused, operand_vector(m->bias),
                     operand_in(1), floats ? operand_out(0) : unused, to_q8 ? operand_out(OUT_Q8) : unused},
        .n_operands = 8,
        .weights = matmul_count_weights(&part->params),
        .grid = {{.fixed = part->params.tiles}, {1, MANY_TOKENS, p->rows}, {.fixed = part->params.shares}},
        .min_rows = min_rows,
        .max_rows = max_rows,
    };
    return plan_dispatch(p, &d, err);
}
