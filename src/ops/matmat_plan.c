/* matmat_plan.c - kernels for many tokens: tiles in workgroup memory (matmul/matmat.wgsl). */
#include "ops/matmul_choices.h"

bool plan_matmat(struct op_plan *p, const struct matmul_part *part, struct error *err)
{
    const struct matmul_plan *m = part->m;
    const struct matmul_params *params = &part->params;
    struct dispatch_desc d = matmul_describe(p, part, "matmul/matmat");
    matmul_add_file(&d, matmul_is_q8(p, m) ? "matmul/x_q8" : "matmul/x_f32");
    /* a tile of f16 weights takes half the workgroup memory, but F32 and BF16 would lose digits or overflow in it */
    const enum quant_type type = p->w[m->weight].q->type;
    d.f16 = p->device->shader_f16 && !p->w[m->weight].mixed && type != QUANT_F32 && type != QUANT_BF16;
    /* the larger tile reads less workgroup memory per product, where there are enough rows to fill the device */
    bool fits = p->device->max_workgroup_bytes >= (d.f16 ? 16u : 24u) << 10;
    uint32_t quads = choose_quads(p, part, fits && params->rows >= 1024 ? 2 : 1, fits ? 2 : 1);
    d.consts[0] = (struct kernel_const){"QUADS", quads};
    d.consts[1] = (struct kernel_const){"SEGMENTED", params->end0 < params->rows};
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(params, 64 * quads)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = 64};
    d.min_rows = MATVEC_MAX + 1;
    return plan_dispatch(p, &d, err);
}
