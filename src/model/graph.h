/* graph.h - a model's forward pass, recorded once as a flat list of op_calls (ops/op.h).
 *
 * The recording serves every use: GPU decode and prefill, the scalar reference, `corvid explain`, the memory plan, the
 * list of tensors that a file must have. Tokens of a step are known only when it runs.
 * The first failure sticks to the graph (graph_ok tells); recording on is then harmless. Not thread-safe. */
#ifndef CORVID_MODEL_GRAPH_H
#define CORVID_MODEL_GRAPH_H

#include "base/arena.h"
#include "file/model_file.h"
#include "ops/op.h"
#include "quant/kv_row.h"

struct graph_value {
    uint32_t cols;
    enum rows_of rows;   /* ROWS_TOKENS or ROWS_OUTPUTS; ROWS_NONE: one row whatever the step */
    uint32_t made, last; /* indices of the calls that make it and use it last */
    bool q8;             /* in int8 form (quant/q8_row.h) */
    bool scratch;        /* what an op's dispatches leave for each other; the reference does without it */
    val as_q8;           /* the same in int8 form, if there is one */
};

enum { STACK_MAX_PARTS = 8 };

struct graph_weight {
    const char *name;
    const struct quant_info *q;
    const uint8_t *data; /* file form */
    uint32_t rows, cols;
    bool vector; /* small, used as plain floats */
    /* A stack: other weights, rows one after the other, so that one kernel reads them as one. A part 0 of a vector is
     * zeros. Parts of a matrix are of one type and width, or `mixed`: floats of any, each as it is, one after the other
     * in the plane of quants. Then `q` is the first one's and `cols` the widest one's. */
    uint32_t n_parts;
    bool mixed;
    struct stack_part {
        weight w;
        uint32_t rows;
    } parts[STACK_MAX_PARTS];
    bool stacked; /* part of a stack, not used alone */
};

struct graph_state {
    const char *name;    /* "blk.3.time_mix_s" */
    uint32_t rows, cols; /* of one slot */
    bool positions;      /* a row per position (modulo rows); else the whole is one state */
    enum kv_type type;   /* of rows of positions on the device; else KV_F32 */
};

struct graph {
    struct arena arena;
    struct error error; /* code ERR_NONE while all is well */
    /* finds tensors; model files or a test's table */
    bool (*find)(void *user, const char *name, struct tensor_info *out);
    void *find_user;
    int layer;                     /* -1 outside of layers */
    const struct chooser *chooser; /* of kernels' shapes (ops/tuning.h); NULL: the usual ones */
    bool int8;                     /* products of integer weights take int8 activations; false: all floats */
    /* of steps whose products shall have the scratch that matrix units need (ops/matmul_plan.h); 0: none */
    uint32_t units_tokens, units_outputs;

    struct op_call *calls;
    struct graph_value *values; /* [0] is unused: id 0 is absent */
    struct graph_weight *weights;
    struct graph_state *states;
    uint32_t n_calls, n_values, n_weights, n_states;
    val logits; /* [O,V], set by the model */
};

/* 32-bit words of a row of the value on the device */
size_t value_row_words(const struct graph_value *v);

/* rows of a value in the largest step */
static inline uint32_t value_rows(const struct graph_value *v, struct step_limits limits)
{
    return v->rows == ROWS_TOKENS ? limits.tokens : v->rows == ROWS_OUTPUTS ? limits.outputs : 1;
}

