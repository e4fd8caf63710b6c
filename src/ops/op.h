/* op.h - the operations that models are made of.
 *
 * An op is one file ops/NAME.c: its formula and shapes, the scalar reference (NAME_ref, the definition), and the choice
 * of kernels (NAME_plan). Its kernels are ops/NAME/... .wgsl. Models record op_calls (model/graph.h); an executor runs
 * them for every step: exec_ref.c calls NAME_ref, exec_gpu.c dispatches what NAME_plan asked for.
 *
 * Letters for shapes: T tokens of a step, O of them whose logits are wanted, S sequences, C embedding, V vocabulary,
 * M and K rows and columns of a matrix, H heads, N or D head size, F hidden size of the channel mix or MLP, P positions.
 * Activations are f32, row-major [T, cols], cols a multiple of 4. */
#ifndef CORVID_OPS_OP_H
#define CORVID_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu/gpu.h"
#include "quant/kv_row.h"
#include "quant/quant.h"

/* name, function prefix, formula, shapes; `?` marks what may be absent */
#define OPS(X)                                                                                                         \
    X(EMBED, embed, "y = scale W[token]", "W[V,C] -> y[T,C]")                                                          \
    X(SELECT, select, "y = x[rows whose logits are wanted]", "x[T,C] -> y[O,C]")                                       \
    X(LAYER_NORM, layer_norm, "y = (x - mean(x)) / sd(x) * scale + bias", "x[T,C] scale[C] bias[C] -> y[T,C]")         \
    X(RMS_NORM, rms_norm, "z = x / rms(x) * scale + residual; y = z, or z / rms(z) * scale_2",                         \
      "x[T,C] residual[T,C]? scale[C] scale_2[C]? -> y[T,C] z[T,C]?")                                                  \
    X(TOKEN_SHIFT, token_shift, "h = layer_norm(x); y_i = h + (h of the token before - h) lerp_i",                     \
      "x[T,C] (scale,bias,lerp_i)[2+n,C] S[2,C] -> y[T,n*C]")                                                          \
    X(QUANTIZE, quantize, "y = round(x / d), d = max |x| / 127 of 32 neighbours", "x[T,K] -> y[T,K] in int8")          \
    X(MATMUL, matmul, "y = f(W x + bias) (* or + other)", "W[M,K] x[T,K] bias[M]? other[T,M]? -> y[T,M]")              \
    X(PRODUCTS, products, "y_i = f_i(W_i x_i + bias_i), side by side",                                                 \
      "W_i[M_i,K_i] x[T,K], x_i some K_i columns of it, bias[sum M_i]? -> y[T,sum M_i]")                               \
    X(GATED, gated, "y = v[:, 0 .. F) * v[:, F .. 2F)", "v[T,2*F] -> y[T,F]")                                          \
    X(WKV7, wkv7, "S = S diag(d) - (S kk)(kk a)^T + v k^T; y = g (norm(S r) + bonus)",                                 \
      "rkv[T,3*C+..] wag[T,3*C] or wagv[T,4*C] first_rkv[T,3*C+..]? (k_k,k_a,r_k,ln,ln_b)[5,C] S[H,N,N] -> y[T,C]")    \
    X(ROPE_KV, rope_kv,                                                                                                \
      "y = rope(q); S[position] = (rope(k), v); rope(x) = rotate(x / rms_head(x) * scale, position)",                  \
      "qkv[T,H*D+2*KV] scale_q[D]? scale_k[D]? S[P,2*KV] -> y[T,H*D]")                                                 \
    X(ATTENTION, attention, "y = softmax(scale q K^T) V", "q[T,H*D] S[P,2*KV] -> y[T,H*D]")

enum op_id {
#define X(name, prefix, formula, shapes) OP_##name,
    OPS(X)
#undef X
        OP_COUNT
};

/* handles into a graph; 0 is absent */
/* clang-format off */
typedef struct { uint32_t id; } val;    /* an activation, valid within one step */
typedef struct { uint32_t id; } weight; /* a tensor of the model */
typedef struct { uint32_t id; } state;  /* memory from step to step, one copy a slot (sequence) */
/* clang-format on */

enum act { ACT_NONE, ACT_SIGMOID, ACT_TANH, ACT_RELU2, ACT_SILU, ACT_GELU };
enum combine { COMBINE_NONE, COMBINE_ADD, COMBINE_MUL }; /* what a matmul does with `other` */

