/* thread_posix.c - see thread.h */
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* the number of processors is not in POSIX */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/thread.h"

enum { MAX_THREADS = 64 };

struct job {
    void (*work)(void *user);
    void *user;
};

static void *start(void *job)
{
    struct job *j = job;
    j->work(j->user);
    return NULL;
}

void thread_run(int n, void (*work)(void *user), void *user)
{
    struct job job = {work, user};
    pthread_t threads[MAX_THREADS];
    int started = 0;
    while (started < n - 1 && started < MAX_THREADS && !pthread_create(&threads[started], NULL, start, &job)) started++;
    work(user);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
}

/* ---- a thread of its own ---- */

struct thread {
    pthread_t handle;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    void (*work)(struct thread *self, void *user);
    void *user;
};

static void *start_own(void *thread)
{
    struct thread *t = thread;
    t->work(t, t->user);
    return NULL;
}

struct thread *thread_create(void (*work)(struct thread *self, void *user), void *user)
{
    struct thread *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->work = work;
    t->user = user;
    sigset_t all, before;
    sigfillset(&all);
    bool ok = !pthread_mutex_init(&t->mutex, NULL);
    if (ok && pthread_cond_init(&t->woken, NULL)) {
        pthread_mutex_destroy(&t->mutex);
        ok = false;
    }
    if (ok) {
        pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it: Ctrl-C is for its maker */
        bool made = !pthread_create(&t->handle, NULL, start_own, t);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (made) return t;
        pthread_cond_destroy(&t->woken);
        pthread_mutex_destroy(&t->mutex);
    }
    free(t);
    return NULL;
}

void thread_enter(struct thread *t) { pthread_mutex_lock(&t->mutex); }
void thread_leave(struct thread *t) { pthread_mutex_unlock(&t->mutex); }
void thread_wait(struct thread *t) { pthread_cond_wait(&t->woken, &t->mutex); }
void thread_wake(struct thread *t) { pthread_cond_broadcast(&t->woken); }

void thread_join(struct thread *t)
{
    if (!t) return;
    pthread_join(t->handle, NULL);
    pthread_cond_destroy(&t->woken);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

int thread_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}
