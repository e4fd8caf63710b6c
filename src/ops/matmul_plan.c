/* matmul_plan.c - see matmul_plan.h */
#include "ops/matmul_plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "quant/q8_row.h"

/* rows of the planes give columns of y from row_at on; segment i ends before row end_i */
/* clang-format off */
#define MATMUL_PARAMS(U, F)                                                                                  \
    U(rows) U(row_at) U(spans) U(quads) U(out_cols) U(on_outputs) U(combine) U(has_bias)                      \
    U(first_thin) U(thin_groups) U(thin_spans)                                                               \
    U(end0) U(end1) U(end2) U(end3) U(end4) U(end5) U(end6)                                                  \
    U(x_at0) U(x_at1) U(x_at2) U(x_at3) U(x_at4) U(x_at5) U(x_at6) U(x_at7)                                  \
    U(used0) U(used1) U(used2) U(used3) U(used4) U(used5) U(used6) U(used7)                                  \
    U(act0) U(act1) U(act2) U(act3) U(act4) U(act5) U(act6) U(act7)
/* clang-format on */
PARAMS(matmul, MATMUL_PARAMS);

enum { MATVEC_TOKENS = 8, MATVEC_MAX = 48 }; /* a matvec does 8 at once; steps of more than 48 go to matmat */

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

static uint32_t power_of_two_up_to(uint32_t limit)
{
    uint32_t n = 1;
    while (2 * n <= limit) n *= 2;
    return n;
}

/* where segment i of the dispatch begins; all of them end where those that are not there begin */
static uint32_t segment_at(const struct matmul_params *m, uint32_t i)
{
    const uint32_t at[] = {0, m->end0, m->end1, m->end2, m->end3, m->end4, m->end5, m->end6, m->rows};
    return at[i];
}

/* that the segments of a dispatch read: rows by the columns they use */
static uint64_t count_weights(const struct matmul_params *m)
{
    const uint32_t used[] = {m->used0, m->used1, m->used2, m->used3, m->used4, m->used5, m->used6, m->used7};
    uint64_t spans = 0;
    for (uint32_t i = 0; i < MAX_PRODUCTS; i++) spans += (uint64_t)(segment_at(m, i + 1) - segment_at(m, i)) * used[i];
    return spans * QUANT_SPAN;
}

/* the weights are integers and there is an x in int8 form for them */
static bool is_q8(const struct op_plan *p, const struct matmul_plan *m)
{
    return p->in_cols[IN_Q8] && !quant_is_float(p->w[m->weight].q);
}

static struct dispatch_desc describe(const struct op_plan *p, const struct matmul_plan *m, const char *kernel,
                                     const char *codec, uint32_t part, const struct matmul_params *params)
{
    return (struct dispatch_desc){
        .files = {kernel, codec, "matmul/epilogue", "activation"},
        .params_wgsl = matmul_params_wgsl,
        .params = params,
        .params_bytes = sizeof *params,
        .operands = {operand_quants(m->weight, part), operand_scales(m->weight, part),
                     operand_in(is_q8(p, m) ? IN_Q8 : 0), operand_vector(m->bias), operand_in(1), operand_out(0)},
        .n_operands = 6,
        .weights = count_weights(params),
    };
}

/* how the threads of a matvec share the work */
struct matvec_shape {
    uint32_t threads, lanes, rows;
};

static uint32_t group_rows(struct matvec_shape s) { return s.threads / s.lanes * s.rows; }

/* Floats: rows of a thread share the loads of x; for a single token and a small matrix, more threads count for more. */
static struct matvec_shape choose_float_shape(const struct op_plan *p, uint32_t rows, uint32_t spans,
                                              uint32_t max_tokens)
{
    struct matvec_shape s = {.threads = plan_threads(p, 128), .lanes = power_of_two_up_to(spans < 64 ? spans : 64)};
    s.rows = max_tokens > 1 || rows >= 16384 ? 4 : 1;
    if (p->out_cols[OUT_Q8]) s.rows = 4;
    return s;
}

/* Integers: latency bounds them, so that what counts is many threads with few blocks each. */
static struct matvec_shape choose_q8_shape(const struct op_plan *p, uint32_t rows, uint32_t blocks, uint32_t max_tokens)
{
    struct matvec_shape s = {.threads = plan_threads(p, 128), .lanes = rows < 4096 ? 32 : 16, .rows = 1};
    while (s.lanes < 64 && blocks / s.lanes > 8) s.lanes *= 2;
    while (s.lanes > blocks) s.lanes /= 2;
    if (max_tokens > MATVEC_TOKENS) s.rows = 4;
    if (!p->out_cols[OUT_Q8]) return s;
    s.threads = plan_threads(p, max_tokens == 1 ? 512 : 128);
    s.rows = s.threads >= 512 ? 1 : 4;
    return s;
}

