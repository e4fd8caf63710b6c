/* units_plan.c - kernels for many tokens on matrix units: matmul/matmat_units.wgsl or units_wide.wgsl make sums, after
 * matmul/units_halve.wgsl made x in f16 for it where many tiles share it; matmul/units_sum.wgsl makes y of them. */
#include "ops/matmul_choices.h"

/* of matmat_units; a matrix of fewer rows would leave most of a tile idle */
enum { UNITS_BYTES = 36864, UNITS_THREADS = 256, UNITS_LANES = 32, UNITS_MIN_ROWS = 16 };

/* tokens of a tile of matmat_units, of units_wide, and how many tiles of rows the latter pays from on */
enum { NARROW = 128, WIDE = 256, WIDE_MIN_TILES = 16 };

/* Workgroups of NARROW tiles that a device is taken to have room for, and columns that one does at least. */
enum { UNITS_GROUPS = 264, UNITS_MIN_COLS = 128 };

/* x is stored in f16 where so many tiles of a segment read it, so many columns at least */
enum { HALVES_MIN_TILES = 4, HALVES_MIN_COLS = 512 };

/* how the tokens of a step of `halves` * NARROW are cut */
struct cut {
    uint32_t tokens, tiles, groups; /* of a tile; tiles of tokens; workgroups that the device has room for */
};

/* wide: unless half of a tile would be idle, of one or of two */
static struct cut cut_of(uint32_t halves, bool wide)
{
    const uint32_t tokens = wide && halves != 1 && halves != 3 ? WIDE : NARROW;
    return (struct cut){tokens, (halves * NARROW + tokens - 1) / tokens, UNITS_GROUPS * NARROW / tokens};
}

static struct cut many_cut(uint32_t halves)
{
    return (struct cut){MANY_TOKENS, halves, UNITS_GROUPS * UNITS_TILE / MANY_ROWS};
}

static uint32_t halves_of(uint32_t rows) { return (rows + NARROW - 1) / NARROW; }

/* workgroups of the last ones of `tiles` tiles of rows; as in units_shares.wgsl */
static uint32_t shares_of(uint32_t tiles, const struct cut *c, uint32_t most)
{
    const uint32_t rest = tiles * c->tiles % c->groups, n = rest ? c->groups / rest : 1;
    return n < most ? n : most;
}

uint64_t units_sums(uint32_t tiles, uint32_t rows)
{
    uint64_t most = 0;
    for (uint32_t n = 2; rows > MATVEC_MAX && n < 2 * halves_of(rows) + 2; n++) {
        const struct cut c = cut_of(n / 2, n % 2);
        const uint64_t all = (uint64_t)tiles * c.tiles, rest = all % c.groups;
        const uint64_t slots = all + (rest ? rest * (c.groups / rest - 1) : 0);
        if (slots * c.tokens > most) most = slots * c.tokens;
    }
    if (most && most < UNITS_GROUPS * NARROW) most = UNITS_GROUPS * NARROW; /* what shared tiles of units_many take */
    return most * UNITS_TILE;
}

uint32_t units_halves(uint32_t tiles, uint32_t n_segments, uint32_t cols, uint32_t x_cols)
{
    const bool stored = tiles >= HALVES_MIN_TILES * n_segments && cols >= HALVES_MIN_COLS;
    return stored ? (x_cols / 2 + 3) / 4 * 4 : 0;
}

/* As f16, F32 and BF16 lose digits, and some could overflow. Where x is rounded to f16 as well, this is no more than that
 * does: wrong by 2^-12 of the weight or, of small ones, 2^-19 of the largest. */
static bool fits_f16(const struct matmul_segment *s)
{
    const float low = 0x1p-6f, high = 65504;
    return s->largest == 0 || (s->largest >= low && s->largest <= high); /* false for NaN */
}

bool units_keep_right(const struct op_plan *p, const struct matmul_plan *m)
{
    const struct plan_weight *w = &p->w[m->weight];
    if (!w->mixed) return w->q->type != QUANT_F32 && w->q->type != QUANT_BF16;
    bool right = true;
    for (uint32_t i = 0; i < m->n_segments; i++)
        right &= m->segments[i].type == QUANT_F16 || (!p->exact && fits_f16(&m->segments[i]));
    return right;
}

static uint32_t most_rows(const struct op_plan *p)
{
    return p->rows == ROWS_OUTPUTS ? p->limits.outputs : p->limits.tokens;
}

