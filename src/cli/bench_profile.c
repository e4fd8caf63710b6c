/* bench_profile.c - see bench_profile.h. The trace's dispatches are summed three ways; the rows of each table add up to
 * the same time. */
#include "cli/bench_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "cli/out.h"

static bool alike(const struct profile_row *r, const struct profile_row *key)
{
    /* kernels and operations are kept once: their addresses tell them apart */
    return r->kernel == key->kernel && r->op == key->op && r->layer == key->layer && r->call_bytes == key->call_bytes &&
           !memcmp(r->groups, key->groups, sizeof r->groups);
}

static bool add(struct profile_table *t, struct profile_row key, const struct trace_dispatch *d)
{
    size_t i = 0;
    while (i < t->n && !alike(&t->rows[i], &key)) i++;
    if (i == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct profile_row *larger = realloc(t->rows, capacity * sizeof *larger);
        if (!larger) return false;
        t->rows = larger;
        t->capacity = capacity;
    }
    if (i == t->n) t->rows[t->n++] = key;
    t->rows[i].calls++;
    t->rows[i].ns += d->end_ns - d->begin_ns;
    t->rows[i].bytes += d->bytes;
    t->rows[i].flops += d->flops;
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct profile_row *x = a, *y = b;
    return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

static int by_layer(const void *a, const void *b)
{
    const struct profile_row *x = a, *y = b;
    return x->layer - y->layer;
}

static void sort(struct profile_table *t, int (*order)(const void *, const void *))
{
    if (t->n) qsort(t->rows, t->n, sizeof *t->rows, order);
}

/* the trace's texts do not outlive it */
static bool keep_texts(struct bench_profile *p, struct profile_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct profile_row *r = &t->rows[i];
        if (r->kernel) r->kernel = arena_copy(&p->texts, r->kernel, strlen(r->kernel));
        r->op = arena_copy(&p->texts, r->op, strlen(r->op));
        if (!r->op) return false;
    }
    return true;
}

bool bench_profile_make(struct bench_profile *p)
{
    size_t n, n_submissions;
    const struct trace_dispatch *d = trace_dispatches(&n);
    const struct trace_submission *s = trace_submissions(&n_submissions);
    for (size_t i = 0; i < n_submissions; i++) p->gpu_ns += s[i].end_ns - s[i].begin_ns;
    for (size_t i = 0; i < n; i++) {
        const char *op = d[i].op ? d[i].op : "";
        struct profile_row kernel = {.kernel = d[i].kernel,
                                     .op = op,
                                     .groups = {d[i].groups[0], d[i].groups[1], d[i].groups[2]},
                                     .call_bytes = d[i].bytes};
        if (!add(&p->kernels, kernel, &d[i]) || !add(&p->ops, (struct profile_row){.op = op}, &d[i]) ||
            !add(&p->layers, (struct profile_row){.op = "", .layer = d[i].layer}, &d[i]))
            return false;
        p->dispatches_ns += d[i].end_ns - d[i].begin_ns;
    }
    sort(&p->kernels, by_time);
    sort(&p->ops, by_time);
    sort(&p->layers, by_layer);
    return n && !trace_dropped() && keep_texts(p, &p->kernels) && keep_texts(p, &p->ops) && keep_texts(p, &p->layers);
}

void bench_profile_free(struct bench_profile *p)
{
    free(p->kernels.rows);
    free(p->ops.rows);
    free(p->layers.rows);
    arena_free(&p->texts);
    *p = (struct bench_profile){.ceiling = 0};
}

/* ---- numbers of a row ---- */

static double part(double of, double whole) { return whole > 0 ? of / whole : 0; }
static double mean_us(const struct profile_row *r) { return part((double)r->ns / 1e3, (double)r->calls); }
static double bandwidth(const struct profile_row *r) { return part((double)r->bytes * 1e9, (double)r->ns); }
static double speed(const struct profile_row *r) { return part((double)r->flops * 1e9, (double)r->ns); }
static double share(const struct bench_profile *p, const struct profile_row *r)
{
    return part((double)r->ns, (double)p->dispatches_ns);
}
static double overhead(const struct bench_profile *p) { return part(p->wall_ns, p->plain_ns) - 1; }

/* ---- tables ---- */

