/* decode_gpu.c - steps that make their own tokens: see exec.h.
 *
 * A step is the usual list of dispatches and sample/token.wgsl, which puts the tokens into the batch of the next step.
 * So the host only encodes and submits, and the tokens come back through the readback ring. Steps are counted from 0;
 * step k feeds the token fed[k] at position + k and makes fed[k + 1].
 *
 *        returned             arrived              submitted
 *   ---------|--------------------|--------------------|
 *    asked for, tokens known     in flight on the device
 *
 * A state that has taken in tokens made ahead must go back (rewind_gpu.c) before anything else uses it.
 *
 * Who takes tokens counts `asked` and `returned`, who works the others: two threads may do it, and tokens are in order
 * between them by `arrived` and `returned`.
 *
 * When the rows of the step change, or something else used the batch in between, all that is in flight is waited for
 * and the batch is written anew. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "base/clock.h"
#include "model/exec_gpu.h"
#include "ops/shaders.h"

enum { KEPT = 16 };

_Static_assert((int)MAX_AHEAD <= (int)GPU_TICKETS, "a ticket for each step in flight");
_Static_assert(KEPT >= SNAPSHOT_EVERY + MAX_AHEAD + 1, "all tokens since the snapshot that may be needed");

/* Of work that may wait on the device: it hides what the host does, but others want the device too, and what a sequence
 * that ended still does in it is in vain. Two steps hide the host too, if they are not too long for the others. */
static const uint64_t queue_ns = 10 * 1000000, longest_ns = 50 * 1000000;

struct sequence {
    bool live;
    uint32_t slot;
    uint64_t position, room;
    int32_t fed[KEPT]; /* fed[k % KEPT] */
    struct sample_wish wish;
    struct sample_past past; /* after the steps that arrived */
};

struct decode {
    struct exec *e;
    struct gpu_exec_parts parts;
    struct decode_limits limits;
    uint32_t n;
    struct sequence *sequences; /* [n] */
    uint32_t *rows, n_rows;     /* the sequence of each row of the steps in flight */
    struct sample_wish *wishes; /* of each row */
    struct sample_past *pasts;
    bool changed;  /* the batch must be written before the next step */
    uint64_t runs; /* *parts.n_runs when it was */
    uint64_t submitted;
    atomic_uint_fast64_t arrived, returned, asked;
    unsigned tickets[MAX_AHEAD];      /* of step k: [k % MAX_AHEAD] */
    uint64_t submitted_at[MAX_AHEAD]; /* in ns */
    uint64_t arrived_at, step_ns;
};

/* ---- memory ---- */

void decode_memory_free(struct decode_memory *m)
{
    gpu_bindings_destroy(m->bindings);
    gpu_buffer_destroy(m->wishes);
    gpu_buffer_destroy(m->pasts);
    gpu_buffer_destroy(m->made);
    for (uint32_t i = 0; m->rewinds && i < m->n_rewinds; i++) gpu_buffer_destroy(m->rewinds[i].snapshots);
    free(m->rewinds);
    for (uint32_t i = 0; i < m->n_lists; i++) gpu_list_destroy(m->lists[i]);
    free(m->lists);
    step_free(&m->step);
}

static const char kernel_label[] = "sample/token";

