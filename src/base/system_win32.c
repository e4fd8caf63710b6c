/* system_win32.c - see system.h. Windows tells its version only through the registry without deceiving old programs. */
#include <stdio.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/system.h"

void system_describe(char *out, size_t capacity)
{
    char build[32] = "of an unknown build";
    DWORD size = sizeof build;
    RegGetValueA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "CurrentBuildNumber",
                 RRF_RT_REG_SZ, NULL, build, &size);
    SYSTEM_INFO info;
    GetNativeSystemInfo(&info);
    const char *machine = info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_ARM64 ? "arm64" : "x86_64";
    snprintf(out, capacity, "Windows %s %s", build, machine);
}
