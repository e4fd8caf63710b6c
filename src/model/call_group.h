/* call_group.h - the calls of a graph that are alike (same op, shapes and types; other layers' weights), recorded once
 * more as a graph of their own, which an executor runs by itself: for measuring an op as the model uses it. */
#ifndef CORVID_MODEL_CALL_GROUP_H
#define CORVID_MODEL_CALL_GROUP_H

#include "model/graph.h"

/* first_alike[i]: the first call that is like call i (perhaps i). */
void call_groups_find(const struct graph *g, uint32_t *first_alike);

/* Records n calls into out (initialised here): those like call `first`, again from the first when they are used up. If they
 * have a state, there are n_states of it, which they use in turns.
 * Their inputs are the same values, [1 ..] in out->values in the order of op_call.in; each call writes where the one
 * before it wrote, and so waits for it. out's weights are g's data, which must outlive it. */
bool call_group_record(struct graph *out, const struct graph *g, const uint32_t *first_alike, uint32_t first,
                       uint32_t n, uint32_t n_states, struct error *err);

/* What a call reads on the device: its weights and `slots` copies of its state. */
uint64_t call_bytes(const struct graph *g, const struct op_call *c, uint32_t slots);

#endif
