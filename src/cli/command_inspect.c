/* command_inspect.c - `corvid inspect`: the metadata and tensors of a model file. */
#include <math.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"

enum { ITEMS_SHOWN = 8, TEXT_SHOWN = 200, NAME_SHOWN = 256, TYPES_MAX = 64 };

static const char about[] =
    "Prints a model file's metadata, its tensors (type, shape, offset and size in bytes) and totals for every type.\n"
    "Every field is checked first; no weight is read. Of an array the first 8 items are shown, with --json too.";

struct total {
    char type[16];
    uint64_t n_tensors, items, bytes;
};

static uint64_t n_shown(const corvid_metadata *entry)
{
    return entry->count < ITEMS_SHOWN ? entry->count : ITEMS_SHOWN;
}

static bool is_array(const corvid_metadata *entry) { return !strncmp(entry->type, "array", 5); }

/* exact in a double and in JSON */
static bool is_whole(double x) { return x == floor(x) && fabs(x) <= 9007199254740992.0; }

static uint64_t n_items(const corvid_tensor *t)
{
    uint64_t n = 1;
    for (uint32_t d = 0; d < t->n_dims && d < 4; d++) n *= t->dims[d];
    return n;
}

/* Sums up the tensors by type, in the order of their first appearance; returns the number of types. */
static size_t sum_types(const corvid_file *file, struct total totals[TYPES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < corvid_file_n_tensors(file); i++) {
        corvid_tensor t = corvid_file_tensor(file, i);
        size_t at = 0;
        while (at < n && strcmp(totals[at].type, t.type) != 0) at++;
        if (at == TYPES_MAX) continue;
        if (at == n) {
            totals[n] = (struct total){.n_tensors = 0};
            memcpy(totals[n++].type, t.type, sizeof t.type);
        }
        totals[at].n_tensors++;
        totals[at].items += n_items(&t);
        totals[at].bytes += t.size;
    }
    return n;
}

/* ---- text ---- */

static void print_value(const corvid_file *file, size_t index, const corvid_metadata *entry, uint64_t item)
{
    size_t length = 0;
    if (entry->is_string) {
        const char *text = corvid_file_string(file, index, item, &length);
        out_text("\"");
        out_escaped(text, length, TEXT_SHOWN);
        out_text("\"");
        return;
    }
    double value = corvid_file_number(file, index, item);
    if (entry->is_bool) out_text(value != 0 ? "true" : "false");
    else if (is_whole(value)) out_printf("%.0f", value);
    else out_printf("%.9g", value);
}

static void print_metadata(const corvid_file *file)
{
    size_t n = corvid_file_n_metadata(file);
    out_printf("\nmetadata: %zu entries\n", n);
    for (size_t i = 0; i < n; i++) {
        corvid_metadata entry = corvid_file_metadata(file, i);
        uint64_t shown = n_shown(&entry);
        out_text("  ");
        out_escaped(entry.key, strlen(entry.key), NAME_SHOWN);
        out_printf(" (%s) = %s", entry.type, is_array(&entry) ? "[" : "");
        for (uint64_t item = 0; item < shown; item++) {
            if (item) out_text(", ");
            print_value(file, i, &entry, item);
        }
        if (shown < entry.count) out_printf(", ... %llu in all", (unsigned long long)entry.count);
        out_text(is_array(&entry) ? "]\n" : "\n");
    }
}

static void print_tensors(const corvid_file *file)
{
    size_t n = corvid_file_n_tensors(file);
    out_printf("\ntensors: %zu\n  %-8s %-24s %14s %14s  name\n", n, "type", "shape", "offset", "bytes");
    for (size_t i = 0; i < n; i++) {
        corvid_tensor t = corvid_file_tensor(file, i);
        char shape[96];
        int length = 0;
        for (uint32_t d = 0; d < t.n_dims && d < 4; d++) {
            length += snprintf(shape + length, sizeof shape - (size_t)length, "%s%llu", d ? " x " : "",
                               (unsigned long long)t.dims[d]);
        }
        if (!length) memcpy(shape, "1", 2);
        out_printf("  %-8s %-24s %14llu %14llu  ", t.type, shape, (unsigned long long)t.at, (unsigned long long)t.size);
        out_escaped(t.name, strlen(t.name), NAME_SHOWN);
        out_text("\n");
    }
}

