/* viewer_quiet.c - no profiler is built in; see viewer.h */
#include "base/viewer.h"

const bool viewer_is_built = false;

void viewer_begin(const struct trace_zone *zone) { (void)zone; }

void viewer_end(const struct trace_zone *zone, const char *detail) { (void)zone, (void)detail; }

void viewer_submission(const char *label, const struct trace_dispatch *dispatches, size_t n)
{
    (void)label, (void)dispatches, (void)n;
}
