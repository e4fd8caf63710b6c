/* trace.c - see trace.h. Three growing arrays behind a lock that is held for the time of an append, and the texts they
 * point to. The file's format: docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU ("Trace Event
 * Format"), complete events ("ph": "X") with times in microseconds since the first one. */
#include "base/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"

enum { CPU = 1, GPU = 2 }; /* processes in the file */
enum { MAX_FACTS = 16 };

struct zone {
    const char *name, *detail;
    uint64_t begin_ns, end_ns;
    unsigned thread;
};

struct list {
    void *items;
    size_t n, capacity;
};

atomic_bool trace_recording;

static struct {
    atomic_flag lock;
    struct list zones, dispatches, submissions;
    uint64_t dropped;
    struct arena texts;
    struct map kept; /* text -> its address in texts */
    const char *facts[MAX_FACTS][2];
    int n_facts;
} trace = {.lock = ATOMIC_FLAG_INIT};

static void lock(void)
{
    while (atomic_flag_test_and_set(&trace.lock)) continue;
}

static void unlock(void) { atomic_flag_clear(&trace.lock); }

/* threads are numbered from 1 in the order of their first zone */
static unsigned this_thread(void)
{
    static atomic_uint count;
    static _Thread_local unsigned number;
    if (!number) number = atomic_fetch_add(&count, 1) + 1;
    return number;
}

void trace_start(void) { atomic_store(&trace_recording, true); }

void trace_stop(void) { atomic_store(&trace_recording, false); }

void trace_clear(void)
{
    trace_stop();
    free(trace.zones.items);
    free(trace.dispatches.items);
    free(trace.submissions.items);
    trace.zones = trace.dispatches = trace.submissions = (struct list){0};
    map_free(&trace.kept);
    arena_free(&trace.texts);
    trace.dropped = 0;
    trace.n_facts = 0;
}

/* room for n more; NULL, and counted, if there is none */
static void *append(struct list *list, size_t n, size_t item_bytes)
{
    if (list->n + n > list->capacity) {
        size_t capacity = list->capacity ? list->capacity : 1024;
        while (capacity < list->n + n) capacity *= 2;
        void *larger = capacity <= TRACE_MAX ? realloc(list->items, capacity * item_bytes) : NULL;
        if (!larger) {
            trace.dropped += n;
            return NULL;
        }
        list->items = larger;
        list->capacity = capacity;
    }
    void *items = (char *)list->items + list->n * item_bytes;
    list->n += n;
    return items;
}

static const char *keep(const char *text)
{
    size_t length = strlen(text);
    int64_t at;
    if (map_get(&trace.kept, text, length, &at)) return (const char *)(intptr_t)at;
    char *copy = arena_copy(&trace.texts, text, length);
    if (!copy || map_add(&trace.kept, copy, length, (int64_t)(intptr_t)copy) == MAP_NO_MEMORY) return "";
    return copy;
}

const char *trace_keep(const char *text)
{
    lock();
    const char *kept = keep(text);
    unlock();
    return kept;
}

struct trace_zone trace_open_zone(const char *name)
{
    struct trace_zone zone = {name, clock_ns()};
    viewer_begin(&zone);
    return zone;
}

void trace_close_zone(struct trace_zone zone, const char *detail)
{
    uint64_t now = clock_ns();
    unsigned thread = this_thread();
    viewer_end(&zone, detail);
    if (!trace_is_on()) return;
    lock();
    struct zone *z = append(&trace.zones, 1, sizeof *z);
    if (z) *z = (struct zone){zone.name, detail ? keep(detail) : NULL, zone.began_ns, now, thread};
    unlock();
}

void trace_add_submission(const char *label, const struct trace_dispatch *dispatches, size_t n)
{
    lock();
    struct trace_dispatch *d = append(&trace.dispatches, n, sizeof *d);
    struct trace_submission *s = d ? append(&trace.submissions, 1, sizeof *s) : NULL;
    if (d) memcpy(d, dispatches, n * sizeof *d);
    if (s)
        *s = (struct trace_submission){keep(label), trace.dispatches.n - n, n, dispatches[0].begin_ns,
                                       dispatches[n - 1].end_ns};
    unlock();
    viewer_submission(label, dispatches, n);
}

const struct trace_dispatch *trace_dispatches(size_t *n)
{
    *n = trace.dispatches.n;
    return trace.dispatches.items;
}

const struct trace_submission *trace_submissions(size_t *n)
{
    *n = trace.submissions.n;
    return trace.submissions.items;
}

uint64_t trace_dropped(void) { return trace.dropped; }

