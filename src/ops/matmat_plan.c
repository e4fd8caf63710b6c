/* matmat_plan.c - kernels for many tokens: tiles in workgroup memory, as bytes (matmul/matmat_dots.wgsl) or as floats
 * (matmul/matmat.wgsl). */
#include <string.h>

#include "ops/matmul_choices.h"

/* of matmat_dots: 128 threads make a tile of 64 rows x 32 or 64 tokens; 12.5 KiB of workgroup memory at most, and every
 * device has 16 */
enum { DOTS_ACROSS = 16, DOTS_DOWN = 8, DOTS_BLOCKS = 2, DOTS_FEW_TOKENS = 128, DOTS_FEW_ROWS = 4096 };

/* Integers meet integers, and there is an instruction for it. Metal and OpenGL have none for packed dot products: there
 * they are as many single ones and take longer than floats. */
static bool suits_dots(const struct op_plan *p, const struct matmul_part *part)
{
    const char *backend = p->device->backend;
    return matmul_is_q8(p, part->m) && (!strcmp(backend, "Vulkan") || !strcmp(backend, "D3D12"));
}

/* steps of min_tokens to max_tokens, `tokens` a thread */
static bool plan_dots(struct op_plan *p, const struct matmul_part *part, uint32_t tokens, uint32_t min_tokens,
                      uint32_t max_tokens, struct error *err)
{
    struct dispatch_desc d = matmul_describe(p, part, "matmul/matmat_dots");
    d.consts[0] = (struct kernel_const){"ACROSS", DOTS_ACROSS};
    d.consts[1] = (struct kernel_const){"DOWN", DOTS_DOWN};
    d.consts[2] = (struct kernel_const){"TOKENS", tokens};
    d.consts[3] = (struct kernel_const){"BLOCKS", DOTS_BLOCKS};
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(&part->params, 4 * DOTS_ACROSS)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = DOTS_DOWN * tokens};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err);
}

/* The larger tile reads less workgroup memory per product, where enough of them fill the device. */
static bool plan_all_dots(struct op_plan *p, const struct matmul_part *part, struct error *err)
{
    if (part->params.rows < DOTS_FEW_ROWS) return plan_dots(p, part, 4, MATVEC_MAX + 1, 0, err);
    return plan_dots(p, part, 4, MATVEC_MAX + 1, DOTS_FEW_TOKENS, err) &&
           plan_dots(p, part, 8, DOTS_FEW_TOKENS + 1, 0, err);
}

bool plan_matmat(struct op_plan *p, const struct matmul_part *part, struct error *err)
{
    if (suits_dots(p, part)) return plan_all_dots(p, part, err);
    const struct matmul_plan *m = part->m;
    const struct matmul_params *params = &part->params;
    struct dispatch_desc d = matmul_describe(p, part, "matmul/matmat");
    matmul_add_file(&d, matmul_is_q8(p, m) ? "matmul/x_q8" : "matmul/x_f32");
    /* a tile of f16 weights takes half the workgroup memory, but F32 and BF16 would lose digits or overflow in it */
    const enum quant_type type = p->w[m->weight].q->type;
    d.f16 = p->device->shader_f16 && !p->w[m->weight].mixed && type != QUANT_F32 && type != QUANT_BF16;
    /* The larger tile reads less workgroup memory per product, where there are enough rows to fill the device; so do 8
     * tokens a thread, which paid for F16 where it was measured, and did not for F32. */
    const bool fits = p->device->max_workgroup_bytes >= (d.f16 ? 16u : 24u) << 10, half = d.f16 && type == QUANT_F16;
    const uint32_t quads = choose_quads(p, part, fits && params->rows >= (half ? 8192 : 1024) ? 2 : 1, fits ? 2 : 1);
    d.consts[0] = (struct kernel_const){"QUADS", quads};
    d.consts[1] = (struct kernel_const){"DOWN", half ? 8 : 16};
    d.grid[0] = (struct grid){.fixed = matmul_count_tiles(params, 64 * quads)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = 64};
    d.min_rows = MATVEC_MAX + 1;
    return plan_dispatch(p, &d, err);
}