bool decode_gpu_want_kernel(struct kernel_cache *c, const struct graph *g, struct error *err)
{
    const struct gpu_info *device = gpu_describe(c->gpu);
    const uint32_t vocab = g->values[g->logits.id].cols;
    struct step step;
    uint32_t threads = 256;
    if (vocab > SAMPLE_MAX_VOCAB) return true; /* sampler_fits would refuse it */
    /* a processor waits at every barrier as long as there are threads */
    bool software = !strcmp(device->kind, "software");
    while (!software && threads < 1024 && 2 * threads <= device->max_workgroup_threads) threads *= 2;
    if (!step_init(&step, c->limits, err)) return false;
    struct builder text = {0};
    const struct {
        const char *name;
        uint32_t value;
    } consts[] = {{"VOCAB", vocab},
                  {"WORKGROUP", threads},
                  {"HISTORY", SAMPLE_HISTORY},
                  {"FORBIDDEN", SAMPLE_FORBIDDEN},
                  {"TOKEN_AT", (uint32_t)(step.token - step.words)},
                  {"POSITION_AT", (uint32_t)(step.position - step.words)}};
    step_free(&step);
    for (size_t i = 0; i < sizeof consts / sizeof *consts; i++)
        builder_printf(&text, "const %s = %uu;\n", consts[i].name, consts[i].value);
    static const char *const files[] = {"sample/wide", "sample/token", "sample/list", "sample/whole"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) builder_text(&text, shader_find(files[i]));
    return kernel_cache_want_text(c, kernel_label, "rwwww", &text, err);
}

const struct gpu_kernel *decode_gpu_kernel(const struct kernel_cache *c)
{
    return kernel_cache_find_name(c, kernel_label);
}

static bool reserve(struct exec *e, const struct gpu_exec_parts *p, struct error *err)
{
    struct decode_memory *m = p->memory;
    if (m->bindings) return true;
    const uint32_t seqs = e->limits.seqs;
    if (!m->step.words && !step_init(&m->step, e->limits, err)) return false;
    if (!m->rewinds) m->rewinds = calloc(e->slots, sizeof *m->rewinds);
    if (!m->rewinds) return fail_memory(err, "the snapshots");
    m->n_rewinds = e->slots;
    if (!m->lists) m->lists = calloc(seqs + 1, sizeof *m->lists);
    if (!m->lists) return fail_memory(err, "the lists of dispatches");
    m->n_lists = seqs + 1;
    if (!m->wishes) m->wishes = gpu_buffer_create(p->gpu, "wishes", seqs * sizeof(struct sample_wish), err);
    if (m->wishes && !m->pasts) m->pasts = gpu_buffer_create(p->gpu, "pasts", seqs * sizeof(struct sample_past), err);
    if (m->pasts && !m->made) m->made = gpu_buffer_create(p->gpu, "made", seqs * sizeof(uint32_t), err);
    if (!m->made) return false;
    m->kernel = p->sampler;
    const struct gpu_range ranges[] = {{m->wishes, 0, seqs * sizeof(struct sample_wish)},
                                       {m->pasts, 0, seqs * sizeof(struct sample_past)},
                                       {p->batch, 0, m->step.n_words * sizeof(uint32_t)},
                                       p->logits,
                                       {m->made, 0, seqs * sizeof(uint32_t)}};
    m->bindings = gpu_bindings_create(p->gpu, m->kernel, ranges, sizeof ranges / sizeof *ranges, err);
    return m->bindings != NULL;
}

/* ---- steps ---- */

/* how many steps may be in flight */
static uint64_t depth(const struct decode *d)
{
    uint64_t fit = d->step_ns ? queue_ns / d->step_ns : 1;
    if (fit < 2 && d->step_ns && 2 * d->step_ns <= longest_ns) fit = 2;
    if (d->limits.ahead) fit = d->limits.ahead;
    if (fit > MAX_AHEAD) fit = MAX_AHEAD;
    /* a ring of positions has room for so many more (gemma3.c) */
    if (fit > d->e->limits.tokens) fit = d->e->limits.tokens;
    return fit < 1 ? 1 : fit;
}

/* how many steps may be made in all, though no one asked for them yet */
static uint64_t last_step(const struct decode *d)
{
    uint64_t last = d->limits.max_steps ? d->limits.max_steps : UINT64_MAX;
    for (uint32_t r = 0; r < d->n_rows; r++)
        if (d->sequences[d->rows[r]].room < last) last = d->sequences[d->rows[r]].room;
    return last;
}

static void take_token(struct sequence *s, uint64_t step, uint32_t token)
{
    s->fed[(step + 1) % KEPT] = (int32_t)token;
    sample_past_add(&s->past, &s->wish, token);
}

