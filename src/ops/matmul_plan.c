/* matmul_plan.c - see matmul_plan.h and matmul_parts.h */
#include "ops/matmul_plan.h"

#include <math.h>
#include <stdio.h>

#include "ops/matmul_choices.h"

double ref_activate(enum act act, double x)
{
    switch (act) {
    case ACT_SIGMOID: return 1 / (1 + exp(-x));
    case ACT_TANH: return tanh(x);
    case ACT_RELU2: return x > 0 ? x * x : 0;
    case ACT_SILU: return x / (1 + exp(-x));
    case ACT_GELU: return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    default: return x;
    }
}

/* where segment i of the dispatch begins; all of them end where those that are not there begin */
static uint32_t segment_at(const struct matmul_params *m, uint32_t i)
{
    const uint32_t at[] = {0, m->end0, m->end1, m->end2, m->end3, m->end4, m->end5, m->end6, m->rows};
    return at[i];
}

uint32_t matmul_segment_rows(const struct matmul_params *m, uint32_t i)
{
    return segment_at(m, i + 1) - segment_at(m, i);
}

uint64_t matmul_count_weights(const struct matmul_params *m)
{
    const uint32_t used[] = {m->used0, m->used1, m->used2, m->used3, m->used4, m->used5, m->used6, m->used7};
    uint64_t spans = 0;
    for (uint32_t i = 0; i < MAX_PRODUCTS; i++) spans += (uint64_t)matmul_segment_rows(m, i) * used[i];
    return spans * QUANT_SPAN;
}

bool matmul_is_q8(const struct op_plan *p, const struct matmul_plan *m)
{
    return p->in_cols[IN_Q8] && !quant_is_float(p->w[m->weight].q);
}

struct dispatch_desc matmul_describe(const struct op_plan *p, const struct matmul_part *part, const char *kernel)
{
    const struct matmul_plan *m = part->m;
    return (struct dispatch_desc){
        .files = {kernel, part->codec, "matmul/epilogue", "activation", "matmul/segment",
                  p->w[m->weight].mixed ? "matmul/mixed_row" : NULL},
        .params_wgsl = matmul_params_wgsl,
        .params = &part->params,
        .params_bytes = sizeof part->params,
        .operands = {operand_quants(m->weight, part->index), operand_scales(m->weight, part->index),
                     operand_in(matmul_is_q8(p, m) ? IN_Q8 : 0), operand_vector(m->bias), operand_in(1),
                     operand_out(0)},
        .n_operands = 6,
        .weights = matmul_count_weights(&part->params),
    };
}

void matmul_add_file(struct dispatch_desc *d, const char *file)
{
    size_t n = 0;
    while (d->files[n]) n++;
    d->files[n] = file;
}

uint32_t matmul_count_tiles(const struct matmul_params *m, uint32_t tile_rows)
{
    uint32_t tiles = 0;
    for (uint32_t i = 0; i < MAX_PRODUCTS; i++) tiles += (matmul_segment_rows(m, i) + tile_rows - 1) / tile_rows;
    return tiles;
}

void matmul_cut_segments(const struct matmul_plan *m, uint32_t first, uint32_t last, struct matmul_params *params)
{
    uint32_t *ends[] = {&params->end0, &params->end1, &params->end2, &params->end3,
                        &params->end4, &params->end5, &params->end6};
    uint32_t *x_at[] = {&params->x_at0, &params->x_at1, &params->x_at2, &params->x_at3,
                        &params->x_at4, &params->x_at5, &params->x_at6, &params->x_at7};
    uint32_t *used[] = {&params->used0, &params->used1, &params->used2, &params->used3,
                        &params->used4, &params->used5, &params->used6, &params->used7};
    uint32_t *planes[] = {&params->plane0, &params->plane1, &params->plane2, &params->plane3,
                          &params->plane4, &params->plane5, &params->plane6, &params->plane7};
    uint32_t *acts[] = {&params->act0, &params->act1, &params->act2, &params->act3,
                        &params->act4, &params->act5, &params->act6, &params->act7};
    uint32_t n = 0;
    for (uint32_t i = 0, at = 0; i < m->n_segments; at += m->segments[i++].rows) {
        const struct matmul_segment *s = &m->segments[i];
        uint32_t end = at + s->rows < last ? at + s->rows : last;
        if (end <= first || at >= last) continue;
        *x_at[n] = s->x_at / 4;
        *used[n] = (uint32_t)(padded_cols(s->cols) / QUANT_SPAN);
        *acts[n] = s->act;
        *planes[n] = s->plane_at;
        params->types |= (s->type == QUANT_F32 ? 0u : s->type == QUANT_F16 ? 1u : 2u) << 2 * n;
        if (n < MAX_PRODUCTS - 1) *ends[n] = end - first;
        n++;
    }
    for (; n && n < MAX_PRODUCTS; n++) *ends[n - 1] = last - first;
}

