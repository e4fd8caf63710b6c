/* thread.h - the same work on several threads, and a thread of its own for other work. */
#ifndef CORVID_BASE_THREAD_H
#define CORVID_BASE_THREAD_H

#include <stdbool.h>

/* Calls work(user) on `n` threads, the caller's among them, and returns when all calls have. Fewer threads are used
 * where the system refuses more or has none; one call happens in any case. */
void thread_run(int n, void (*work)(void *user), void *user);

/* A thread that does work(user) beside its maker, and gets no signals. NULL where the system has or gives none. The two
 * share a lock: between thread_enter and thread_leave only one of them is. thread_wait leaves, waits until the other
 * has called thread_wake, or for no reason, and enters. */
struct thread;
struct thread *thread_create(void (*work)(struct thread *self, void *user), void *user);
void thread_enter(struct thread *t);
void thread_leave(struct thread *t);
void thread_wait(struct thread *t);
void thread_wake(struct thread *t);
void thread_join(struct thread *t); /* waits until the work has returned; accepts NULL */

/* Processors that this process may use, at least 1. */
int thread_processors(void);

#endif
