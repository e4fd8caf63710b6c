/* trace.h - what this process did and when: zones of CPU time and dispatches of the GPU on one clock (clock_ns).
 *
 * One recorder a process, for `--trace` (a file for Perfetto or Chrome) and `corvid bench --profile` (tables). It keeps
 * what it records in memory, at most TRACE_MAX of each kind; what comes after is counted only. While it is off, a zone
 * costs a branch. Recording is thread-safe; everything else belongs to one thread. Where a viewer is built in (viewer.h),
 * it sees every zone, and what of the GPU is recorded.
 *
 *   const struct trace_zone zone = trace_begin("compile");
 *   ... work ...
 *   trace_end(zone, kernel_name);
 */
#ifndef CORVID_BASE_TRACE_H
#define CORVID_BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/viewer.h"

enum { TRACE_MAX = 1 << 20 };

/* trace_is_on reads it, trace_start and trace_stop set it */
extern atomic_bool trace_recording;

static inline bool trace_is_on(void) { return atomic_load_explicit(&trace_recording, memory_order_relaxed); }

void trace_start(void); /* or goes on */
void trace_stop(void);  /* keeps what was recorded */
void trace_clear(void); /* stops, forgets everything, frees the memory */

/* ---- CPU zones ---- */

struct trace_zone {
    const char *name;  /* lives for ever */
    uint64_t began_ns; /* 0: nobody wants to know */
};

/* What the next two do while somebody does. */
struct trace_zone trace_open_zone(const char *name);
void trace_close_zone(struct trace_zone zone, const char *detail);

static inline struct trace_zone trace_begin(const char *name)
{
    return trace_is_on() || viewer_is_built ? trace_open_zone(name) : (struct trace_zone){0};
}

/* On the same thread. `detail` is copied and may be NULL. */
static inline void trace_end(struct trace_zone zone, const char *detail)
{
    if (zone.began_ns) trace_close_zone(zone, detail);
}

/* ---- the GPU ---- */

struct trace_dispatch {
    const char *kernel; /* of trace_keep */
    const char *op;     /* lives for ever; NULL: no operation of a model */
    int layer;          /* -1: outside of layers */
    uint32_t groups[3];
    uint64_t bytes, flops; /* see struct gpu_work */
    uint64_t begin_ns, end_ns;
};

/* dispatches that were submitted together */
struct trace_submission {
    const char *label; /* of trace_keep */
    size_t first, count;
    uint64_t begin_ns, end_ns; /* first to last timestamp */
};

/* A copy of the text that lives until trace_clear; equal texts are one. "" if memory runs out. */
const char *trace_keep(const char *text);

/* Adds a submission and its dispatches[0 .. n), n > 0, in order of time. */
void trace_add_submission(const char *label, const struct trace_dispatch *dispatches, size_t n);

/* All that were recorded; valid until the next one is. */
const struct trace_dispatch *trace_dispatches(size_t *n);
const struct trace_submission *trace_submissions(size_t *n);
uint64_t trace_dropped(void); /* zones and dispatches beyond TRACE_MAX, or without memory */

/* ---- the file ---- */

/* A fact for the file's head: "gpu", "NVIDIA H100". The first text of a key stays. */
void trace_tell(const char *key, const char *text);

/* Chrome's trace format, a JSON object. False if something could not be written: errno says what. */
bool trace_write(FILE *file);

#endif
