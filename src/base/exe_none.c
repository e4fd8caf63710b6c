/* exe_none.c - file_exe_dir of file.h where programs have no folder */
#include "base/file.h"

bool file_exe_dir(char *dir, size_t size)
{
    (void)dir;
    (void)size;
    return false;
}