void graph_init(struct graph *g, bool (*find)(void *user, const char *name, struct tensor_info *out), void *user);
void graph_free(struct graph *g);
bool graph_ok(const struct graph *g, struct error *err);
void graph_fail(struct graph *g, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- tensors and memory. Within a layer `name` means "blk.LAYER.name"; ".weight" is appended to a name that ends
 * neither in .weight nor in .bias ---- */

bool has_tensor(const struct graph *g, const char *name);
/* W[rows, cols]; a dimension given as 0 is taken from the file. Any type; cols a multiple of 4. */
weight matrix(struct graph *g, const char *name, uint32_t rows, uint32_t cols);
/* rows * cols values in whatever shape; becomes floats */
weight vector(struct graph *g, const char *name, uint32_t rows, uint32_t cols);
uint32_t weight_rows(const struct graph *g, weight w);
uint32_t weight_cols(const struct graph *g, weight w);
/* n vectors of `cols` floats as one [n, cols] */
weight vector_stack(struct graph *g, const weight *parts, uint32_t n, uint32_t cols);
/* the floats of a vector or a stack of vectors: out[rows * cols] */
void vector_read(const struct graph *g, const struct graph_weight *w, float *out);
/* State of `rows` x `cols` floats a slot, zero at the start of a sequence. */
state memory(struct graph *g, const char *name, uint32_t rows, uint32_t cols, bool positions);
/* Memory of positions whose rows are kept as `type`; cols: for KV_Q8 a multiple of 64, keys and then values. */
state kv_cache(struct graph *g, const char *name, uint32_t rows, uint32_t cols, enum kv_type type);

/* ---- ops, in the order of op.h ---- */

/* A value [T,cols] that a test fills in before the first call; only calls recorded later leave its memory alone. */
val op_input(struct graph *g, uint32_t cols);
val op_embed(struct graph *g, weight w, float scale);
val op_select(struct graph *g, val x);
val op_layer_norm(struct graph *g, val x, weight scale, weight bias, float eps);
val op_rms_norm(struct graph *g, val x, val residual, weight scale, float eps);
/* The norm of what op_rms_norm gives, which is *z: where a branch ends and the next begins. */
val op_rms_norms(struct graph *g, val x, val residual, weight scale, weight scale_2, float eps, val *z);
/* x in int8 form: written by x's own op where that can, else by one more op. cols: a multiple of 32 */
val op_quantize(struct graph *g, val x);
/* y[T,n*C]: n blends side by side, lerp[n,C], last[2,C] */
val op_token_shift(struct graph *g, val x, weight scale, weight bias, weight lerp, state last, float eps);

struct matmul_args {
    weight bias;
    enum act act;
    enum combine combine; /* with `other` */
    val other;
};
/* y[T,M] = act(W x + bias), then * or + other */
val op_matmul(struct graph *g, weight w, val x, struct matmul_args args);

/* one of several products that are computed together */
struct product {
    weight w, bias; /* bias may be absent */
    uint32_t x_at;  /* takes the columns from here on; a multiple of 4 */
    enum act act;
};
/* y[T, M_0 + M_1 + ..] = act_i(W_i x_i + bias_i) side by side. Fewer dispatches than one op each. n <= MAX_PRODUCTS */
val op_products(struct graph *g, val x, const struct product *products, uint32_t n);

/* y[T,F] = act(gate x) * (up x), gate and up [F,K] */
val op_gated(struct graph *g, weight gate, weight up, enum act act, val x);

struct wkv7_args {
    val rkv;        /* [T,3*C+..]: r, k, v; what follows in a row is ignored */
    val wagv;       /* [T,3*C] or [T,4*C]: w before the decay's sigmoid, a after its own, g the gate, and v's mix */
    val first_rkv;  /* [T,3*C+..]: the first layer's rkv; absent there: v += (v_first - v) v_mix */
    weight vectors; /* [5,C]: k_k, k_a, r_k, and the group norm's scale and bias */
    state s;        /* [H*N, N]: S[h,i,j], i value, j key channel */
    uint32_t head_dim;
    float eps; /* of the group norm */
};
val op_wkv7(struct graph *g, const struct wkv7_args *args);

struct rope_args {
    weight scale_q, scale_k; /* [D], RMS norm of each head before the rotation; may both be absent */
    uint32_t head_dim;       /* a multiple of 8 */
    float eps, base, rotate_scale;
};
/* qkv[T,Q+2*KV] -> q[T,Q]; keys and values go into the cache, whose rows have 2*KV columns */
val op_rope_kv(struct graph *g, val qkv, state cache, const struct rope_args *args);

struct attention_args {
    uint32_t head_dim, window; /* window 0: all positions */
    float scale;
};
val op_attention(struct graph *g, val q, state cache, const struct attention_args *args);

#endif