/* waits for the oldest step in flight */
static bool arrive(struct decode *d, struct error *err)
{
    const void *data;
    const uint64_t step = d->arrived;
    bool ok = gpu_wait(d->parts.gpu, d->tickets[step % MAX_AHEAD], &data, err);
    for (uint32_t r = 0; ok && r < d->n_rows; r++)
        take_token(&d->sequences[d->rows[r]], step, ((const uint32_t *)data)[r]);
    gpu_release(d->parts.gpu, d->tickets[step % MAX_AHEAD]);
    d->arrived++;
    uint64_t now = clock_ns(), began = d->submitted_at[step % MAX_AHEAD];
    if (began < d->arrived_at) began = d->arrived_at;
    d->arrived_at = now;
    d->step_ns = d->step_ns ? (3 * d->step_ns + now - began) / 4 : now - began;
    return ok;
}

/* Lays out a step of one token for each of rows[n_rows], which have all arrived, and puts it on the device. */
static bool write_batch(struct decode *d, struct error *err)
{
    struct decode_memory *m = d->parts.memory;
    while (d->arrived < d->submitted)
        if (!arrive(d, err)) return false;
    step_clear(&m->step);
    d->n_rows = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        const struct sequence *s = &d->sequences[i];
        if (!s->live) continue;
        const uint32_t row = d->n_rows++;
        int32_t token = s->fed[d->submitted % KEPT];
        d->rows[row] = i;
        m->step.token[row] = token < 0 ? 0 : (uint32_t)token;
        m->step.position[row] = (uint32_t)(s->position + d->submitted);
        m->step.seq[row] = m->step.first[row] = m->step.output[row] = row;
        m->step.count[row] = 1;
        m->step.slot[row] = s->slot;
        d->wishes[row] = s->wish;
        d->pasts[row] = s->past;
    }
    gpu_write(d->parts.gpu, m->wishes, 0, d->wishes, d->n_rows * sizeof *d->wishes);
    gpu_write(d->parts.gpu, m->pasts, 0, d->pasts, d->n_rows * sizeof *d->pasts);
    m->step.n_tokens = m->step.n_seqs = m->step.n_outputs = d->n_rows;
    step_seal(&m->step);
    gpu_write(d->parts.gpu, d->parts.batch, 0, m->step.words, m->step.n_words * sizeof *m->step.words);
    d->changed = false;
    m->owner = d;
    d->runs = *d->parts.n_runs;
    return true;
}

static bool encode_step(struct decode *d, unsigned *ticket, struct error *err)
{
    struct decode_memory *m = d->parts.memory;
    struct gpu *gpu = d->parts.gpu;
    gpu_begin(gpu, "decode");
    for (uint32_t r = 0; d->submitted % SNAPSHOT_EVERY == 0 && r < d->n_rows; r++)
        rewind_keep(d->e, d->sequences[d->rows[r]].slot, d->submitted);
    struct gpu_list **list = &m->lists[d->n_rows];
    if (*list) gpu_list_run(gpu, *list);
    else {
        gpu_list_begin(gpu);
        gpu_exec_encode(d->e, &m->step);
        gpu_dispatch(gpu, m->kernel, m->bindings, (const uint32_t[]){d->n_rows, 1, 1});
        *list = gpu_list_end(gpu);
    }
    bool reading = gpu_read(gpu, (struct gpu_range){m->made, 0, d->n_rows * sizeof(uint32_t)}, ticket, err);
    bool ok = gpu_submit(gpu, reading ? err : NULL) && reading;
    if (reading && !ok) gpu_release(gpu, *ticket);
    if (!ok) gpu_list_destroy(*list), *list = NULL; /* it may lack what went wrong */
    return ok;
}

