/* embed.c - a row of the embedding matrix for each token.
 *
 *   y[t] = scale W[token[t]]            W[V,C] -> y[T,C]
 *   args: scale
 *
 * A matrix in several parts takes a dispatch a part, each for the tokens whose row it holds. */
#include <stdio.h>

#include "ops/op.h"

#define EMBED_PARAMS(U, F) U(row_at) U(rows) U(spans) U(vectors) F(scale)
PARAMS(embed, EMBED_PARAMS);

void embed_ref(const struct op_ref *r)
{
    uint32_t C = r->out[0].cols;
    for (uint32_t t = 0; t < r->step->n_tokens; t++) {
        float *y = r->out[0].data + (size_t)t * C;
        ref_weight_row(&r->w[0], r->step->token[t], y);
        for (uint32_t c = 0; c < C; c++) y[c] *= r->args->scale;
    }
}

bool embed_plan(struct op_plan *p, struct error *err)
{
    const struct plan_weight *w = &p->w[0];
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    uint32_t spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN), threads = plan_threads(p, 64);
    for (uint32_t part = 0; part < w->n_parts; part++) {
        uint32_t row_at = part * w->rows_per_part, rows = w->rows - row_at;
        if (rows > w->rows_per_part) rows = w->rows_per_part;
        struct embed_params params = {row_at, rows, spans, p->out_cols[0] / 4, p->args->scale};
        struct dispatch_desc d = {
            .files = {codec, "embed"},
            .consts = {{"WORKGROUP", threads}},
            .params_wgsl = embed_params_wgsl,
            .params = &params,
            .params_bytes = sizeof params,
            .operands = {operand_quants(0, part), operand_scales(0, part), operand_out(0)},
            .n_operands = 3,
            .grid = {{.fixed = (spans + threads - 1) / threads}, {1, 1, ROWS_TOKENS}},
        };
        if (!plan_dispatch(p, &d, err)) return false;
    }
    return true;
}
