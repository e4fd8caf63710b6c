/* viewer.h - shows zones and dispatches to a profiler while they happen: to Tracy in builds with CORVID_TRACY
 * (viewer_tracy.c), to none in others (viewer_quiet.c). For trace.c, on the thread whose zone it is; what a submission
 * holds may be on any. */
#ifndef CORVID_BASE_VIEWER_H
#define CORVID_BASE_VIEWER_H

#include <stdbool.h>
#include <stddef.h>

struct trace_zone;
struct trace_dispatch;

extern const bool viewer_is_built;

/* Zones end in the reverse order; one whose end never comes ends with the zone around it. detail may be NULL. */
void viewer_begin(const struct trace_zone *zone);
void viewer_end(const struct trace_zone *zone, const char *detail);

/* dispatches[0 .. n), n > 0, in order of time, on clock_ns */
void viewer_submission(const char *label, const struct trace_dispatch *dispatches, size_t n);

#endif
