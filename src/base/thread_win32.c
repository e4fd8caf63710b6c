/* thread_win32.c - see thread.h */
#include <stdlib.h>
#include <windows.h>

#include "base/thread.h"

enum { MAX_THREADS = 64 };

struct job {
    void (*work)(void *user);
    void *user;
};

static DWORD WINAPI start(void *job)
{
    struct job *j = job;
    j->work(j->user);
    return 0;
}

void thread_run(int n, void (*work)(void *user), void *user)
{
    struct job job = {work, user};
    HANDLE threads[MAX_THREADS];
    int started = 0;
    while (started < n - 1 && started < MAX_THREADS) {
        threads[started] = CreateThread(NULL, 0, start, &job, 0, NULL);
        if (!threads[started]) break;
        started++;
    }
    work(user);
    for (int i = 0; i < started; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
}

/* ---- a thread of its own ---- */

struct thread {
    HANDLE handle;
    CRITICAL_SECTION section;
    CONDITION_VARIABLE woken;
    void (*work)(struct thread *self, void *user);
    void *user;
};

static DWORD WINAPI start_own(void *thread)
{
    struct thread *t = thread;
    t->work(t, t->user);
    return 0;
}

struct thread *thread_create(void (*work)(struct thread *self, void *user), void *user)
{
    struct thread *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->work = work;
    t->user = user;
    InitializeCriticalSection(&t->section);
    InitializeConditionVariable(&t->woken);
    t->handle = CreateThread(NULL, 0, start_own, t, 0, NULL);
    if (t->handle) return t;
    DeleteCriticalSection(&t->section);
    free(t);
    return NULL;
}

void thread_enter(struct thread *t) { EnterCriticalSection(&t->section); }
void thread_leave(struct thread *t) { LeaveCriticalSection(&t->section); }
void thread_wait(struct thread *t) { SleepConditionVariableCS(&t->woken, &t->section, INFINITE); }
void thread_wake(struct thread *t) { WakeAllConditionVariable(&t->woken); }

void thread_join(struct thread *t)
{
    if (!t) return;
    WaitForSingleObject(t->handle, INFINITE);
    CloseHandle(t->handle);
    DeleteCriticalSection(&t->section);
    free(t);
}

int thread_processors(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    int n = (int)info.dwNumberOfProcessors;
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
}