/* From how many tokens on tiles of matrix units do a step: from MATVEC_MAX + 1 unless it was measured; 0: never. */
static uint32_t units_from(const struct op_plan *p, const struct matmul_plan *m)
{
    enum { MANY = 512, FEWER = 33 };
    if (!suits_units(p, m) || !choose_units(p, m, "many on units", MANY)) return 0;
    struct choice c = matmul_choice(p, m, p->w[m->weight].rows, "units from", "tokens", MATVEC_MAX);
    c.of_kernels = true;
    choice_add(&c, MATVEC_MAX + 1, 0, 0);
    if (units_few_from(p, m)) choice_add(&c, FEWER, 0, 0);
    return *plan_choose(p, &c);
}

/* steps of more than MATVEC_MAX, or from units_from on */
static bool plan_many(struct op_plan *p, const struct matmul_part *part, uint32_t units, struct error *err)
{
    if (units) return plan_units(p, part, units, err);
    if (plan_is_software(p)) return plan_matvec(p, part, SOFTWARE_TOKENS, MATVEC_MAX + 1, 0, err);
    return plan_matmat(p, part, err);
}

/* steps of up to MATVEC_MAX or, from `units` on, below that, as far as they are not done elsewhere */
static bool plan_small_steps(struct op_plan *p, const struct matmul_part *part, uint32_t units, struct error *err)
{
    static const struct {
        uint32_t tokens, min, max;
    } ranges[] = {{1, 1, 1}, {4, 2, 4}, {MATVEC_TOKENS, 5, 8}, {MATVEC_TOKENS, 9, MATVEC_MAX}};
    const uint32_t but = part->m->but, from = units_few_from(p, part->m);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].min > but && (!from || ranges[i].min < from) &&
            !plan_matvec(p, part, ranges[i].tokens, ranges[i].min, ranges[i].max, err))
            return false;
    return !from || plan_units_few(p, part, from > but ? from : but + 1, units ? units - 1 : MATVEC_MAX, err);
}

bool matmul_plan_kernels(struct op_plan *p, const struct matmul_plan *m, struct error *err)
{
    const struct plan_weight *w = &p->w[m->weight];
    const uint32_t units = units_from(p, m);
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->mixed ? "mixed" : w->q->codec);
    for (uint32_t i = 0; i < w->n_parts; i++) {
        uint32_t first = i * w->rows_per_part;
        uint32_t last = w->rows - first < w->rows_per_part ? w->rows : first + w->rows_per_part;
        struct matmul_part part = {.m = m, .codec = codec, .index = i};
        part.params = (struct matmul_params){
            .rows = last - first,
            .row_at = m->y_at + first,
            .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
            .quads = p->in_cols[matmul_is_q8(p, m) ? IN_Q8 : 0] / 4,
            .out_cols = p->out_cols[0],
            .on_outputs = p->rows == ROWS_OUTPUTS,
            .combine = p->args->combine,
            .has_bias = p->w[m->bias].q != NULL,
        };
        matmul_cut_segments(m, first, last, &part.params);
        if (!plan_small_steps(p, &part, units, err) || !plan_many(p, &part, units, err)) return false;
    }
    /* a matvec and matrix units write int8 by themselves */
    return !p->out_cols[OUT_Q8] || units || plan_is_software(p) || plan_quantize_output(p, MATVEC_MAX + 1, err);
}
