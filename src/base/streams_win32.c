/* streams_win32.c - see streams.h */
#include "base/streams.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

void streams_start(void)
{
    SetConsoleOutputCP(CP_UTF8);
    SetConsoleCP(CP_UTF8);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stdin), _O_BINARY);
}

bool streams_input_ready(int timeout_ms)
{
    (void)timeout_ms;
    return true;
}
