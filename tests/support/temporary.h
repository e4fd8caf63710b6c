/* temporary.h - files for the time of one test program, in a folder of their own. */
#ifndef CORVID_TESTS_SUPPORT_TEMPORARY_H
#define CORVID_TESTS_SUPPORT_TEMPORARY_H

#include "support/model_case.h"

/* The path for a file of that name. When the program ends, the folder is removed with all that is in it. */
struct path temporary(const char *name);

#endif
