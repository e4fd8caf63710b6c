/* bench_report.c - see bench_report.h */
#include "cli/bench_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/out.h"

static double sample_ts(const struct bench_result *r, size_t i)
{
    double tokens = (double)((r->n_prompt + r->n_generate) * r->batch);
    return r->samples_ns[i] ? tokens * 1e9 / (double)r->samples_ns[i] : 0;
}

static double spread(double sum, double sum_of_squares, size_t n)
{
    if (n < 2) return 0;
    double variance = (sum_of_squares - sum * sum / (double)n) / (double)(n - 1);
    return variance > 0 ? sqrt(variance) : 0;
}

void bench_result_sum(struct bench_result *r)
{
    double ns = 0, ns2 = 0, ts = 0, ts2 = 0;
    for (size_t i = 0; i < r->n_samples; i++) {
        double t = (double)r->samples_ns[i], s = sample_ts(r, i);
        ns += t, ns2 += t * t, ts += s, ts2 += s * s;
    }
    if (!r->n_samples) return;
    r->avg_ns = ns / (double)r->n_samples;
    r->avg_ts = ts / (double)r->n_samples;
    r->stddev_ns = spread(ns, ns2, r->n_samples);
    r->stddev_ts = spread(ts, ts2, r->n_samples);
}

static void test_name(const struct bench_result *r, char name[32])
{
    if (r->n_prompt) snprintf(name, 32, "pp%zu", r->n_prompt);
    else snprintf(name, 32, "tg%zu", r->n_generate);
}

/* ---- table ---- */

static void add_markdown(const struct bench_report *b, const struct bench_result *r)
{
    char model[72], test[32], speed[64];
    if (!b->n_results) {
        out_printf("| %-24s | %10s | %8s | %-9s | %5s | %8s | %22s | %6s |\n", "model", "size", "params", "backend",
                   "batch", "test", "t/s", "CPU ms");
        out_text("| ------------------------ | ---------: | -------: | --------- | ----: | -------: | "
                 "---------------------: | -----: |\n");
    }
    snprintf(model, sizeof model, "%s %s", r->model->architecture, r->model->type);
    snprintf(speed, sizeof speed, "%.2f ± %.2f", r->avg_ts, r->stddev_ts);
    test_name(r, test);
    double mib = (double)r->model->file_bytes / 1048576, million = (double)r->model->parameters / 1e6;
    /* the sign between the numbers has two bytes and one column */
    out_printf("| %-24s | %6.2f %s | %6.2f %s | %-9s | %5zu | %8s | %23s | %6.3f |\n", model,
               mib < 1024 ? mib : mib / 1024, mib < 1024 ? "MiB" : "GiB", million < 1000 ? million : million / 1000,
               million < 1000 ? "M" : "B", r->device->backend, r->batch, test, speed, r->cpu_ms);
}

/* ---- CSV ---- */

/* Quotes are doubled, control characters dropped. */
static void csv_text(const char *text)
{
    out_text("\"");
    for (; *text; text++) {
        if (*text == '"') out_text("\"\"");
        else if ((unsigned char)*text >= 0x20 && *text != 0x7f) out_write(text, 1);
    }
    out_text("\",");
}

static void add_csv(const struct bench_report *b, const struct bench_result *r)
{
    if (!b->n_results)
        out_text("model_name,model_type,model_size,model_n_params,backend,device,batch,n_prompt,n_gen,avg_ns,"
                 "stddev_ns,avg_ts,stddev_ts,read_logits,cpu_ms\n");
    csv_text(r->model->name);
    csv_text(r->model->type);
    out_printf("%llu,%llu,", (unsigned long long)r->model->file_bytes, (unsigned long long)r->model->parameters);
    csv_text(r->device->backend);
    csv_text(r->device->name);
    out_printf("%zu,%zu,%zu,%.0f,%.0f,%.6f,%.6f,%d,%.6f\n", r->batch, r->n_prompt, r->n_generate, r->avg_ns,
               r->stddev_ns, r->avg_ts, r->stddev_ts, r->read_logits, r->cpu_ms);
}

/* ---- JSON ---- */

static json_t *text(const char *s) { return out_json_text(s, strlen(s)); }

static json_t *json_result(const struct bench_result *r)
{
    json_t *ns = json_array(), *ts = json_array();
    for (size_t i = 0; i < r->n_samples; i++) {
        json_array_append_new(ns, json_integer((json_int_t)r->samples_ns[i]));
        json_array_append_new(ts, json_real(sample_ts(r, i)));
    }
    char now[32] = "", test[32];
    time_t seconds = time(NULL);
    const struct tm *utc = gmtime(&seconds);
    if (utc) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", utc);
    test_name(r, test);
    json_t *object = json_pack("{s:s, s:o, s:s, s:o, s:o, s:I, s:I}", "build_version", corvid_version(), "device",
                               text(r->device->name), "backend", r->device->backend, "driver", text(r->device->driver),
                               "model_name", text(r->model->name), "model_size", (json_int_t)r->model->file_bytes,
                               "model_n_params", (json_int_t)r->model->parameters);
    json_t *rest =
        json_pack("{s:o, s:o, s:I, s:I, s:I, s:s, s:s, s:b, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "model_arch",
                  text(r->model->architecture), "model_type", text(r->model->type), "batch", (json_int_t)r->batch,
                  "n_prompt", (json_int_t)r->n_prompt, "n_gen", (json_int_t)r->n_generate, "test", test, "test_time",
                  now, "read_logits", r->read_logits, "cpu_ms", r->cpu_ms, "avg_ns", r->avg_ns, "stddev_ns",
                  r->stddev_ns, "avg_ts", r->avg_ts, "stddev_ts", r->stddev_ts, "samples_ns", ns, "samples_ts", ts);
    json_object_update(object, rest);
    json_decref(rest);
    return object;
}

bool bench_report_begin(struct bench_report *b, const char *format)
{
    *b = (struct bench_report){.format = BENCH_MARKDOWN};
    if (!strcmp(format, "json")) b->format = BENCH_JSON;
    else if (!strcmp(format, "csv")) b->format = BENCH_CSV;
    else if (strcmp(format, "md") != 0) return false;
    return true;
}

void bench_report_add(struct bench_report *b, const struct bench_result *r)
{
    if (b->format == BENCH_MARKDOWN) add_markdown(b, r);
    if (b->format == BENCH_CSV) add_csv(b, r);
    if (b->format == BENCH_JSON && !b->array) b->array = json_array();
    if (b->format == BENCH_JSON) json_array_append_new(b->array, json_result(r));
    b->n_results++;
}

bool bench_report_profile(struct bench_report *b, const struct bench_result *r, struct bench_profile *p)
{
    char test[32];
    test_name(r, test);
    snprintf(p->title, sizeof p->title, "%s, batch %zu", test, r->batch);
    if (b->format == BENCH_JSON) {
        json_object_set_new(json_array_get(b->array, b->n_results - 1), "profile", bench_profile_json(p));
        bench_profile_free(p);
        return true;
    }
    struct bench_profile *larger = realloc(b->profiles, (b->n_profiles + 1) * sizeof *larger);
    if (!larger) return false;
    b->profiles = larger;
    b->profiles[b->n_profiles++] = *p;
    return true;
}

void bench_report_end(struct bench_report *b)
{
    if (b->format == BENCH_JSON && b->n_results) out_json(b->array);
    b->array = NULL;
    for (size_t i = 0; i < b->n_profiles; i++) {
        bench_profile_print(&b->profiles[i]);
        bench_profile_free(&b->profiles[i]);
    }
    free(b->profiles);
    b->profiles = NULL;
}
