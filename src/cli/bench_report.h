/* bench_report.h - the results of `corvid bench` as a table, JSON or CSV, in llama-bench's conventions. */
#ifndef CORVID_CLI_BENCH_REPORT_H
#define CORVID_CLI_BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/bench_profile.h"
#include "corvid.h"

enum { BENCH_SAMPLES_MAX = 100 };

struct bench_result {
    const corvid_model_info *model;
    const corvid_device_info *device;
    size_t batch, n_prompt, n_generate; /* one of the last two is 0 */
    bool read_logits;
    double cpu_ms; /* processor time of a step */
    uint64_t samples_ns[BENCH_SAMPLES_MAX];
    size_t n_samples;
    double avg_ns, stddev_ns, avg_ts, stddev_ts; /* ts: tokens of all sequences a second */
};

/* Computes means and sample standard deviations. */
void bench_result_sum(struct bench_result *r);

struct bench_report {
    enum { BENCH_MARKDOWN, BENCH_JSON, BENCH_CSV } format;
    size_t n_results;
    json_t *array;
    struct bench_profile *profiles; /* of a table, whose rows they follow */
    size_t n_profiles;
};

/* False if `format` is none of md, json, csv; nothing is printed before the first result. */
bool bench_report_begin(struct bench_report *b, const char *format);
/* Rows of a table and of CSV are printed at once, JSON at the end. */
void bench_report_add(struct bench_report *b, const struct bench_result *r);
/* Takes the profile of the result that was added last; false if memory ran out. */
bool bench_report_profile(struct bench_report *b, const struct bench_result *r, struct bench_profile *p);
void bench_report_end(struct bench_report *b);

#endif