static void print_totals(const corvid_file *file)
{
    struct total totals[TYPES_MAX], all = {.n_tensors = 0};
    size_t n = sum_types(file, totals);
    out_printf("\ntotals:\n  %-8s %10s %16s %16s\n", "type", "tensors", "parameters", "bytes");
    for (size_t i = 0; i <= n; i++) {
        const struct total *t = i < n ? &totals[i] : &all;
        out_printf("  %-8s %10llu %16llu %16llu\n", i < n ? t->type : "all", (unsigned long long)t->n_tensors,
                   (unsigned long long)t->items, (unsigned long long)t->bytes);
        all.n_tensors += t->n_tensors;
        all.items += t->items;
        all.bytes += t->bytes;
    }
}

/* ---- JSON ---- */

static json_t *json_value(const corvid_file *file, size_t index, const corvid_metadata *entry, uint64_t item)
{
    size_t length = 0;
    if (entry->is_string) {
        const char *text = corvid_file_string(file, index, item, &length);
        return out_json_text(text, length);
    }
    double value = corvid_file_number(file, index, item);
    if (entry->is_bool) return json_boolean(value != 0);
    if (!isfinite(value)) return json_null();
    bool is_float = strstr(entry->type, "f32") || strstr(entry->type, "f64");
    return is_whole(value) && !is_float ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *json_metadata(const corvid_file *file)
{
    json_t *object = json_object();
    for (size_t i = 0; i < corvid_file_n_metadata(file); i++) {
        corvid_metadata entry = corvid_file_metadata(file, i);
        json_t *value = is_array(&entry) ? json_array() : NULL;
        for (uint64_t item = 0; value && item < n_shown(&entry); item++)
            json_array_append_new(value, json_value(file, i, &entry, item));
        if (!value) value = json_value(file, i, &entry, 0);
        json_t *key = out_json_text(entry.key, strlen(entry.key));
        json_object_set_new(
            object, json_string_value(key),
            json_pack("{s:s, s:I, s:o}", "type", entry.type, "count", (json_int_t)entry.count, "value", value));
        json_decref(key);
    }
    return object;
}

static json_t *json_tensors(const corvid_file *file)
{
    json_t *array = json_array();
    for (size_t i = 0; i < corvid_file_n_tensors(file); i++) {
        corvid_tensor t = corvid_file_tensor(file, i);
        json_t *shape = json_array();
        for (uint32_t d = 0; d < t.n_dims && d < 4; d++)
            json_array_append_new(shape, json_integer((json_int_t)t.dims[d]));
        json_array_append_new(array, json_pack("{s:o, s:s, s:o, s:I, s:I}", "name",
                                               out_json_text(t.name, strlen(t.name)), "type", t.type, "shape", shape,
                                               "offset", (json_int_t)t.at, "bytes", (json_int_t)t.size));
    }
    return array;
}

static json_t *json_totals(const corvid_file *file)
{
    struct total totals[TYPES_MAX];
    json_t *object = json_object();
    size_t n = sum_types(file, totals);
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(object, totals[i].type,
                            json_pack("{s:I, s:I, s:I}", "tensors", (json_int_t)totals[i].n_tensors, "parameters",
                                      (json_int_t)totals[i].items, "bytes", (json_int_t)totals[i].bytes));
    }
    return object;
}

int command_inspect(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false;
    const struct option rows[] = {{0, "json", NULL, "print one JSON object", OPTION_FLAG, &json, 0, 0}};
    struct option_group group = {"output", rows, 1};
    struct command_line line = {.name = "inspect",
                                .usage = "FILE [--json]",
                                .about = about,
                                .groups = &group,
                                .n_groups = 1,
                                .operands = &path,
                                .n_operands = 1};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    corvid_error err = {.code = CORVID_OK};
    corvid_file *file = corvid_file_open(path, &err);
    if (!file) return report(&err);
    if (json) {
        out_json(json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "format", "GGUF", "version",
                           (json_int_t)corvid_file_version(file), "bytes", (json_int_t)corvid_file_bytes(file),
                           "metadata", json_metadata(file), "tensors", json_tensors(file), "totals",
                           json_totals(file)));
    } else {
        out_printf("GGUF version %u, %llu bytes\n", (unsigned)corvid_file_version(file),
                   (unsigned long long)corvid_file_bytes(file));
        print_metadata(file);
        print_tensors(file);
        print_totals(file);
    }
    corvid_file_close(file);
    return EXIT_OK;
}