enum { OP_MAX_INPUTS = 4, OP_MAX_WEIGHTS = 18, OP_MAX_OUTPUTS = 4, MAX_PRODUCTS = 8 };

/* Activations in int8 form (quant/q8_row.h): input IN_Q8 of a product whose weights are integers, in the place of or
 * beside input 0; output OUT_Q8 of any op, its output 0 in that form. Output OUT_MORE is a second result, or
 * scratch: what an op's dispatches leave for each other, and the reference does without; OUT_HALVES is scratch for x in
 * f16. */
enum { IN_Q8 = 2, OUT_Q8 = 1, OUT_MORE = 2, OUT_HALVES = 3 };

/* A product of what a token shift made knows that one's input, vectors and state too, so that a kernel for few tokens
 * can do both (plan_take_over). */
enum { IN_UNSHIFTED = 3, W_SHIFT = 17 };

/* Weights of wkv7 beside its vectors, where thin products of columns of its rkv make wagv: their biases, their stack, and
 * each; args.products has their columns. For a kernel that does both. */
enum { WKV7_UP_BIAS = 1, WKV7_UP, WKV7_UPS, WKV7_FUSED_ROWS = 8 };

/* scalars of a call; an op uses the ones that its file names */
struct op_args {
    enum act act;
    enum combine combine;
    uint32_t head_dim, window; /* window: positions that attention looks back at, 0: all */
    float eps, scale, base;    /* base: of the rotation's frequencies */
    float rotate_scale;        /* positions are divided by this (linear RoPE scaling) */
    uint32_t n_products;
    struct product_args {
        uint32_t x_at; /* first column of x */
        enum act act;
    } products[MAX_PRODUCTS];
};

struct op_call {
    enum op_id op;
    int layer; /* -1 outside of layers */
    val in[OP_MAX_INPUTS];
    weight w[OP_MAX_WEIGHTS];
    val out[OP_MAX_OUTPUTS];
    state s;
    struct op_args args;
};

/* ---- a step ---- */

struct step_limits {
    uint32_t tokens, seqs, outputs; /* at most, in one step */
};

/* What the tokens of one step are. `words` is the image that kernels read as `batch` (ops/batch.wgsl). A sequence's
 * tokens are consecutive rows, behind those of the sequence before it. */
struct step {
    uint32_t n_tokens, n_seqs, n_outputs;
    struct step_limits limits;
    uint32_t *words;
    size_t n_words;
    uint32_t *token, *position, *seq; /* [T]: id, place in its sequence from 0, index of its sequence in the step */
    uint32_t *first, *count, *slot;   /* [S]: first row, rows, state slot */
    uint32_t *output;                 /* [O]: row of x */
};

size_t step_words(struct step_limits limits); /* of the image */
bool step_init(struct step *s, struct step_limits limits, struct error *err);
void step_clear(struct step *s); /* no tokens */
void step_seal(struct step *s);  /* writes the counts into the image; before it is run */
void step_free(struct step *s);  /* accepts a zeroed step */

/* ---- the scalar reference ---- */

struct ref_value {
    float *data; /* [rows, cols] */
    uint32_t rows, cols;
};

struct ref_weight {
    const struct quant_info *q;
    const uint8_t *data; /* file form */
    uint32_t rows, cols;
    const float *vector; /* [rows, cols] as floats where the weight is a vector; else NULL */
};

struct op_ref {
    const struct op_args *args;
    const struct step *step;
    struct ref_value in[OP_MAX_INPUTS], out[OP_MAX_OUTPUTS]; /* data is NULL where absent */
    struct ref_weight w[OP_MAX_WEIGHTS];                     /* q is NULL where absent */
    float *state;                                            /* [slots, state_stride] */
    size_t state_stride;
    uint32_t state_rows, state_cols;
    enum kv_type state_type; /* what is written is rounded to it */
    float *scratch;          /* one row of the widest weight */
};

/* to = from as int8 form holds it, as floats */
void ref_quantize(const struct ref_value *from, const struct ref_value *to);

/* The weights of one row of a matrix as floats: out[cols]. */
void ref_weight_row(const struct ref_weight *w, uint32_t row, float *out);

/* ---- kernels ---- */

/* how many rows a dispatch has to do depends on the step */
enum rows_of { ROWS_NONE, ROWS_TOKENS, ROWS_OUTPUTS, ROWS_SEQS };

