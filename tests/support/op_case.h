/* op_case.h - op cases (model/op_case.h) as cmocka tests, on a device with all its features and without. */
#ifndef CORVID_TESTS_SUPPORT_OP_CASE_H
#define CORVID_TESTS_SUPPORT_OP_CASE_H

#include "model/op_graphs.h"

struct gpu_case {
    struct op_case c;
    struct gpu *gpu;
    uint64_t max_binding_bytes; /* pretend that the device has or allows no more; 0: what it does */
    uint32_t max_workgroup_bytes, subgroup_size;
    bool hardware;       /* pretend that it is no software */
    const char *backend; /* as in gpu_info; NULL: what the device has */
};

/* A cmocka test whose initial state is a gpu_case. */
void case_run(void **test_state);

/* The two ways in which kernels differ from device to device. The GPU is opened once. */
enum variant { VARIANT_PLAIN, VARIANT_FEATURES, N_VARIANTS };
struct gpu *case_gpu(enum variant v);          /* aborts if there is none */
const char *case_variant_name(enum variant v); /* "plain", "subgroup f16" */
void case_close(void);

#endif
