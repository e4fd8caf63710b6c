/* viewer_tracy.c - zones and dispatches for the Tracy profiler; see viewer.h.
 *
 * Tracy takes the time of a CPU zone itself when it begins and ends, and knows where it belongs by the order on its
 * thread. GPU zones come with their times: a dispatch, and around those of a submission a zone of its own, is two
 * "queries" that are answered at once. Their context is created at clock_ns, so Tracy knows how that clock and its own
 * are to each other. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <tracy/TracyC.h>

#include "base/clock.h"
#include "base/trace.h"

enum { MAX_DEPTH = 32, CONTEXT = 0, TYPE_WEBGPU = 10 /* tracy::GpuContextType */, MAX_TEXT = 0xffff };

const bool viewer_is_built = true;

static _Thread_local struct {
    struct {
        struct trace_zone zone;
        TracyCZoneCtx shown;
    } open[MAX_DEPTH];
    int depth;
} zones;

static uint64_t location(const char *name, const char *function)
{
    static const char file[] = "corvid";
    return ___tracy_alloc_srcloc_name(0, file, sizeof file - 1, function, strlen(function), name, strlen(name), 0);
}

void viewer_begin(const struct trace_zone *zone)
{
    if (zones.depth == MAX_DEPTH) return;
    zones.open[zones.depth].zone = *zone;
    zones.open[zones.depth++].shown = ___tracy_emit_zone_begin_alloc(location(zone->name, zone->name), true);
}

void viewer_end(const struct trace_zone *zone, const char *detail)
{
    int at = zones.depth - 1;
    while (at >= 0 && (zones.open[at].zone.began_ns != zone->began_ns || zones.open[at].zone.name != zone->name)) at--;
    if (at < 0) return;
    while (zones.depth > at + 1) ___tracy_emit_zone_end(zones.open[--zones.depth].shown);
    size_t length = detail ? strlen(detail) : 0;
    if (length && length < MAX_TEXT) ___tracy_emit_zone_text(zones.open[at].shown, detail, length);
    ___tracy_emit_zone_end(zones.open[at].shown);
    zones.depth = at;
}

/* ---- the GPU ---- */

static void create_context(void)
{
    static const char name[] = "GPU";
    ___tracy_emit_gpu_new_context_serial((struct ___tracy_gpu_new_context_data){
        .gpuTime = (int64_t)clock_ns(), .period = 1, .context = CONTEXT, .type = TYPE_WEBGPU});
    ___tracy_emit_gpu_context_name_serial(
        (struct ___tracy_gpu_context_name_data){.context = CONTEXT, .name = name, .len = sizeof name - 1});
}

static void begin_gpu(uint16_t query, const char *name, const char *op)
{
    ___tracy_emit_gpu_zone_begin_alloc_serial((struct ___tracy_gpu_zone_begin_data){
        .srcloc = location(name, op ? op : name), .queryId = query, .context = CONTEXT});
}

static void end_gpu(uint16_t query)
{
    ___tracy_emit_gpu_zone_end_serial((struct ___tracy_gpu_zone_end_data){.queryId = query, .context = CONTEXT});
}

static void tell_time(uint16_t query, uint64_t ns)
{
    ___tracy_emit_gpu_time_serial(
        (struct ___tracy_gpu_time_data){.gpuTime = (int64_t)ns, .queryId = query, .context = CONTEXT});
}

void viewer_submission(const char *label, const struct trace_dispatch *dispatches, size_t n)
{
    static atomic_bool created;
    static atomic_flag busy = ATOMIC_FLAG_INIT; /* zones of two submissions must not mix */
    while (atomic_flag_test_and_set(&busy)) continue;
    if (!atomic_exchange(&created, true)) create_context();
    uint16_t query = 0; /* those of the submission before are answered */
    begin_gpu(query, label, NULL);
    tell_time(query++, dispatches[0].begin_ns);
    for (size_t i = 0; i < n; i++) {
        begin_gpu(query, dispatches[i].kernel, dispatches[i].op);
        tell_time(query++, dispatches[i].begin_ns);
        end_gpu(query);
        tell_time(query++, dispatches[i].end_ns);
    }
    end_gpu(query);
    tell_time(query, dispatches[n - 1].end_ns);
    atomic_flag_clear(&busy);
}
