/* ahead.c - see ahead.h. The thread works without the lock that the two share, in small pieces: a step, or the wait for
 * one. The tokens need no queue of their own: struct decode keeps those that were not taken (decode_gpu.c), and does not
 * go further ahead than it may. */
#include "engine/ahead.h"

#include "base/thread.h"

static void work(struct thread *self, void *user)
{
    struct ahead *a = user;
    thread_enter(self);
    while (!a->quit) {
        struct ahead_work *w = a->work;
        if (!w || w->failed || !decode_can_work(w->decode)) {
            thread_wait(self);
            continue;
        }
        a->busy = true;
        thread_leave(self);
        bool ok = decode_work(w->decode, &w->error);
        thread_enter(self);
        a->busy = false;
        w->failed = !ok;
        thread_wake(self);
    }
    thread_leave(self);
}

static bool start(struct ahead *a)
{
    if (!a->thread) a->thread = thread_create(work, a);
    return a->thread != NULL;
}

bool ahead_next(struct ahead *a, struct ahead_work *w, int32_t *tokens, struct error *err)
{
    if (!start(a)) return decode_next(w->decode, tokens, err);
    thread_enter(a->thread);
    a->work = w;
    decode_ask(w->decode);
    thread_wake(a->thread);
    while (!decode_has(w->decode) && !w->failed) thread_wait(a->thread);
    bool ok = !w->failed;
    if (ok) decode_take(w->decode, tokens);
    else if (err) *err = w->error;
    thread_wake(a->thread);
    thread_leave(a->thread);
    return ok;
}

void ahead_rest(struct ahead *a)
{
    if (!a->thread) return;
    thread_enter(a->thread);
    a->work = NULL;
    while (a->busy) thread_wait(a->thread);
    thread_leave(a->thread);
}

void ahead_end(struct ahead *a)
{
    if (!a->thread) return;
    thread_enter(a->thread);
    a->quit = true;
    thread_wake(a->thread);
    thread_leave(a->thread);
    thread_join(a->thread);
    *a = (struct ahead){.thread = NULL};
}
