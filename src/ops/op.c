/* op.c - the op table, steps, and what ops share. */
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

#include "quant/q8_row.h"

const struct op_info op_table[OP_COUNT] = {
#define X(name, prefix, formula, shapes) [OP_##name] = {#name, formula, shapes, prefix##_ref, prefix##_plan},
    OPS(X)
#undef X
};

enum { STEP_HEADER = 4 };

size_t step_words(struct step_limits l) { return STEP_HEADER + 3 * (size_t)l.tokens + 3 * (size_t)l.seqs + l.outputs; }

bool step_init(struct step *s, struct step_limits limits, struct error *err)
{
    *s = (struct step){.limits = limits};
    s->n_words = step_words(limits);
    s->words = calloc(s->n_words, sizeof *s->words);
    if (!s->words) return fail_memory(err, "a step");
    uint32_t *at = s->words + STEP_HEADER;
    s->token = at, at += limits.tokens;
    s->position = at, at += limits.tokens;
    s->seq = at, at += limits.tokens;
    s->first = at, at += limits.seqs;
    s->count = at, at += limits.seqs;
    s->slot = at, at += limits.seqs;
    s->output = at;
    return true;
}

void step_clear(struct step *s) { s->n_tokens = s->n_seqs = s->n_outputs = 0; }

void step_seal(struct step *s)
{
    s->words[0] = s->n_tokens;
    s->words[1] = s->n_seqs;
    s->words[2] = s->n_outputs;
}

void step_free(struct step *s)
{
    free(s->words);
    *s = (struct step){0};
}

void ref_weight_row(const struct ref_weight *w, uint32_t row, float *out)
{
    if (w->vector) {
        memcpy(out, w->vector + (size_t)row * w->cols, w->cols * sizeof *out);
        return;
    }
    size_t row_bytes = w->cols / w->q->items * (size_t)w->q->block_bytes;
    w->q->decode(w->data + row * row_bytes, out, w->cols);
}

/* by blocks, so that no memory is needed for a row */
void ref_quantize(const struct ref_value *from, const struct ref_value *to)
{
    uint32_t block[Q8_BLOCK / 4 + 4];
    size_t n = (size_t)from->rows * from->cols;
    for (size_t at = 0; at < n; at += Q8_BLOCK) {
        q8_row_encode(from->data + at, Q8_BLOCK, block);
        q8_row_decode(block, Q8_BLOCK, to->data + at);
    }
}

/* unless it is there */
static void add_file(struct dispatch_desc *d, const char *name)
{
    size_t i = 0;
    while (d->files[i] && strcmp(d->files[i], name) != 0) i++;
    d->files[i] = name;
}

void plan_q8_output(const struct op_plan *p, struct dispatch_desc *d)
{
    size_t n = 0;
    while (d->consts[n].name) n++;
    const bool q8 = p->out_cols[OUT_Q8] > 0;
    d->consts[n++] = (struct kernel_const){"FLOATS", !q8 || p->floats_read};
    add_file(d, q8 ? "q8/store" : "q8/none");
    if (!q8) return;
    add_file(d, "q8/pack");
    add_file(d, plan_octet(p));
    d->consts[n] = (struct kernel_const){"Q8_BINDING", (uint32_t)(2 + d->n_operands)};
    d->operands[d->n_operands++] = operand_out(OUT_Q8);
}

bool plan_is_software(const struct op_plan *p) { return !strcmp(p->device->kind, "software"); }

const char *plan_octet(const struct op_plan *p)
{
    return p->device->subgroups && p->device->subgroup_size >= 8 ? "q8/octet_subgroup" : "q8/octet_workgroup";
}

const char *plan_reduce(const struct op_plan *p)
{
    return p->device->subgroups ? "reduce/subgroup" : "reduce/workgroup";
}

uint32_t plan_threads(const struct op_plan *p, uint32_t want)
{
    while (want > p->device->max_workgroup_threads) want /= 2;
    return want;
}

uint32_t plan_row_threads(const struct op_plan *p, uint32_t cols)
{
    uint32_t threads = power_of_two_from(cols / 4);
    return plan_threads(p, threads < 256 ? threads : 256);
}
