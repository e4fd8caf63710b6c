/* tiny_gemma.h - a Gemma 3 small enough for every test run: random weights, a window of a few tokens. */
#ifndef CORVID_TESTS_SUPPORT_TINY_GEMMA_H
#define CORVID_TESTS_SUPPORT_TINY_GEMMA_H

#include "support/model_case.h"

enum { TINY_VOCABULARY = 64, TINY_WINDOW = 8, TINY_CONTEXT = 400, TINY_LAYERS = 7 };

/* Writes the model and returns its path. 7 layers: the sixth sees all positions, the others the window. */
struct path tiny_gemma_write(uint32_t layers);

/* Checks on a device which tokens the last one sees: in one layer exactly the window, in seven all. */
void tiny_gemma_check_windows(corvid_device *device);

#endif