/* Software Vulkan: a processor's core does a subgroup at a time, so that few threads with much work each cost least. */
static struct matvec_shape choose_software_shape(const struct op_plan *p, uint32_t steps)
{
    return (struct matvec_shape){.threads = plan_threads(p, 64), .lanes = steps < 2 ? 1 : 2, .rows = 4};
}

static struct matvec_shape choose_shape(const struct op_plan *p, const struct matmul_plan *m,
                                        const struct matmul_params *params, uint32_t max_tokens)
{
    struct matvec_shape s = plan_is_software(p) ? choose_software_shape(p, params->spans / 2)
                            : is_q8(p, m)       ? choose_q8_shape(p, params->rows, params->spans / 2, max_tokens)
                                                : choose_float_shape(p, params->rows, params->spans, max_tokens);
    while (params->rows / group_rows(s) >= p->device->max_groups && s.lanes > 1) s.lanes /= 2;
    /* whole blocks of int8 output a workgroup */
    while (p->out_cols[OUT_Q8] && group_rows(s) < Q8_BLOCK) s.lanes /= 2;
    return s;
}

/* steps of min_tokens to max_tokens, `tokens` at a time */
static bool plan_matvec(struct op_plan *p, const struct matmul_plan *m, const char *codec, uint32_t part,
                        const struct matmul_params *params, uint32_t tokens, uint32_t min_tokens, uint32_t max_tokens,
                        struct error *err)
{
    const struct matvec_shape s = choose_shape(p, m, params, max_tokens);
    const bool q8_out = p->out_cols[OUT_Q8] > 0;
    struct dispatch_desc d = describe(p, m, "matmul/matvec", codec, part, params);
    d.files[4] = "matmul/segment";
    d.files[5] = plan_reduce(p);
    d.files[6] = is_q8(p, m) ? "matmul/sums_q8" : "matmul/sums_float";
    d.files[7] = q8_out ? "matmul/store_q8" : "matmul/store_f32";
    size_t n = 0;
    d.consts[n++] = (struct kernel_const){"WORKGROUP", s.threads};
    d.consts[n++] = (struct kernel_const){"LANES", s.lanes};
    d.consts[n++] = (struct kernel_const){"ROWS", s.rows};
    d.consts[n++] = (struct kernel_const){"TOKENS", tokens};
    if (is_q8(p, m)) d.consts[n++] = (struct kernel_const){"BLOCKS", params->spans / 2};
    if (q8_out) {
        d.consts[n++] = (struct kernel_const){"GROUP_ROWS", group_rows(s)};
        plan_q8_output(p, &d);
    }
    d.grid[0] = (struct grid){.rows = p->rows, .per = tokens};
    d.grid[1] = (struct grid){.fixed = (params->rows + group_rows(s) - 1) / group_rows(s)};
    d.min_rows = min_tokens;
    d.max_rows = max_tokens;
    return plan_dispatch(p, &d, err);
}

/* tiles of `tile_rows` rows, none of which lies in two segments */
static uint32_t count_tiles(const struct matmul_params *m, uint32_t tile_rows)
{
    uint32_t tiles = 0;
    for (uint32_t i = 0; i < MAX_PRODUCTS; i++)
        tiles += (segment_at(m, i + 1) - segment_at(m, i) + tile_rows - 1) / tile_rows;
    return tiles;
}

/* steps of more than MATVEC_MAX */
static bool plan_matmat(struct op_plan *p, const struct matmul_plan *m, const char *codec, uint32_t part,
                        const struct matmul_params *params, struct error *err)
{
    struct dispatch_desc d = describe(p, m, "matmul/matmat", codec, part, params);
    d.files[4] = "matmul/segment";
    d.files[5] = is_q8(p, m) ? "matmul/x_q8" : "matmul/x_f32";
    /* a tile of f16 weights takes half the workgroup memory, but F32 and BF16 would lose digits or overflow in it */
    enum quant_type type = p->w[m->weight].q->type;
    d.f16 = p->device->shader_f16 && type != QUANT_F32 && type != QUANT_BF16;
    /* the larger tile reads less workgroup memory per product, where there are enough rows to fill the device */
    bool fits = p->device->max_workgroup_bytes >= (d.f16 ? 16u : 24u) << 10;
    uint32_t quads = fits && params->rows >= 1024 ? 2 : 1;
    d.consts[0] = (struct kernel_const){"QUADS", quads};
    d.consts[1] = (struct kernel_const){"SEGMENTED", params->end0 < params->rows};
    d.grid[0] = (struct grid){.fixed = count_tiles(params, 64 * quads)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = 64};
    d.min_rows = MATVEC_MAX + 1;
    return plan_dispatch(p, &d, err);
}