static uint32_t most_cols(const struct matmul_plan *m)
{
    uint32_t cols = 0;
    for (uint32_t i = 0; i < m->n_segments; i++)
        if (cols < m->segments[i].cols) cols = m->segments[i].cols;
    return cols;
}

static uint32_t count_all_tiles(const struct matmul_plan *m)
{
    uint32_t tiles = 0;
    for (uint32_t i = 0; i < m->n_segments; i++) tiles += units_tiles(m->segments[i].rows);
    return tiles;
}

bool has_units(const struct gpu_info *device)
{
    return device->matrix_units && device->shader_f16 && gpu_multiplies(device, "f16 -> f32", "16x16x16") &&
           device->subgroup_size == UNITS_LANES && device->max_workgroup_bytes >= UNITS_BYTES &&
           device->max_workgroup_threads >= UNITS_THREADS;
}

bool suits_units(const struct op_plan *p, const struct matmul_plan *m)
{
    const uint64_t sums = (uint64_t)p->out_cols[OUT_MORE] * most_rows(p);
    return has_units(p->device) && p->w[m->weight].rows >= UNITS_MIN_ROWS && units_keep_right(p, m) &&
           most_rows(p) > MATVEC_MAX && sums >= units_sums(count_all_tiles(m), most_rows(p)) &&
           sums * sizeof(float) <= p->device->max_binding_bytes;
}

/* a segment whose columns are no multiple of 64, which is what a tile takes at a time */
static bool has_tail(const struct matmul_plan *m)
{
    bool tail = false;
    for (uint32_t i = 0; i < m->n_segments; i++) tail |= m->segments[i].cols % 64 > 0;
    return tail;
}

/* integers lie in blocks of 32 columns at least */
static bool is_wide(const struct op_plan *p, const struct matmul_part *part)
{
    return !quant_is_float(p->w[part->m->weight].q) && part->params.tiles >= WIDE_MIN_TILES;
}

static bool stores_halves(const struct op_plan *p, const struct matmul_plan *m)
{
    return units_halves(count_all_tiles(m), m->n_segments, most_cols(m), p->out_cols[OUT_HALVES] * 2);
}

static const char *x_file(const struct op_plan *p, const struct matmul_plan *m)
{
    return matmul_is_q8(p, m) ? "matmul/x_q8" : "matmul/x_f32";
}

static bool plan_halve(struct op_plan *p, const struct matmul_part *part, uint32_t min_rows, struct error *err)
{
    const struct operand none = {.kind = OPERAND_NONE, .access = 'r'}; /* the bindings of weights */
    struct dispatch_desc d = {
        .files = {"matmul/units_halve", "matmul/half_x", x_file(p, part->m), "matmul/segment"},
        .f16 = true,
        .params_wgsl = matmul_params_wgsl,
        .params = &part->params,
        .params_bytes = sizeof part->params,
        .operands = {none, none, operand_in(matmul_is_q8(p, part->m) ? IN_Q8 : 0), operand_scratch(OUT_HALVES, 'w')},
        .n_operands = 4,
        .grid = {{.fixed = (part->params.quads + 255) / 256}, {1, 1, p->rows}},
        .min_rows = min_rows,
    };
    return plan_dispatch(p, &d, err);
}

/* columns of which a workgroup does at least as many: the usual ones or what tuning found */
static uint32_t choose_cols(const struct op_plan *p, const struct matmul_part *part, uint32_t tokens)
{
    struct choice c = matmul_choice(p, part->m, part->params.rows, "units", "columns of a workgroup", tokens);
    for (uint32_t i = 1; i <= 4; i *= 2) choice_add(&c, UNITS_MIN_COLS * i, 0, 0);
    return plan_choose(p, &c)[0];
}

