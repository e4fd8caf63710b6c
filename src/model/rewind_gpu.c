/* rewind_gpu.c - takes a state back from what a generation made ahead.
 *
 * A state that has taken in tokens made ahead cannot go back by itself, unless it has a row for each position. So
 * before every SNAPSHOT_EVERY-th step of a generation the state of each sequence is copied. When a sequence ends, it is
 * noted which copy is the newest that is not too new, and which tokens came since. Whoever uses the slot next has the
 * copy put back and the tokens fed, one by one as before: the very same numbers. Most sessions of a server are never
 * used again: theirs cost nothing. */
#include <string.h>

#include "model/exec_gpu.h"

static struct rewind *find(struct exec *e, uint32_t slot)
{
    struct decode_memory *m = gpu_exec_parts(e).memory;
    return m->rewinds ? &m->rewinds[slot] : NULL;
}

bool rewind_reserve(struct exec *e, uint32_t slot, struct error *err)
{
    struct rewind *r = find(e, slot);
    uint64_t bytes = gpu_exec_fixed_bytes(e);
    if (bytes && !r->snapshots)
        r->snapshots = gpu_buffer_create(gpu_exec_parts(e).gpu, "snapshots", SNAPSHOTS * bytes, err);
    return !bytes || r->snapshots;
}

static void copy(struct exec *e, uint32_t slot, uint64_t step, bool back)
{
    uint64_t bytes = gpu_exec_fixed_bytes(e), place = step / SNAPSHOT_EVERY % SNAPSHOTS;
    gpu_exec_copy_fixed(e, slot, (struct gpu_range){find(e, slot)->snapshots, place * bytes, bytes}, back);
}

void rewind_keep(struct exec *e, uint32_t slot, uint64_t step)
{
    if (step % SNAPSHOT_EVERY == 0 && gpu_exec_fixed_bytes(e)) copy(e, slot, step, false);
}

void rewind_plan(struct exec *e, uint32_t slot, uint64_t step, uint64_t position, const int32_t *tokens, uint32_t n)
{
    struct rewind *r = find(e, slot);
    if (!gpu_exec_fixed_bytes(e)) return;
    r->due = true;
    r->step = step;
    r->position = position;
    r->n_tokens = n;
    memcpy(r->tokens, tokens, n * sizeof *tokens);
}

/* a step of the slot alone */
static bool feed(struct exec *e, uint32_t slot, uint64_t position, int32_t token, struct error *err)
{
    struct gpu_exec_parts p = gpu_exec_parts(e);
    struct step *s = &p.memory->step;
    step_clear(s);
    s->n_tokens = s->n_seqs = 1;
    s->token[0] = token < 0 ? 0 : (uint32_t)token;
    s->position[0] = (uint32_t)position;
    s->seq[0] = s->first[0] = 0;
    s->count[0] = 1;
    s->slot[0] = slot;
    step_seal(s);
    gpu_write(p.gpu, p.batch, 0, s->words, s->n_words * sizeof *s->words);
    gpu_begin(p.gpu, "feed again");
    gpu_exec_encode(e, s);
    return gpu_submit(p.gpu, err);
}

bool rewind_now(struct exec *e, uint32_t slot, struct error *err)
{
    struct gpu_exec_parts p = gpu_exec_parts(e);
    struct rewind *r = find(e, slot);
    if (!r || !r->due) return true;
    p.memory->owner = NULL;
    gpu_begin(p.gpu, "go back");
    copy(e, slot, r->step, true);
    bool ok = gpu_submit(p.gpu, err);
    for (uint32_t i = 0; ok && i < r->n_tokens; i++) ok = feed(e, slot, r->position + i, r->tokens[i], err);
    r->due = !ok; /* it can be tried again */
    return ok;
}

void rewind_forget(struct exec *e, uint32_t slot)
{
    struct rewind *r = find(e, slot);
    if (r) r->due = false;
}
