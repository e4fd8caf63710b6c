/* terminal_win32.c - see terminal.h */
#include "base/terminal.h"

#include <io.h>
#include <stdint.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static volatile sig_atomic_t interrupts;

/* runs on a thread of its own, one at a time */
static BOOL WINAPI count_interrupt(DWORD event)
{
    if (event != CTRL_C_EVENT) return FALSE;
    interrupts = interrupts + 1;
    return TRUE;
}

bool terminal_is(int fd)
{
    DWORD mode;
    /* _isatty is also true for NUL and serial ports */
    return _isatty(fd) && GetConsoleMode((HANDLE)_get_osfhandle(fd), &mode);
}

int terminal_columns(int fd)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!terminal_is(fd) || !GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(fd), &info)) return 80;
    return info.srWindow.Right - info.srWindow.Left + 1;
}

volatile sig_atomic_t *terminal_interrupts(void)
{
    SetConsoleCtrlHandler(count_interrupt, TRUE);
    return &interrupts;
}
