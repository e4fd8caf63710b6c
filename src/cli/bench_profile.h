/* bench_profile.h - `corvid bench --profile`: where the GPU's time of a test goes, by kernel, operation and layer. */
#ifndef CORVID_CLI_BENCH_PROFILE_H
#define CORVID_CLI_BENCH_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* dispatches that are alike, and what they did together */
struct profile_row {
    const char *kernel, *op; /* kernel: NULL in sums by operation and layer; op: "" if there is none */
    int layer;
    uint32_t groups[3];
    uint64_t call_bytes; /* of one dispatch, in rows of kernels: tells matrices apart */
    uint64_t calls, ns, bytes, flops;
};

struct profile_table {
    struct profile_row *rows;
    size_t n, capacity;
};

struct bench_profile {
    struct arena texts;
    char title[64];                            /* what was measured: "pp512, batch 1" */
    struct profile_table kernels, ops, layers; /* kernels of one size; the first two with the longest first */
    uint64_t dispatches_ns;                    /* sum of the rows of each table */
    uint64_t gpu_ns;                           /* from first to last timestamp, over all submissions */
    double wall_ns, plain_ns;                  /* of the run, and of one without timestamps */
    double ceiling;                            /* bytes a second */
};

/* From what the trace holds; needs it no longer afterwards. False if memory ran out or the trace does not hold all of
 * the run. */
bool bench_profile_make(struct bench_profile *p);
void bench_profile_free(struct bench_profile *p);

/* Three tables for people. */
void bench_profile_print(const struct bench_profile *p);
json_t *bench_profile_json(const struct bench_profile *p);

#endif
