/* thread_win32.c - see thread.h */
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

int thread_processors(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    int n = (int)info.dwNumberOfProcessors;
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
}
