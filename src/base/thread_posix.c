/* thread_posix.c - see thread.h */
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* the number of processors is not in POSIX */
#include <pthread.h>
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

int thread_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}
