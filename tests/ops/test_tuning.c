/* test_tuning.c - choices of kernels' shapes: the usual one unless another that is offered was kept; the kept table as
 * text, also when it is damaged. */
#include "ops/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/matmul_choices.h"

/* last: its macro fail() hides error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct choice choice_of(const char *key)
{
    struct choice c = {.tokens = 1};
    snprintf(c.key, sizeof c.key, "%s", key);
    choice_add(&c, 128, 32, 1);
    choice_add(&c, 256, 32, 1);
    choice_add(&c, 128, 16, 2);
    return c;
}

static void set(struct tuning *t, const char *key, uint32_t a, uint32_t b, uint32_t c)
{
    assert_true(tuning_set(t, key, (const uint32_t[]){a, b, c}, NULL));
}

static void candidates_are_different(void **unused)
{
    (void)unused;
    struct choice c = choice_of("a");
    choice_add(&c, 256, 32, 1);
    assert_int_equal(c.n, 3);
    for (uint32_t i = 0; i < 100; i++) choice_add(&c, i, 0, 0);
    assert_int_equal(c.n, CHOICE_MAX);
    assert_int_equal(c.numbers[CHOICE_MAX - 1][0], CHOICE_MAX - 4);
}

static uint32_t choose_fixed(void *user, const struct choice *c)
{
    (void)c;
    return *(const uint32_t *)user;
}

static void the_usual_one_is_first(void **unused)
{
    (void)unused;
    uint32_t index = 2;
    struct choice c = choice_of("a");
    struct chooser chooser = {choose_fixed, &index};
    struct op_plan p = {0};
    assert_ptr_equal(plan_choose(&p, &c), c.numbers[0]);
    p.chooser = &chooser;
    assert_ptr_equal(plan_choose(&p, &c), c.numbers[2]);
    index = 3; /* beyond the end */
    assert_ptr_equal(plan_choose(&p, &c), c.numbers[0]);
    chooser.choose = NULL;
    assert_ptr_equal(plan_choose(&p, &c), c.numbers[0]);
}

static void only_what_is_offered_is_chosen(void **unused)
{
    (void)unused;
    struct tuning t = {0};
    struct choice a = choice_of("a"), b = choice_of("b");
    assert_int_equal(tuning_choose(&t, &a), 0);
    set(&t, "a", 128, 16, 2);
    assert_int_equal(tuning_choose(&t, &a), 2);
    assert_int_equal(tuning_choose(&t, &b), 0);
    set(&t, "a", 256, 32, 1); /* in the place of the one before */
    assert_int_equal(t.n, 1);
    assert_int_equal(tuning_choose(&t, &a), 1);
    set(&t, "a", 512, 32, 1); /* no candidate of these days */
    assert_int_equal(tuning_choose(&t, &a), 0);
    set(&t, "b", 256, 32, 1);
    tuning_drop(&t, "a");
    tuning_drop(&t, "none");
    assert_int_equal(t.n, 1);
    assert_int_equal(tuning_choose(&t, &b), 1);
    for (int i = 0; i < 4095; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        set(&t, key, 1, 2, 3);
    }
    assert_false(tuning_set(&t, "one more", (const uint32_t[]){1, 2, 3}, NULL));
    assert_int_equal(tuning_choose(&t, &b), 1);
    tuning_free(&t);
}

static void expect_same(const struct tuning *a, const struct tuning *b)
{
    assert_int_equal(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        assert_string_equal(a->items[i].key, b->items[i].key);
        assert_memory_equal(a->items[i].numbers, b->items[i].numbers, sizeof a->items[i].numbers);
    }
}

static void text_comes_back(void **unused)
{
    (void)unused;
    struct tuning t = {0}, back = {0};
    struct builder text = {0};
    tuning_write(&t, &text);
    assert_true(text.length > 0);
    assert_true(tuning_read(&back, text.data, text.length));
    expect_same(&t, &back);
    set(&t, "matvec Q4_K 2560x2560 t1 q8", 999999999, 0, 1);
    set(&t, "wkv7 40x64 t32", 4, 8, 1);
    set(&t, "x", 0, 0, 0);
    builder_clear(&text);
    tuning_write(&t, &text);
    assert_true(tuning_read(&back, text.data, text.length));
    expect_same(&t, &back);
    tuning_free(&t);
    tuning_free(&back);
    builder_free(&text);
}