/* a dispatch's size in one dimension: fixed * ceil(rows / per), `rows` of the step; ROWS_NONE: fixed */
struct grid {
    uint32_t fixed, per;
    enum rows_of rows;
};

enum operand_kind {
    OPERAND_NONE,
    OPERAND_IN,
    OPERAND_OUT,
    OPERAND_QUANTS,
    OPERAND_SCALES,
    OPERAND_VECTOR,
    OPERAND_STATE
};

/* what a binding holds */
struct operand {
    enum operand_kind kind;
    uint8_t index; /* of op_call.in, .out or .w */
    uint8_t part;  /* of a matrix that is too large for one binding */
    char access;   /* 'r' or 'w' */
};

/* An absent (0) in, out, weight or state binds a small dummy buffer. */
static inline struct operand operand_in(unsigned i) { return (struct operand){OPERAND_IN, (uint8_t)i, 0, 'r'}; }
static inline struct operand operand_out(unsigned i) { return (struct operand){OPERAND_OUT, (uint8_t)i, 0, 'w'}; }
static inline struct operand operand_vector(unsigned i) { return (struct operand){OPERAND_VECTOR, (uint8_t)i, 0, 'r'}; }
static inline struct operand operand_quants(unsigned i, unsigned part)
{
    return (struct operand){OPERAND_QUANTS, (uint8_t)i, (uint8_t)part, 'r'};
}
static inline struct operand operand_scales(unsigned i, unsigned part)
{
    return (struct operand){OPERAND_SCALES, (uint8_t)i, (uint8_t)part, 'r'};
}
/* Scratch (OUT_MORE, OUT_HALVES), which one dispatch of the op writes and the next reads. */
static inline struct operand operand_scratch(unsigned i, char access)
{
    return (struct operand){OPERAND_OUT, (uint8_t)i, 0, access};
}
static inline struct operand operand_state(char access) { return (struct operand){OPERAND_STATE, 0, 0, access}; }

enum { DISPATCH_MAX_FILES = 14, DISPATCH_MAX_CONSTS = 16, DISPATCH_MAX_OPERANDS = 8, PARAMS_MAX_BYTES = 256 };

struct kernel_const {
    const char *name; /* NULL ends the list */
    uint32_t value;
};

/* One dispatch of a kernel. The kernel's text is a generated preamble (consts as `const NAME = VALUEu;`, struct Params,
 * the bindings 0 `params` and 1 `batch`) and then `files`, whole WGSL snippets that meet at named functions.
 * Its operands are the bindings from 2 on. */
struct dispatch_desc {
    const char *files[DISPATCH_MAX_FILES]; /* names below ops/ without .wgsl, e.g. "matmul/matvec", "codec/q8_0" */
    struct kernel_const consts[DISPATCH_MAX_CONSTS];
    bool f16;          /* `Real` in the text is f16 (needs shader-f16), else f32 */
    bool matrix_units; /* the text has cooperative matrices */
    /* files[0] names a SPIR-V kernel (spirv.h) instead, which gets consts, limits and, if baked, params as specialisation
     * constants by name; consts has WORKGROUP */
    bool spirv;
    /* params are constants of the kernel, which then waits for nothing before its first loads; layers share it where
     * theirs are the same */
    bool baked;
    const char *params_wgsl; /* "struct Params {...}", from PARAMS() below */
    const void *params;
    size_t params_bytes;
    struct operand operands[DISPATCH_MAX_OPERANDS];
    size_t n_operands;
    struct grid grid[3]; /* a zeroed one is 1 */
    uint64_t weights;    /* of its matrix that it reads once for all its rows, for profiles; 0: all of the part */
    /* The dispatch is left out of steps where the op's rows (T or O, of its first output) are not in this range;
     * max 0: no upper end. So an op plans one kernel for few rows and another for many. */
    uint32_t min_rows, max_rows;
    /* likewise of the longest run, the most tokens of one sequence in the step */
    uint32_t min_run, max_run;
};

struct plan_weight {
    const struct quant_info *q; /* NULL: absent */
    uint32_t rows, cols;
    uint32_t rows_per_part, n_parts; /* row r lies in part r / rows_per_part, there in row r % rows_per_part */
    bool mixed;                      /* a stack of floats, each part in its own type and width */
    float largest;                   /* a part of such a stack, F32 or BF16: its largest |w|, if need be inf or NaN */
};

struct chooser;