static bool submit_step(struct decode *d, struct error *err)
{
    bool overwritten = d->parts.memory->owner != d || d->runs != *d->parts.n_runs;
    if ((d->changed || overwritten) && !write_batch(d, err)) return false;
    if (!gpu_capture_begin(d->parts.gpu, err)) return false;
    d->submitted_at[d->submitted % MAX_AHEAD] = clock_ns();
    bool ok = encode_step(d, &d->tickets[d->submitted % MAX_AHEAD], err);
    gpu_capture_end(d->parts.gpu);
    if (ok) d->submitted++;
    return ok;
}

static bool can_submit(const struct decode *d)
{
    return d->submitted < d->asked || (d->submitted - d->returned < depth(d) && d->submitted < last_step(d));
}

void decode_ask(struct decode *d) { d->asked = d->returned + 1; }

bool decode_can_work(const struct decode *d) { return can_submit(d) || d->arrived < d->submitted; }

bool decode_work(struct decode *d, struct error *err) { return can_submit(d) ? submit_step(d, err) : arrive(d, err); }

bool decode_has(const struct decode *d) { return d->arrived > d->returned; }

void decode_take(struct decode *d, int32_t *tokens)
{
    const uint64_t step = d->returned + 1;
    for (uint32_t i = 0; i < d->n; i++) tokens[i] = d->sequences[i].live ? d->sequences[i].fed[step % KEPT] : -1;
    d->returned = step;
}

bool decode_next(struct decode *d, int32_t *tokens, struct error *err)
{
    decode_ask(d);
    while (can_submit(d) || !decode_has(d))
        if (!decode_work(d, err)) return false;
    decode_take(d, tokens);
    return true;
}

/* ---- beginning and end ---- */

void decode_drop(struct decode *d, uint32_t i)
{
    struct sequence *s = &d->sequences[i];
    if (!s->live) return;
    s->live = false;
    d->changed = true;
    if (d->submitted == d->returned) return;
    uint64_t step = d->returned / SNAPSHOT_EVERY * SNAPSHOT_EVERY;
    int32_t since[SNAPSHOT_EVERY];
    uint32_t n = 0;
    while (step + n < d->returned) since[n] = s->fed[(step + n) % KEPT], n++;
    rewind_plan(d->e, s->slot, step, s->position + step, since, n);
}

static void release(struct decode *d)
{
    if (d->parts.memory->owner == d) d->parts.memory->owner = NULL;
    for (; d->arrived < d->submitted; d->arrived++) gpu_release(d->parts.gpu, d->tickets[d->arrived % MAX_AHEAD]);
    free(d->sequences);
    free(d->rows);
    free(d->wishes);
    free(d->pasts);
    free(d);
}

void decode_destroy(struct decode *d)
{
    if (d) release(d);
}

struct decode *decode_gpu_create(struct exec *e, const struct decode_sequence *sequences, uint32_t n,
                                 const struct decode_limits *limits, struct error *err)
{
    struct decode *d = calloc(1, sizeof *d);
    if (!d) return fail_memory(err, "a generation"), NULL;
    *d = (struct decode){.e = e, .parts = gpu_exec_parts(e), .limits = *limits, .n = n, .changed = true};
    d->sequences = calloc(n, sizeof *d->sequences);
    d->rows = calloc(n, sizeof *d->rows);
    d->wishes = calloc(n, sizeof *d->wishes);
    d->pasts = calloc(n, sizeof *d->pasts);
    bool ok = d->sequences && d->rows && d->wishes && d->pasts;
    ok = ok ? reserve(e, &d->parts, err) : fail_memory(err, "a generation");
    for (uint32_t i = 0; ok && i < n; i++) {
        const struct decode_sequence *from = &sequences[i];
        struct sequence *s = &d->sequences[i];
        *s = (struct sequence){.live = true, .slot = from->slot, .position = from->position, .room = from->room};
        s->fed[0] = from->token;
        sampler_describe(from->sampler, &s->wish, &s->past);
        ok = rewind_now(e, s->slot, err) && rewind_reserve(e, s->slot, err);
    }
    if (ok) return d;
    release(d);
    return NULL;
}