/* of matmat_units; a matrix of fewer rows would leave most of the device idle */
enum { UNITS_TILE = 128, UNITS_BYTES = 45056, UNITS_THREADS = 256, UNITS_LANES = 32, UNITS_MIN_ROWS = 1024 };

/* the adapter lists 16x16x16 among the shapes of f16 -> f32 */
static bool multiplies_f16(const struct gpu_info *device)
{
    const char *types = strstr(device->matrix_shapes, "f16 -> f32 ");
    const char *end = types ? strchr(types, ';') : NULL, *shape = types ? strstr(types, "16x16x16") : NULL;
    return shape && (!end || shape < end);
}

/* Weights become f16 in a tile, where F32 and BF16 would lose digits or overflow. */
static bool suits_units(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_params *params)
{
    const struct gpu_info *device = p->device;
    const enum quant_type type = p->w[m->weight].q->type;
    return device->matrix_units && device->shader_f16 && multiplies_f16(device) &&
           device->subgroup_size == UNITS_LANES && device->max_workgroup_bytes >= UNITS_BYTES &&
           device->max_workgroup_threads >= UNITS_THREADS && params->rows >= UNITS_MIN_ROWS && type != QUANT_F32 &&
           type != QUANT_BF16;
}

/* a segment whose columns are no multiple of 64, which is what a tile takes at a time */
static bool has_tail(const struct matmul_plan *m)
{
    bool tail = false;
    for (uint32_t i = 0; i < m->n_segments; i++) tail |= m->segments[i].cols % 64 > 0;
    return tail;
}

/* steps of more than MATVEC_MAX, on matrix units */
static bool plan_units(struct op_plan *p, const struct matmul_plan *m, const char *codec, uint32_t part,
                       const struct matmul_params *params, struct error *err)
{
    struct dispatch_desc d = describe(p, m, "matmul/matmat_units", codec, part, params);
    d.files[4] = "matmul/segment";
    d.files[5] = is_q8(p, m) ? "matmul/x_q8" : "matmul/x_f32";
    d.consts[0] = (struct kernel_const){"TAIL", has_tail(m)};
    d.f16 = d.matrix_units = true;
    d.grid[0] = (struct grid){.fixed = count_tiles(params, UNITS_TILE)};
    d.grid[1] = (struct grid){.rows = p->rows, .per = UNITS_TILE};
    d.min_rows = MATVEC_MAX + 1;
    return plan_dispatch(p, &d, err);
}

/* rows [first, last) of the matrix, which lie in one part, as segments of a dispatch */
static void cut_segments(const struct matmul_plan *m, uint32_t first, uint32_t last, struct matmul_params *params)
{
    uint32_t *ends[] = {&params->end0, &params->end1, &params->end2, &params->end3,
                        &params->end4, &params->end5, &params->end6};
    uint32_t *x_at[] = {&params->x_at0, &params->x_at1, &params->x_at2, &params->x_at3,
                        &params->x_at4, &params->x_at5, &params->x_at6, &params->x_at7};
    uint32_t *used[] = {&params->used0, &params->used1, &params->used2, &params->used3,
                        &params->used4, &params->used5, &params->used6, &params->used7};
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
        if (n < MAX_PRODUCTS - 1) *ends[n] = end - first;
        n++;
    }
    for (; n && n < MAX_PRODUCTS; n++) *ends[n - 1] = last - first;
}