/* what an op knows when it chooses its kernels */
struct op_plan {
    const struct op_args *args;
    const struct gpu_info *device; /* features, after the user's choices */
    struct step_limits limits;
    uint32_t in_cols[OP_MAX_INPUTS], out_cols[OP_MAX_OUTPUTS]; /* 0: absent */
    enum rows_of rows;                                         /* of the outputs: ROWS_TOKENS or ROWS_OUTPUTS */
    bool exact;                                                /* weights keep all their digits */
    bool floats_read; /* some call reads output 0; otherwise only OUT_Q8, if it is there, has to be written */
    struct plan_weight w[OP_MAX_WEIGHTS];
    uint32_t state_rows, state_cols, state_stride; /* words of a slot: rows of kv_row_words, padded */
    enum kv_type state_type;
    const struct chooser *chooser; /* of shapes (ops/tuning.h); NULL: the usual ones */
    void *executor;
    bool (*dispatch)(void *executor, const struct dispatch_desc *d, struct error *err);
    bool (*take_over)(void *executor, unsigned input, uint32_t max_rows);
};

static inline bool plan_dispatch(struct op_plan *p, const struct dispatch_desc *d, struct error *err)
{
    return p->dispatch(p->executor, d, err);
}

/* For steps of up to max_rows rows this op's kernels also do the work of the one that makes the input, whose dispatches
 * are then left out. False, and nothing is changed, if anyone else reads what that op makes. */
static inline bool plan_take_over(struct op_plan *p, unsigned input, uint32_t max_rows)
{
    return p->take_over(p->executor, input, max_rows);
}

/* "reduce/subgroup" or "reduce/workgroup": the file that gives lanes_sum and lanes_max on this device */
const char *plan_reduce(const struct op_plan *p);

/* the device is the CPU */
bool plan_is_software(const struct op_plan *p);

/* "q8/octet_subgroup" or "q8/octet_workgroup": the file that gives octet_sum and octet_max on this device */
const char *plan_octet(const struct op_plan *p);

/* Adds to a dispatch what its kernel needs for q8_store: the file and binding where output OUT_Q8 is wanted, else a file
 * that does nothing; and FLOATS: 1 if output 0 is to be written too. After the kernel's own files, consts, operands. */
void plan_q8_output(const struct op_plan *p, struct dispatch_desc *d);

/* Output OUT_Q8 from output 0, for steps of min_rows rows and more. */
bool plan_quantize_output(struct op_plan *p, uint32_t min_rows, struct error *err);

/* The largest power of two <= want that the device allows as workgroup size. */
uint32_t plan_threads(const struct op_plan *p, uint32_t want);

/* Threads of a workgroup that holds a row of `cols` values, 4 or more a thread. */
uint32_t plan_row_threads(const struct op_plan *p, uint32_t cols);

/* The smallest power of two >= n, n > 0. */
static inline uint32_t power_of_two_from(uint32_t n)
{
    uint32_t power = 1;
    while (power < n) power *= 2;
    return power;
}

/* ---- the table ---- */

struct op_info {
    const char *name, *formula, *shapes;
    void (*ref)(const struct op_ref *r);
    bool (*plan)(struct op_plan *p, struct error *err);
};

extern const struct op_info op_table[OP_COUNT];

#define X(name, prefix, formula, shapes)                                                                               \
    void prefix##_ref(const struct op_ref *r);                                                                         \
    bool prefix##_plan(struct op_plan *p, struct error *err);
OPS(X)
#undef X

/* ---- params: declared once, for C and for WGSL ----
 *
 *   #define NORM_PARAMS(U, F) U(cols) F(eps)
 *   PARAMS(norm, NORM_PARAMS);
 *
 * makes `struct norm_params { uint32_t cols; float eps; }` and `norm_params_wgsl`. */
#define PARAMS_C_U(name) uint32_t name;
#define PARAMS_C_F(name) float name;
#define PARAMS_WGSL_U(name) #name ": u32, "
#define PARAMS_WGSL_F(name) #name ": f32, "
#define PARAMS(op, LIST)                                                                                               \
    struct op##_params {                                                                                               \
        LIST(PARAMS_C_U, PARAMS_C_F)                                                                                   \
    };                                                                                                                 \
    static const char op##_params_wgsl[] = "struct Params { " LIST(PARAMS_WGSL_U, PARAMS_WGSL_F) "}\n";                \
    _Static_assert(sizeof(struct op##_params) <= PARAMS_MAX_BYTES, "params fit their slot")

#endif
