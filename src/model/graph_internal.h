/* graph_internal.h - what the recording of operations is made of (graph.c), for graph_ops.c and graph_products.c. After a
 * failure all of them do nothing and return 0. */
#ifndef CORVID_MODEL_GRAPH_INTERNAL_H
#define CORVID_MODEL_GRAPH_INTERNAL_H

#include "model/graph.h"

/* A value that the next call makes; cols is a multiple of 4. */
val graph_add_value(struct graph *g, uint32_t cols, enum rows_of rows);

/* A value that only the next call's own dispatches use; absent if cols is 0. */
val graph_add_scratch(struct graph *g, uint32_t cols, enum rows_of rows);

/* Appends the call. */
void graph_record(struct graph *g, struct op_call call);

/* The same; its output 0 is a new value, which is returned. */
val graph_one_output(struct graph *g, struct op_call call, uint32_t cols, enum rows_of rows);

uint32_t graph_cols(const struct graph *g, val x); /* 0 if absent */
enum rows_of graph_rows_like(const struct graph *g, val x);

/* Fails unless x, which the message calls `what`, has (at least) so many columns; unless the vector has n values. */
void graph_expect(struct graph *g, const char *op, const char *what, val x, uint32_t cols);
void graph_expect_at_least(struct graph *g, const char *op, const char *what, val x, uint32_t cols);
void graph_expect_vector(struct graph *g, const char *op, const char *what, weight w, uint32_t n);

/* An empty stack; `part`, or so many rows of zeros if it is absent, goes to its end. */
weight graph_add_stack(struct graph *g, bool is_vector);
void graph_push_part(struct graph *g, weight stack, weight part, uint32_t rows, uint32_t cols);

/* weights of a call of op_products: [0 .. n) the matrices, [MAX_PRODUCTS] the biases, then stacks of neighbours of one kind */
enum { PRODUCTS_BIAS = MAX_PRODUCTS, PRODUCTS_STACKS = MAX_PRODUCTS + 1 };

#endif