static void print_numbers(const struct bench_profile *p, const struct profile_row *r)
{
    out_printf(" %6llu | %9.3f | %5.1f %% | %9.2f | %7.1f | %5.1f %% | %7.3f |", (unsigned long long)r->calls,
               (double)r->ns / 1e6, 100 * share(p, r), mean_us(r), bandwidth(r) / 1e9,
               100 * part(bandwidth(r), p->ceiling), speed(r) / 1e12);
}

static void print_head(const char *first, const char *more, const char *more_line)
{
    out_printf("\n| %-12s | %6s | %9s | %7s | %9s | %7s | %7s | %7s |%s\n", first, "calls", "ms", "share", "mean us",
               "GB/s", "ceiling", "TFLOP/s", more);
    out_printf("|:-------------|-------:|----------:|--------:|----------:|--------:|--------:|--------:|%s\n",
               more_line);
}

void bench_profile_print(const struct bench_profile *p)
{
    out_printf("\n%s: %.3f ms, with timestamps %.3f ms (%+.1f %%), of which dispatches take %.3f ms; reading memory: "
               "%.1f GB/s\n",
               p->title, p->plain_ns / 1e6, p->wall_ns / 1e6, 100 * overhead(p), (double)p->dispatches_ns / 1e6,
               p->ceiling / 1e9);
    print_head("operation", "", "");
    for (size_t i = 0; i < p->ops.n; i++) {
        out_printf("| %-12s |", *p->ops.rows[i].op ? p->ops.rows[i].op : "other");
        print_numbers(p, &p->ops.rows[i]);
        out_text("\n");
    }
    print_head("layer", "", "");
    for (size_t i = 0; i < p->layers.n; i++) {
        const struct profile_row *r = &p->layers.rows[i];
        if (r->layer < 0) out_printf("| %-12s |", "none");
        else out_printf("| %-12d |", r->layer);
        print_numbers(p, r);
        out_text("\n");
    }
    print_head("groups", " MB a call | kernel |", "----------:|:-------|");
    for (size_t i = 0; i < p->kernels.n; i++) {
        const struct profile_row *r = &p->kernels.rows[i];
        char groups[40];
        snprintf(groups, sizeof groups, "%u %u %u", r->groups[0], r->groups[1], r->groups[2]);
        out_printf("| %-12s |", groups);
        print_numbers(p, r);
        out_printf(" %9.3f | %s: %s |\n", (double)r->call_bytes / 1e6, *r->op ? r->op : "other", r->kernel);
    }
}

/* ---- JSON ---- */

static json_t *json_row(const struct bench_profile *p, const struct profile_row *r)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "calls", (json_int_t)r->calls, "ns",
                     (json_int_t)r->ns, "bytes", (json_int_t)r->bytes, "flops", (json_int_t)r->flops, "share",
                     share(p, r), "mean_us", mean_us(r), "gb_per_s", bandwidth(r) / 1e9, "ceiling",
                     part(bandwidth(r), p->ceiling), "tflop_per_s", speed(r) / 1e12);
}

json_t *bench_profile_json(const struct bench_profile *p)
{
    json_t *kernels = json_array(), *ops = json_array(), *layers = json_array();
    for (size_t i = 0; i < p->kernels.n; i++) {
        const struct profile_row *r = &p->kernels.rows[i];
        json_t *row = json_row(p, r);
        json_object_set_new(row, "kernel", json_string(r->kernel));
        json_object_set_new(row, "op", json_string(r->op));
        json_object_set_new(row, "groups", json_pack("[i, i, i]", r->groups[0], r->groups[1], r->groups[2]));
        json_array_append_new(kernels, row);
    }
    for (size_t i = 0; i < p->ops.n; i++) {
        json_t *row = json_row(p, &p->ops.rows[i]);
        json_object_set_new(row, "op", json_string(p->ops.rows[i].op));
        json_array_append_new(ops, row);
    }
    for (size_t i = 0; i < p->layers.n; i++) {
        json_t *row = json_row(p, &p->layers.rows[i]);
        json_object_set_new(row, "layer", json_integer(p->layers.rows[i].layer));
        json_array_append_new(layers, row);
    }
    return json_pack("{s:f, s:f, s:f, s:f, s:I, s:I, s:o, s:o, s:o}", "read_gb_per_s", p->ceiling / 1e9, "plain_ns",
                     p->plain_ns, "wall_ns", p->wall_ns, "overhead", overhead(p), "gpu_ns", (json_int_t)p->gpu_ns,
                     "dispatches_ns", (json_int_t)p->dispatches_ns, "kernels", kernels, "ops", ops, "layers", layers);
}
