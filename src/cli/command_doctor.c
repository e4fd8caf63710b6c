/* command_doctor.c - `corvid doctor`: a report on this machine; every kernel family is compared with its reference. */
#include <math.h>
#include <string.h>

#include "base/system.h"
#include "base/terminal.h"
#include "base/thread.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/device_text.h"
#include "cli/out.h"

enum { TEXT_MAX = 496 };

static const char about[] =
    "Runs each kind of kernel once on small made-up data, compares it with the scalar reference, and says what to\n"
    "avoid if results are wrong here: first as the device would be used, then without subgroups and without f16 where\n"
    "it has them. Attach the report to a bug. Takes up to two minutes.\n"
    "Exit code 0: all results are right, 1: some are wrong or the device cannot be opened.";

struct doctor {
    bool json;
    json_t *checks;
    const char *variant; /* of the check before */
    struct device_args device;
};

static void escaped(const char *text) { out_escaped(text, strlen(text), TEXT_MAX); }

static const char *title(const char *variant) { return *variant ? variant : "as it is"; }

static void print_check(struct doctor *d, const corvid_check *c)
{
    if (!d->variant || strcmp(d->variant, c->variant) != 0)
        out_printf("\n%s\n   %-24s %10s %10s  %-6s %8s\n", title(c->variant), "check", "NMSE", "allowed", "", "ms");
    d->variant = c->variant;
    out_printf("   %-24s %10.2g %10.2g  %-6s %8.1f\n", c->name, c->nmse, c->limit, c->ok ? "ok" : "WRONG", c->ms);
    if (c->ok) return;
    out_text("      ");
    escaped(c->message);
    out_text("\n");
}

static json_t *json_check(const corvid_check *c)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:f, s:f, s:o}", "variant", c->variant, "name", c->name, "ok", c->ok, "nmse",
                     isfinite(c->nmse) ? json_real(c->nmse) : json_null(), "limit", c->limit, "ms", c->ms, "message",
                     out_json_text(c->message, strlen(c->message)));
}

static bool on_check(void *user, const corvid_check *c)
{
    struct doctor *d = user;
    if (d->json) json_array_append_new(d->checks, json_check(c));
    else print_check(d, c);
    return !*terminal_interrupts() && (d->json || out_flush());
}

/* What is known before anything runs. On false the device cannot be opened. */
static bool describe(const struct doctor *d, const corvid_device_options *options, json_t *object, corvid_error *err)
{
    char system[256];
    system_describe(system, sizeof system);
    if (d->json) {
        json_object_set_new(object, "corvid", json_string(corvid_version()));
        json_object_set_new(object, "system", out_json_text(system, strlen(system)));
        json_object_set_new(object, "processors", json_integer(thread_processors()));
    } else {
        out_printf("corvid %s\nsystem   ", corvid_version());
        escaped(system);
        out_printf(", %d processors\n", thread_processors());
    }
    corvid_device *device = corvid_device_open(options, err);
    if (!device) return false;
    const corvid_device_info *info = corvid_device_describe(device);
    if (d->json) {
        json_object_set_new(object, "device", device_json(info, true));
    } else {
        out_text("device   ");
        escaped(info->name);
        out_text("\n");
        device_print(info, true);
    }
    corvid_device_close(device);
    return true;
}

static void conclude(const struct doctor *d, const corvid_doctor_result *r, json_t *object)
{
    if (d->json) {
        json_object_set_new(object, "wrong", json_integer(r->wrong));
        json_object_set_new(object, "advice", json_string(r->advice));
    } else if (r->wrong) {
        out_printf("\n%u of %u checks are WRONG: %s\n", (unsigned)r->wrong, (unsigned)r->checks, r->advice);
    } else {
        out_printf("\nall %u checks are right\n", (unsigned)r->checks);
    }
}

int command_doctor(int argc, char **argv)
{
    struct doctor d = {.json = false};
    const struct option rows[] = {{0, "json", NULL, "print one JSON object at the end", OPTION_FLAG, &d.json, 0, 0}};
    struct option_group groups[] = {{"report", rows, 1}, device_only_group(&d.device)};
    struct command_line line = {
        .name = "doctor", .usage = "[--device D] [--json]", .about = about, .groups = groups, .n_groups = 2};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    corvid_device_options options = device_options(&d.device);
    corvid_doctor_result result = {0};
    corvid_error err = {.code = CORVID_OK};
    d.checks = json_array();
    json_t *object = json_pack("{s:O}", "checks", d.checks);
    bool done = describe(&d, &options, object, &err) && corvid_doctor(&options, on_check, &d, &result, &err);
    if (done) conclude(&d, &result, object);
    else if (d.json) json_object_set_new(object, "error", out_json_text(err.message, strlen(err.message)));
    if (d.json) out_json(object);
    else json_decref(object);
    json_decref(d.checks);
    return !done ? report(&err) : result.wrong ? EXIT_FAILED : EXIT_OK;
}
