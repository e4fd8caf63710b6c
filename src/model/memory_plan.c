/* memory_plan.c - like register allocation over the straight list of calls: at each call its outputs take buffers that
 * no living value holds, the best fitting and longest free first. See memory_plan.h. */
#include "model/memory_plan.h"

struct slot {
    uint32_t free_from; /* the call from which on nobody needs the buffer */
};

static uint64_t value_bytes(const struct graph_value *v, struct step_limits limits)
{
    return value_rows(v, limits) * (uint64_t)value_row_words(v) * sizeof(uint32_t);
}

/* the free buffer that wastes least; else the largest, to grow; n_buffers if none is free */
static uint32_t find_free(const struct memory_plan *p, const struct slot *slots, uint32_t call, uint64_t need)
{
    uint32_t best = p->n_buffers;
    for (uint32_t i = 0; i < p->n_buffers; i++) {
        if (slots[i].free_from > call) continue;
        if (best == p->n_buffers) {
            best = i;
            continue;
        }
        uint64_t a = p->bytes[i], b = p->bytes[best];
        bool fits = a >= need, best_fits = b >= need;
        if (fits != best_fits ? fits : a != b ? (fits ? a < b : a > b) : slots[i].free_from < slots[best].free_from)
            best = i;
    }
    return best;
}

static void place(struct memory_plan *plan, const struct graph *g, uint32_t id, uint64_t need, struct slot *slots)
{
    const struct graph_value *v = &g->values[id];
    uint32_t b = find_free(plan, slots, v->made, need);
    if (b == plan->n_buffers) plan->n_buffers++;
    if (plan->bytes[b] < need) plan->bytes[b] = need;
    slots[b].free_from = g->logits.id == id ? UINT32_MAX : v->last + 1;
    plan->buffer_of[id] = b;
}

bool memory_plan_make(struct memory_plan *plan, const struct graph *g, struct step_limits limits, struct arena *arena,
                      struct error *err)
{
    plan->n_buffers = 0;
    plan->buffer_of = arena_alloc(arena, g->n_values, sizeof *plan->buffer_of);
    plan->bytes = arena_alloc(arena, g->n_values, sizeof *plan->bytes);
    struct slot *slots = arena_alloc(arena, g->n_values, sizeof *slots);
    if (!plan->buffer_of || !plan->bytes || !slots) return fail_memory(err, "the memory plan");
    for (uint32_t call = 0; call <= g->n_calls; call++) {
        for (uint32_t id = 1; id < g->n_values; id++)
            if (g->values[id].made == call) place(plan, g, id, value_bytes(&g->values[id], limits), slots);
    }
    return true;
}