static void other_text_is_refused(void **unused)
{
    (void)unused;
#define HEAD "corvid tuning\n"
    static const char *const texts[] = {"",
                                        "corvid tuning",
                                        "Corvid tuning\n",
                                        HEAD "\n",
                                        HEAD "1 2 3 a",
                                        HEAD "1 2 3 \n",
                                        HEAD "1 2 3\n",
                                        HEAD "1 2 a\n",
                                        HEAD "1 2  a\n",
                                        HEAD "-1 2 3 a\n",
                                        HEAD "1.5 2 3 a\n",
                                        HEAD "1000000000 2 3 a\n",
                                        HEAD " 1 2 3 a\n",
                                        HEAD "1 2 3 a\tb\n",
                                        HEAD "1 2 3 a\n1 2 3 b\r\n",
                                        HEAD "1 2 3 a\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tuning t = {0};
        set(&t, "before", 1, 2, 3);
        if (tuning_read(&t, texts[i], strlen(texts[i]))) fail_msg("text %zu was taken", i);
        assert_int_equal(t.n, 0);
    }
    char text[256];
    int n = snprintf(text, sizeof text, HEAD "1 2 3 %0*d\n", CHOICE_KEY_MAX - 1, 0);
    struct tuning t = {0};
    assert_true(tuning_read(&t, text, (size_t)n));
    n = snprintf(text, sizeof text, HEAD "1 2 3 %0*d\n", CHOICE_KEY_MAX, 0);
    assert_false(tuning_read(&t, text, (size_t)n));
    n = snprintf(text, sizeof text, HEAD "1 2 3 ab\n");
    text[n - 2] = 0; /* inside of the key */
    assert_false(tuning_read(&t, text, (size_t)n));
}

/* Each byte changed, each length: what is still a table has keys of the right form, and nothing is read beyond the end. */
static void damage_does_no_harm(void **unused)
{
    (void)unused;
    static const char whole[] = HEAD "128 32 1 matvec Q4_K 2560x2560 t1 q8\n4 8 1 wkv7 40x64 t32\n";
    const size_t n = sizeof whole - 1;
    for (size_t i = 0; i < n; i++) {
        for (int bit = 0; bit < 9; bit++) { /* the ninth time: cut off here */
            size_t length = bit < 8 ? n : i;
            char *text = malloc(length + !length);
            assert_non_null(text);
            memcpy(text, whole, length);
            if (bit < 8) text[i] = (char)(text[i] ^ 1 << bit);
            struct tuning t = {0};
            bool taken = tuning_read(&t, text, length);
            assert_true(taken ? t.n <= 3 : !t.n);
            for (uint32_t k = 0; k < t.n; k++) assert_in_range(strlen(t.items[k].key), 1, CHOICE_KEY_MAX - 1);
            tuning_free(&t);
            free(text);
        }
    }
}

/* ---- the candidates of a matvec ---- */

struct offered {
    const struct gpu_info *device;
    uint32_t rows, steps, n, n_matvec;
    bool whole_blocks;
};

static uint32_t check_offer(void *user, const struct choice *c)
{
    struct offered *o = user;
    if (strncmp(c->key, "matvec", 6) != 0) return 0;
    o->n_matvec++;
    if (c->n > o->n) o->n = c->n;
    for (uint32_t i = 0; i < c->n; i++) {
        const uint32_t threads = c->numbers[i][0], lanes = c->numbers[i][1], rows = c->numbers[i][2];
        assert_in_range(threads, 1, o->device->max_workgroup_threads);
        assert_int_equal(threads & (threads - 1), 0);
        assert_in_range(lanes, 1, threads);
        assert_int_equal(lanes & (lanes - 1), 0);
        assert_true(rows == 1 || rows == 2 || rows == 4);
        assert_true(lanes <= o->steps || i == 0);
        assert_true(o->rows / (threads / lanes * rows) < o->device->max_groups);
        if (o->whole_blocks) assert_int_equal(threads / lanes * rows % 32, 0);
    }
    return 0;
}

static bool ignore(void *executor, const struct dispatch_desc *d, struct error *err)
{
    (void)executor, (void)d, (void)err;
    return true;
}