void trace_tell(const char *key, const char *text)
{
    lock();
    bool known = trace.n_facts == MAX_FACTS;
    for (int i = 0; i < trace.n_facts; i++) known |= !strcmp(trace.facts[i][0], key);
    if (!known) {
        trace.facts[trace.n_facts][0] = keep(key);
        trace.facts[trace.n_facts++][1] = keep(text);
    }
    unlock();
}

/* ---- the file ---- */

static void write_text(FILE *f, const char *text)
{
    putc('"', f);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') fprintf(f, "\\%c", *c);
        else if (*c < 0x20) fprintf(f, "\\u%04x", *c);
        else putc(*c, f);
    }
    putc('"', f);
}

static void write_head(FILE *f)
{
    fputs("{\"displayTimeUnit\": \"ns\",\n\"otherData\": {", f);
    for (int i = 0; i < trace.n_facts; i++) {
        write_text(f, trace.facts[i][0]);
        fputs(": ", f);
        write_text(f, trace.facts[i][1]);
        fputs(", ", f);
    }
    fprintf(f, "\"dropped\": %llu},\n\"traceEvents\": [\n", (unsigned long long)trace.dropped);
    static const char *const names[][2] = {{"1", "CPU"}, {"2", "GPU"}};
    for (int i = 0; i < 2; i++)
        fprintf(f, "%s{\"ph\": \"M\", \"pid\": %s, \"name\": \"process_name\", \"args\": {\"name\": \"%s\"}}",
                i ? ",\n" : "", names[i][0], names[i][1]);
}

/* "{"ph": "X", ..." up to the arguments */
static void begin_event(FILE *f, int process, unsigned thread, const char *name, uint64_t start_ns, uint64_t begin_ns,
                        uint64_t end_ns)
{
    uint64_t at = begin_ns > start_ns ? begin_ns - start_ns : 0, length = end_ns > begin_ns ? end_ns - begin_ns : 0;
    fputs(",\n{\"ph\": \"X\", \"name\": ", f);
    write_text(f, name);
    fprintf(f, ", \"pid\": %d, \"tid\": %u, \"ts\": %llu.%03u, \"dur\": %llu.%03u", process, thread,
            (unsigned long long)(at / 1000), (unsigned)(at % 1000), (unsigned long long)(length / 1000),
            (unsigned)(length % 1000));
}

static void write_zones(FILE *f, uint64_t start_ns)
{
    const struct zone *zones = trace.zones.items;
    for (size_t i = 0; i < trace.zones.n; i++) {
        begin_event(f, CPU, zones[i].thread, zones[i].name, start_ns, zones[i].begin_ns, zones[i].end_ns);
        if (zones[i].detail) {
            fputs(", \"args\": {\"detail\": ", f);
            write_text(f, zones[i].detail);
            putc('}', f);
        }
        putc('}', f);
    }
}

static void write_dispatch(FILE *f, uint64_t start_ns, const struct trace_dispatch *d)
{
    begin_event(f, GPU, 1, d->kernel, start_ns, d->begin_ns, d->end_ns);
    fputs(", \"args\": {", f);
    if (d->op) {
        fputs("\"op\": ", f);
        write_text(f, d->op);
        if (d->layer >= 0) fprintf(f, ", \"layer\": %d", d->layer);
        fputs(", ", f);
    }
    fprintf(f, "\"groups\": [%u, %u, %u], \"bytes\": %llu, \"flops\": %llu}}", d->groups[0], d->groups[1], d->groups[2],
            (unsigned long long)d->bytes, (unsigned long long)d->flops);
}

bool trace_write(FILE *file)
{
    const struct zone *zones = trace.zones.items;
    const struct trace_submission *submissions = trace.submissions.items;
    const struct trace_dispatch *dispatches = trace.dispatches.items;
    uint64_t start_ns = UINT64_MAX; /* zones are listed by their ends */
    for (size_t i = 0; i < trace.zones.n; i++)
        if (zones[i].begin_ns < start_ns) start_ns = zones[i].begin_ns;
    for (size_t i = 0; i < trace.submissions.n; i++)
        if (submissions[i].begin_ns < start_ns) start_ns = submissions[i].begin_ns;
    write_head(file);
    write_zones(file, start_ns);
    for (size_t i = 0; i < trace.submissions.n; i++) {
        const struct trace_submission *s = &submissions[i];
        begin_event(file, GPU, 1, s->label, start_ns, s->begin_ns, s->end_ns);
        putc('}', file);
        for (size_t k = s->first; k < s->first + s->count; k++) write_dispatch(file, start_ns, &dispatches[k]);
    }
    fputs("\n]}\n", file);
    return !ferror(file);
}
