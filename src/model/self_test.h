/* self_test.h - a small case for each op and each weight type: what `corvid doctor` runs on a user's machine. Few and
 * quick; the tests of ops (tests/ops) go through many more sizes. */
#ifndef CORVID_MODEL_SELF_TEST_H
#define CORVID_MODEL_SELF_TEST_H

#include "model/op_case.h"

/* The index-th case; false past the last. f16: the device computes with it, which allows matrix products more error.
 * large: matrices for kernels that small ones are not given to, which take their time without matrix units, come too. */
bool self_test_case(size_t index, bool f16, bool large, struct op_case *out);

#endif
