/* test_tracy_gpu.c - builds with CORVID_TRACY: what a Tracy viewer is told. The test is a viewer that reads all that the
 * program sends, until it ends, and looks for the zones in it. */
#define _XOPEN_SOURCE 700

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/run_cli.h"

/* of the protocol of the client that tools/tracy pins (tracy/common/TracyProtocol.hpp) */
enum {
    VERSION = 82,
    WELCOME = 1,
    WELCOME_BYTES = 1170,
    PROGRAM_AT = 82, /* in the welcome */
    FRAME_MAX = 256 * 1024,
    PACKED_MAX = FRAME_MAX + FRAME_MAX / 255 + 16
};

struct told {
    uint8_t *bytes;
    size_t length, capacity;
};

static struct sockaddr_in address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = address(0);
    socklen_t length = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s >= 0 && !bind(s, (struct sockaddr *)&a, sizeof a) && !getsockname(s, (struct sockaddr *)&a, &length));
    close(s);
    return ntohs(a.sin_port);
}

static pid_t start(uint16_t port, const char *command)
{
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child) return child;
    setenv("TRACY_PORT", text, 1);
    setenv("TRACY_NO_EXIT", "1", 1); /* until a viewer has seen all */
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in a = address(port);
    const struct timeval patience = {.tv_sec = 60};
    for (int tries = 0; tries < 600; tries++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(s >= 0);
        if (!connect(s, (struct sockaddr *)&a, sizeof a)) {
            assert_false(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience));
            return s;
        }
        close(s);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    fail_msg("nobody listens to port %u", port);
    return -1;
}

static void receive(int s, void *data, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = recv(s, (char *)data + at, n - at, 0);
        if (got <= 0) fail_msg("%zu of %zu bytes came", at, n);
        at += (size_t)got;
    }
}

/* one more of the bytes of a length that is too long for its four bits */
static size_t length_of(size_t bits, const uint8_t **in, const uint8_t *end)
{
    size_t n = bits;
    for (uint8_t more = 255; bits == 15 && more == 255; n += more) {
        assert_true(*in < end);
        more = *(*in)++;
    }
    return n;
}

/* Unpacks an LZ4 block, which may repeat what the blocks before it held. */
static void unpack(struct told *t, const uint8_t *in, size_t n)
{
    const uint8_t *end = in + n;
    if (t->capacity - t->length < FRAME_MAX) {
        t->capacity = 2 * (t->capacity + FRAME_MAX);
        t->bytes = realloc(t->bytes, t->capacity);
        assert_non_null(t->bytes);
    }
    while (in < end) {
        unsigned lengths = *in++;
        size_t plain = length_of(lengths >> 4, &in, end);
        assert_true(plain <= (size_t)(end - in) && plain <= t->capacity - t->length);
        memcpy(t->bytes + t->length, in, plain);
        t->length += plain;
        in += plain;
        if (in == end) return; /* the last one repeats nothing */
        assert_true(end - in >= 2);
        size_t back = in[0] + 256u * in[1];
        in += 2;
        size_t again = length_of(lengths & 15, &in, end) + 4;
        assert_true(back && back <= t->length && again <= t->capacity - t->length);
        for (; again; again--, t->length++) t->bytes[t->length] = t->bytes[t->length - back];
    }
}

/* All that the command tells a viewer. */
static struct told watch(const char *command)
{
    static uint8_t packed[PACKED_MAX];
    struct told told = {0};
    uint16_t port = free_port();
    pid_t child = start(port, command);
    int s = connect_to(port), status;
    struct {
        char name[8];
        uint32_t version;
    } hello = {"TracyPrf", VERSION};
    assert_int_equal(send(s, &hello, 12, 0), 12);
    uint8_t answer, welcome[WELCOME_BYTES];
    receive(s, &answer, 1);
    assert_int_equal(answer, WELCOME);
    receive(s, welcome, sizeof welcome);
    assert_string_equal((char *)welcome + PROGRAM_AT, "corvid");
    for (uint32_t before = 0, n = 0; before + 1 != told.length || !n; n++) { /* the end is a block of one byte */
        uint32_t size;
        before = (uint32_t)told.length;
        receive(s, &size, sizeof size);
        assert_in_range(size, 1, PACKED_MAX);
        receive(s, packed, size);
        unpack(&told, packed, size);
    }
    close(s);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return told;
}

/* How often a place in the program, "function\0corvid\0name", is told of. */
static size_t count(const struct told *t, const char *function, const char *name)
{
    char place[200];
    size_t found = 0;
    int n = snprintf(place, sizeof place, "%s%ccorvid%c%s", function, 0, 0, name);
    assert_in_range(n, 1, sizeof place - 1);
    for (size_t at = 0; at + (size_t)n <= t->length; at++) found += !memcmp(t->bytes + at, place, (size_t)n);
    return found;
}

static size_t zones(const struct told *t, const char *name) { return count(t, name, name); }

static void zones_are_shown(void **unused)
{
    (void)unused;
    struct told t = watch("exec \"$C\" run --temp 0 -n 4 -p 'User: Hi' >\"$T/out\"");
    static const char *const once[] = {"open device", "open model", "load weights", "plan", "tokenize", "sample"};
    static const char *const often[] = {"encode", "submit", "wait"};
    for (int i = 0; i < 6; i++) assert_int_equal(zones(&t, once[i]), 1);
    for (int i = 0; i < 3; i++) assert_true(zones(&t, often[i]) >= 3);
    assert_true(zones(&t, "compile") >= 10);
    assert_int_equal(zones(&t, "decode"), 0); /* of the GPU, which nobody recorded */
    free(t.bytes);
}

static void the_gpu_is_shown_while_it_is_recorded(void **unused)
{
    (void)unused;
    struct told t = watch("exec \"$C\" run --trace \"$T/t.json\" --temp 0 -n 4 -p 'User: Hi' >\"$T/out\"");
    assert_true(zones(&t, "step") >= 2); /* on the CPU and on the GPU */
    assert_true(zones(&t, "decode") >= 3);
    assert_true(count(&t, "MATMUL", "matmul/matvec") >= 3 * 6);
    assert_true(count(&t, "WKV7", "") >= 3 * 6);
    free(t.bytes);
}

static void without_a_viewer_all_is_as_usual(void **unused)
{
    (void)unused;
    struct cli_result r = cli_run("$C run --temp 0 -n 3 -p $'User: What comes after Tuesday?\\n\\nAssistant:'");
    cli_expect(&r, 0, " Wedn", NULL);
    cli_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_are_shown),
        cmocka_unit_test(the_gpu_is_shown_while_it_is_recorded),
        cmocka_unit_test(without_a_viewer_all_is_as_usual),
    };
    return cmocka_run_group_tests_name("tracy_gpu", tests, cli_setup, cli_teardown);
}
