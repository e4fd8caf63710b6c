/* thread_none.c - a platform without threads; see thread.h */
#include "base/thread.h"

void thread_run(int n, void (*work)(void *user), void *user)
{
    (void)n;
    work(user);
}

int thread_processors(void) { return 1; }
