/* explain.h - a recorded graph as text for people, one line an op. */
#ifndef CORVID_MODEL_EXPLAIN_H
#define CORVID_MODEL_EXPLAIN_H

#include "base/builder.h"
#include "model/graph.h"

/* Appends the ops with their formulas, shapes, tensors and buffers, then what memory they take. */
bool explain(const struct graph *g, struct step_limits limits, struct builder *out, struct error *err);

#endif
