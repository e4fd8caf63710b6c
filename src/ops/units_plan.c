/* units_plan.c - kernels for many tokens on matrix units (matmul/matmat_units.wgsl). */
#include <string.h>

#include "ops/matmul_parts.h"

/* of matmat_units; a matrix of fewer rows would leave most of the device idle */
enum { UNITS_TILE = 128, UNITS_BYTES = 45056, UNITS_THREADS = 256, UNITS_LANES = 32, UNITS_MIN_ROWS = 1024 };

/* the adapter lists 16x16x16 among the shapes of f16 -> f32 */
static bool multiplies_f16(const struct gpu_info *device)
{
    const char *types = strstr(device->matrix_shapes, "f16 -> f32 ");
    const char *end = types ? strchr(types, ';') : NULL, *shape = types ? strstr(types, "16x16x16") : NULL;
    return shape && (!end || shape < end);
}

/* Weights become f16 in a tile, where F32 and BF16 would lose digits or overflow. */
bool suits_units(const struct op_plan *p, const struct matmul_part *part)
{
    const struct gpu_info *device = p->device;
    const enum quant_type type = p->w[part->m->weight].q->type;
    return device->matrix_units && device->shader_f16 && multiplies_f16(device) &&
           device->subgroup_size == UNITS_LANES && device->max_workgroup_bytes >= UNITS_BYTES &&
           device->max_workgroup_threads >= UNITS_THREADS && part->params.rows >= UNITS_MIN_ROWS &&
           !p->w[part->m->weight].mixed && type != QUANT_F32 && type != QUANT_BF16;
}

/* a segment whose columns are no multiple of 64, which is what a tile takes at a time */
static bool has_tail(const struct matmul_plan *m)
{
    bool tail = false;
    for (uint32_t i = 0; i < m->n_segments; i++) tail |= m->segments[i].cols % 64 > 0;
    return tail;
}

bool plan_units(struct op_plan *p, const struct matmul_part *part, struct error *err)
{
    struct dispatch_desc d = matmul_describe(p, part, "matmul/matmat_units");
    matmul_add_file(&d, matmul_is_q8(p, part->m) ? "matmul/x_q8" : "matmul/x_f32");
    d.consts[0] = (struct kernel_const){"TAIL", has_tail(part->m)};
    d.f16 = d.matrix_units = true;
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(&part->params, UNITS_TILE)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = UNITS_TILE};
    d.min_rows = MATVEC_MAX + 1;
    return plan_dispatch(p, &d, err);
}