/* steps of min_rows to max_rows; 0: no upper end */
static bool plan_sums(struct op_plan *p, const struct matmul_part *part, uint32_t tile_tokens, uint32_t min_rows,
                      uint32_t max_rows, struct error *err)
{
    const struct matmul_plan *m = part->m;
    const bool stored = stores_halves(p, m);
    struct dispatch_desc d = {
        .files = {tile_tokens == WIDE ? "matmul/units_wide" : "matmul/matmat_units", part->codec, "matmul/units_shares",
                  "matmul/segment", stored ? "matmul/half_stored" : "matmul/half_x"},
        .consts = {{"TILE", UNITS_TILE},
                   {"TILE_TOKENS", tile_tokens},
                   {tile_tokens == NARROW ? "TAIL" : NULL, has_tail(m)}},
        .f16 = true,
        .matrix_units = true,
        .params_wgsl = matmul_params_wgsl,
        .params = &part->params,
        .params_bytes = sizeof part->params,
        .operands = {operand_quants(m->weight, part->index), operand_scales(m->weight, part->index),
                     stored ? operand_scratch(OUT_HALVES, 'r') : operand_in(matmul_is_q8(p, m) ? IN_Q8 : 0),
                     operand_scratch(OUT_MORE, 'w')},
        .n_operands = 4,
        .weights = matmul_count_weights(&part->params),
        .grid = {{.fixed = part->params.tiles}, {1, tile_tokens, p->rows}, {.fixed = part->params.shares}},
        .min_rows = min_rows,
        .max_rows = max_rows,
    };
    if (!stored) matmul_add_file(&d, x_file(p, m));
    if (p->w[m->weight].mixed) matmul_add_file(&d, "matmul/mixed_row");
    return plan_dispatch(p, &d, err);
}

/* many: of the shared tiles of units_many, otherwise of all */
static bool plan_sum(struct op_plan *p, const struct matmul_part *part, uint32_t tile_tokens, bool many,
                     uint32_t min_rows, uint32_t max_rows, struct error *err)
{
    const uint32_t tile = many ? MANY_ROWS : UNITS_TILE;
    struct dispatch_desc d = {
        .files = {"matmul/units_sum", "matmul/units_shares", "matmul/segment", "matmul/epilogue", "activation",
                  plan_reduce(p)},
        .consts =
            {{"WORKGROUP", UNITS_THREADS}, {"LANES", 1}, {"TILE", tile}, {"TILE_TOKENS", tile_tokens}, {"REST", many}},
        .params_wgsl = matmul_params_wgsl,
        .params = &part->params,
        .params_bytes = sizeof part->params,
        .operands = {operand_scratch(OUT_MORE, 'r'), operand_vector(part->m->bias), operand_in(1), operand_out(0)},
        .n_operands = 4,
        .grid = {{.fixed = part->params.tiles}, {1, 16 * UNITS_THREADS / tile, p->rows}},
        .min_rows = min_rows,
        .max_rows = max_rows,
    };
    plan_q8_output(p, &d);
    return plan_dispatch(p, &d, err);
}

/* the most shares that steps of `halves` tiles of tokens or, up to most_halves, more have */
static uint32_t most_shares(const struct op_plan *p, const struct matmul_part *part, bool many, uint32_t halves,
                            uint32_t most_halves, uint32_t most)
{
    uint32_t shares = 1;
    for (uint32_t k = halves; k <= most_halves; k++) {
        const struct cut c = many ? many_cut(k) : cut_of(k, is_wide(p, part));
        const uint32_t n = shares_of(part->params.tiles, &c, most);
        if (n > shares) shares = n;
    }
    return shares;
}

/* Tiles are shared in other ways for other numbers of tokens. */
bool plan_units(struct op_plan *p, const struct matmul_part *part, uint32_t min_tokens, struct error *err)
{
    enum { RANGES = 4 }; /* the last one takes all that is more */
    struct matmul_part own = *part;
    const uint32_t most_halves = halves_of(most_rows(p));
    const bool stored = stores_halves(p, part->m), many = suits_many(p, part, stored);
    if (stored && !(many && matmul_is_q8(p, part->m)) && !plan_halve(p, part, min_tokens, err)) return false;
    own.params.tiles = matmul_count_tiles(&part->params, many ? MANY_ROWS : UNITS_TILE);
    for (uint32_t n = 1, from = min_tokens; n <= RANGES; from = NARROW * n++ + 1) {
        const bool last = n == RANGES || n >= most_halves;
        const struct cut c = many ? many_cut(n) : cut_of(n, is_wide(p, &own));
        const uint32_t least = most_cols(part->m) / choose_cols(p, part, NARROW * (n == 1 ? 1 : RANGES));
        own.params.groups = c.groups;
        own.params.shares = most_shares(p, &own, many, n, last ? most_halves : n, least ? least : 1);
        const uint32_t to = last ? 0 : NARROW * n;
        if (!(many ? plan_many_tiles(p, &own, from, to, err) : plan_sums(p, &own, c.tokens, from, to, err)) ||
            ((!many || own.params.shares > 1) && !plan_sum(p, &own, c.tokens, many, from, to, err)))
            return false;
        if (last) break;
    }
    return true;
}