/* both stacks for steps of min_tokens to max_tokens, `tokens` at a time */
static bool plan_mixed(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin, uint32_t tokens,
                       uint32_t min_tokens, uint32_t max_tokens, struct error *err)
{
    const struct plan_weight *w = &p->w[m->weight], *t = &p->w[thin->weight];
    const bool q8 = is_q8(p, m);
    const uint32_t threads = plan_threads(p, 128), lanes = plan_is_software(p) ? 2 : q8 ? 32 : 64;
    const uint32_t rows = threads / lanes;
    struct matmul_segment segments[2 * MAX_PRODUCTS];
    struct matmul_plan both = {.segments = segments};
    for (uint32_t i = 0; i < m->n_segments; i++) segments[both.n_segments++] = m->segments[i];
    for (uint32_t i = 0; i < thin->n_segments; i++) segments[both.n_segments++] = thin->segments[i];
    struct matmul_params params = {.rows = w->rows + t->rows,
                                   .row_at = m->y_at,
                                   .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
                                   .quads = p->in_cols[q8 ? IN_Q8 : 0] / 4,
                                   .out_cols = p->out_cols[0],
                                   .first_thin = w->rows,
                                   .thin_groups = (t->rows + rows - 1) / rows,
                                   .thin_spans = (uint32_t)(padded_cols(t->cols) / QUANT_SPAN)};
    cut_segments(&both, 0, params.rows, &params);
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    struct dispatch_desc d = {
        .files = {"matmul/matvec_mixed", codec, q8 ? "matmul/sums_q8" : "matmul/sums_float",
                  t->q->type == QUANT_F16 ? "matmul/thin_f16" : "matmul/thin_f32", "matmul/segment", "matmul/epilogue",
                  "activation", "matmul/store_f32", plan_reduce(p)},
        .consts =
            {{"WORKGROUP", threads}, {"LANES", lanes}, {"ROWS", 1}, {"TOKENS", tokens}, {"BLOCKS", params.spans / 2}},
        .params_wgsl = matmul_params_wgsl,
        .params = &params,
        .params_bytes = sizeof params,
        .operands = {operand_quants(m->weight, 0), operand_scales(m->weight, 0), operand_in(q8 ? IN_Q8 : 0),
                     operand_in(0), operand_quants(thin->weight, 0), operand_out(0)},
        .n_operands = 6,
        .grid = {{1, tokens, p->rows}, {.fixed = params.thin_groups + (w->rows + rows - 1) / rows}},
        .min_rows = min_tokens,
        .max_rows = max_tokens,
    };
    return plan_dispatch(p, &d, err);
}

bool matmul_can_mix(const struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin)
{
    const struct plan_weight *w = &p->w[m->weight], *t = &p->w[thin->weight];
    const bool floats = t->q->type == QUANT_F16 || t->q->type == QUANT_F32;
    return floats && !p->w[m->bias].q && w->n_parts == 1 && t->n_parts == 1 && t->rows < w->rows &&
           m->n_segments + thin->n_segments <= MAX_PRODUCTS && (w->rows + t->rows) / 2 < p->device->max_groups &&
           p->device->max_workgroup_threads >= 64;
}

bool matmul_plan_mixed(struct op_plan *p, const struct matmul_plan *m, const struct matmul_plan *thin,
                       struct error *err)
{
    return plan_mixed(p, m, thin, 1, 1, 1, err) && plan_mixed(p, m, thin, MATVEC_TOKENS, 2, MATVEC_TOKENS, err);
}

bool matmul_plan_kernels(struct op_plan *p, const struct matmul_plan *m, struct error *err)
{
    const struct plan_weight *w = &p->w[m->weight];
    char codec[32];
    snprintf(codec, sizeof codec, "codec/%s", w->q->codec);
    for (uint32_t part = 0; part < w->n_parts; part++) {
        uint32_t first = part * w->rows_per_part;
        uint32_t last = w->rows - first < w->rows_per_part ? w->rows : first + w->rows_per_part;
        struct matmul_params params = {
            .rows = last - first,
            .row_at = m->y_at + first,
            .spans = (uint32_t)(padded_cols(w->cols) / QUANT_SPAN),
            .quads = p->in_cols[is_q8(p, m) ? IN_Q8 : 0] / 4,
            .out_cols = p->out_cols[0],
            .on_outputs = p->rows == ROWS_OUTPUTS,
            .combine = p->args->combine,
            .has_bias = p->w[m->bias].q != NULL,
        };
        cut_segments(m, first, last, &params);
        bool few = m->but_few || (plan_matvec(p, m, codec, part, &params, 1, 1, 1, err) &&
                                  plan_matvec(p, m, codec, part, &params, 4, 2, 4, err) &&
                                  plan_matvec(p, m, codec, part, &params, MATVEC_TOKENS, 5, MATVEC_TOKENS, err));
        if (!few || !plan_matvec(p, m, codec, part, &params, MATVEC_TOKENS, MATVEC_TOKENS + 1, MATVEC_MAX, err) ||
            !(suits_units(p, m, &params) ? plan_units(p, m, codec, part, &params, err)
                                         : plan_matmat(p, m, codec, part, &params, err)))
            return false;
    }
    return !p->out_cols[OUT_Q8] || plan_quantize_output(p, MATVEC_MAX + 1, err);
}
