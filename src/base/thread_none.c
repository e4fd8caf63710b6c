/* thread_none.c - a platform without threads; see thread.h */
#include "base/thread.h"

#include <stddef.h>

void thread_run(int n, void (*work)(void *user), void *user)
{
    (void)n;
    work(user);
}

struct thread *thread_create(void (*work)(struct thread *self, void *user), void *user)
{
    (void)work, (void)user;
    return NULL;
}

void thread_enter(struct thread *t) { (void)t; }
void thread_leave(struct thread *t) { (void)t; }
void thread_wait(struct thread *t) { (void)t; }
void thread_wake(struct thread *t) { (void)t; }
void thread_join(struct thread *t) { (void)t; }

int thread_processors(void) { return 1; }