/* What is offered could be run, on large devices and small ones; and there is something to choose from. */
static void candidates_fit(void **unused)
{
    (void)unused;
    static const struct gpu_info devices[] = {
        {.kind = "discrete", .max_workgroup_threads = 1024, .max_groups = 65535, .max_workgroup_bytes = 49152},
        {.kind = "integrated", .max_workgroup_threads = 256, .max_groups = 65535, .max_workgroup_bytes = 16384},
        {.kind = "software", .max_workgroup_threads = 1024, .max_groups = 65535, .max_workgroup_bytes = 32768},
        {.kind = "discrete", .max_workgroup_threads = 128, .max_groups = 1000, .max_workgroup_bytes = 16384}};
    static const enum quant_type types[] = {QUANT_F16, QUANT_Q4_K};
    static const uint32_t shapes[][2] = {{96, 32}, {2560, 2560}, {10240, 2560}, {2560, 10240}, {65536, 768}};
    for (size_t i = 0; i < 4 * 2 * 5 * 2; i++) {
        const struct gpu_info *device = &devices[i % 4];
        const struct quant_info *q = quant_find(types[i / 4 % 2]);
        const uint32_t rows = shapes[i / 8 % 5][0], cols = shapes[i / 8 % 5][1];
        struct offered offered = {.device = device, .rows = rows, .whole_blocks = i / 40};
        const struct chooser chooser = {check_offer, &offered};
        const struct op_args args = {0};
        struct op_plan p = {.args = &args,
                            .device = device,
                            .limits = {512, 32, 32},
                            .in_cols = {cols, 0, quant_is_float(q) ? 0 : cols},
                            .out_cols = {rows, i / 40 ? rows : 0},
                            .rows = ROWS_TOKENS,
                            .chooser = &chooser,
                            .dispatch = ignore};
        p.w[0] = (struct plan_weight){.q = q, .rows = rows, .cols = cols, .rows_per_part = rows, .n_parts = 1};
        offered.steps = (uint32_t)padded_cols(cols) / (quant_is_float(q) ? 16 : 32);
        assert_true(op_table[OP_MATMUL].plan(&p, NULL));
        /* 1, 2 to 4, 5 to 8, 9 to 48 tokens, and on software more */
        assert_int_equal(offered.n_matvec, strcmp(device->kind, "software") ? 4 : 5);
        assert_in_range(offered.n, 4, CHOICE_MAX);
    }
}

/* ---- whatever is chosen, every number of tokens has its kernels ---- */

enum { TOKENS = 512 };

struct planned {
    const struct op_plan *plan;
    uint32_t index; /* of the candidates that are taken, as far as there are so many */
    uint32_t n_choices, n_candidates;
    uint32_t done[TOKENS + 1]; /* dispatches that do steps of so many tokens, but for those before and after the work */
};

static uint32_t choose_index(void *user, const struct choice *c)
{
    struct planned *r = user;
    r->n_choices++;
    if (c->n > r->n_candidates) r->n_candidates = c->n;
    return r->index % c->n;
}

/* 0: there is none of that name */
static uint32_t const_of(const struct dispatch_desc *d, const char *name)
{
    for (size_t i = 0; i < DISPATCH_MAX_CONSTS && d->consts[i].name; i++)
        if (!strcmp(d->consts[i].name, name)) return d->consts[i].value;
    return 0;
}

/* what matmat_units and units_wide leave for units_sum stays in its scratch (units_shares.wgsl) */
static void check_sums(const struct op_plan *p, const struct dispatch_desc *d, uint32_t tokens)
{
    const struct matmul_params *m = d->params;
    const uint32_t wide = const_of(d, "TILE_TOKENS");
    const uint64_t tiles = (uint64_t)m->tiles * ((tokens + wide - 1) / wide), rest = tiles % m->groups;
    uint64_t shares = m->groups / (rest ? rest : 1);
    if (shares > m->shares) shares = m->shares;
    if (!shares) shares = 1;
    const uint64_t slots = tiles + rest * (shares - 1);
    assert_true(slots * UNITS_TILE * wide <= (uint64_t)p->out_cols[OUT_MORE] * p->limits.tokens);
}

