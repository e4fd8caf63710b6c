/* work.c - see work.h */
#include "model/work.h"

enum { WKV_FLOPS = 9 }; /* of an element of the state: decay 1, removal 2 + 2, addition 2, readout 2 */

/* bytes of `n` weights of a matrix in the form that kernels read */
static uint64_t weight_bytes(const struct graph_weight *w, uint64_t n)
{
    uint64_t row = 4 * (quant_row_quant_words(w->q, w->cols) + quant_row_scale_words(w->q, w->cols));
    return (uint64_t)((double)n * (double)row / (double)padded_cols(w->cols));
}

static void add_matrix(struct work *work, const struct graph_weight *w, enum op_id op, uint64_t n, uint64_t part_bytes)
{
    if (op == OP_EMBED) {
        work->row_bytes += weight_bytes(w, padded_cols(w->cols)); /* one row of it for each token */
        return;
    }
    if (!n) n = part_bytes / (4 * quant_row_quant_words(w->q, w->cols)) * padded_cols(w->cols);
    work->bytes += w->mixed ? part_bytes : weight_bytes(w, n);
    work->row_flops += 2 * n;
}

struct work work_of(const struct graph *g, const struct op_call *c, const struct dispatch_desc *d,
                    const struct gpu_range *ranges)
{
    struct work work = {.op = op_table[c->op].name, .layer = c->layer};
    for (size_t i = 0; i < d->n_operands; i++) {
        const struct operand *o = &d->operands[i];
        const bool has_weight = o->kind == OPERAND_QUANTS || o->kind == OPERAND_VECTOR;
        if (has_weight && !c->w[o->index].id) continue;
        if (o->kind == OPERAND_VECTOR) work.bytes += ranges[i].bytes;
        if (o->kind == OPERAND_QUANTS)
            add_matrix(&work, &g->weights[c->w[o->index].id], c->op, d->weights, ranges[i].bytes);
        if (o->kind == OPERAND_STATE && c->s.id && !g->states[c->s.id].positions) {
            const uint64_t floats = (uint64_t)g->states[c->s.id].rows * g->states[c->s.id].cols;
            work.seq_bytes += floats * sizeof(float) * (o->access == 'w' ? 2 : 1);
            if (c->op == OP_WKV7) work.row_flops += WKV_FLOPS * floats;
        }
    }
    return work;
}

void work_describe(const struct work *w, struct gpu *gpu, uint32_t rows, uint32_t seqs)
{
    const struct gpu_work work = {.op = w->op,
                                  .layer = w->layer,
                                  .bytes = w->bytes + rows * w->row_bytes + seqs * w->seq_bytes,
                                  .flops = rows * w->row_flops};
    gpu_describe_next(gpu, &work);
}
