/* thread.h - the same work on several threads. */
#ifndef CORVID_BASE_THREAD_H
#define CORVID_BASE_THREAD_H

/* Calls work(user) on `n` threads, the caller's among them, and returns when all calls have. Fewer threads are used
 * where the system refuses more or has none; one call happens in any case. */
void thread_run(int n, void (*work)(void *user), void *user);

/* Processors that this process may use, at least 1. */
int thread_processors(void);

#endif