static bool note(void *executor, const struct dispatch_desc *d, struct error *err)
{
    (void)err;
    struct planned *r = executor;
    static const char *const others[] = {"units_halve", "units_sum", "attention_combine", "quantize"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (size_t k = 0; k < DISPATCH_MAX_FILES && d->files[k]; k++)
            if (strstr(d->files[k], others[i])) return true;
    const uint32_t from = d->min_rows ? d->min_rows : 1, to = d->max_rows ? d->max_rows : TOKENS;
    for (uint32_t n = from; n <= to && n <= TOKENS; n++) {
        r->done[n]++;
        if (strstr(d->files[0], "matmat_units") || strstr(d->files[0], "units_wide")) check_sums(r->plan, d, n);
    }
    const uint32_t threads = const_of(d, "WORKGROUP");
    assert_in_range(threads ? threads : 1, 1, r->plan->device->max_workgroup_threads);
    return true;
}

static void plan_all(enum op_id op, struct op_plan *p, uint32_t least_choices)
{
    uint32_t most = 1;
    for (uint32_t index = 0; index < most; index++) {
        struct planned planned = {.plan = p, .index = index};
        const struct chooser chooser = {choose_index, &planned};
        p->chooser = &chooser;
        p->executor = &planned;
        p->dispatch = note;
        assert_true(op_table[op].plan(p, NULL));
        for (uint32_t n = 1; n <= TOKENS; n++)
            if (planned.done[n] != 1) fail_msg("candidates %u: %u tokens are done %u times", index, n, planned.done[n]);
        if (!index) assert_true(planned.n_choices >= least_choices);
        if (planned.n_candidates > most) most = planned.n_candidates;
    }
    assert_true(most > 1);
}

static const struct gpu_info with_units = {.kind = "discrete",
                                           .backend = "Vulkan",
                                           .max_workgroup_threads = 1024,
                                           .max_groups = 65535,
                                           .max_workgroup_bytes = 49152,
                                           .max_binding_bytes = 1u << 31,
                                           .max_storage_buffers = 16,
                                           .subgroups = true,
                                           .subgroup_size = 32,
                                           .shader_f16 = true,
                                           .matrix_units = true,
                                           .matrix_shapes = "f16 -> f32 16x16x16"};

static void products_are_done_once(void **unused)
{
    (void)unused;
    static const enum quant_type types[] = {QUANT_F16, QUANT_Q4_K};
    static const uint32_t shapes[][2] = {{96, 32}, {2560, 2560}, {10240, 2560}, {2560, 10240}};
    for (size_t i = 0; i < 2 * 4 * 2; i++) {
        const struct quant_info *q = quant_find(types[i % 2]);
        const uint32_t rows = shapes[i / 2 % 4][0], cols = shapes[i / 2 % 4][1];
        const struct op_args args = {0};
        const uint64_t sums = units_sums(units_tiles(rows), TOKENS);
        struct op_plan p = {.args = &args,
                            .device = &with_units,
                            .limits = {TOKENS, 32, 32},
                            .in_cols = {cols, 0, quant_is_float(q) ? 0 : cols},
                            .out_cols = {rows, i / 8 ? rows : 0, (uint32_t)(sums / TOKENS)},
                            .rows = ROWS_TOKENS};
        p.w[0] = (struct plan_weight){.q = q, .rows = rows, .cols = cols, .rows_per_part = rows, .n_parts = 1};
        assert_true(suits_units(
            &p, &(struct matmul_plan){.segments = &(struct matmul_segment){rows, cols, 0, ACT_NONE, q->type, 0, 0},
                                      .n_segments = 1}));
        /* 3 matvecs, 3 shapes of few tokens, two ranges of many; whether and from when on few and many are on units */
        plan_all(OP_MATMUL, &p, 10);
    }
}

static void attention_is_done_once(void **unused)
{
    (void)unused;
    static const uint32_t shapes[][3] = {{64, 4, 4}, {256, 4, 1}, {128, 32, 8}, {80, 2, 1}, {256, 160, 160}};
    for (size_t i = 0; i < 2 * 5; i++) {
        const uint32_t *n = shapes[i / 2];
        const struct op_args args = {.head_dim = n[0], .scale = 1};
        struct op_plan p = {.args = &args,
                            .device = &with_units,
                            .limits = {TOKENS, 32, 32},
                            .in_cols = {n[0] * n[1]},
                            .out_cols = {n[0] * n[1], i % 2 ? n[0] * n[1] : 0},
                            .rows = ROWS_TOKENS,
                            .state_rows = 4096,
                            .state_cols = 2 * n[0] * n[2]};
        plan_all(OP_ATTENTION, &p, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_are_different),
        cmocka_unit_test(the_usual_one_is_first),
        cmocka_unit_test(only_what_is_offered_is_chosen),
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(other_text_is_refused),
        cmocka_unit_test(damage_does_no_harm),
        cmocka_unit_test(candidates_fit),
        cmocka_unit_test(products_are_done_once),
        cmocka_unit_test(attention_is_done_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
