/* abi.c - compares what the runtime believes of the ABI with what this compiler makes of webgpu.h, wgpu.h and
 * corvid_wgpu.h, and looks for every function. Usage: abi LIBRARY */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>

#include <webgpu.h>
#include <wgpu.h>

#include "corvid_wgpu.h"

#include "abi_names.h"

static const struct entry {
    const char *name;
    uint64_t value;
} entries[] = {
#define S(type) {#type, sizeof(type)},
#define F(type, member) {#type "." #member, offsetof(type, member)},
    STRUCTS
#undef S
#undef F
#define V(name) {#name, (uint64_t)name},
    VALUES
#undef V
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

/* a function that no header declares does not compile */
static const struct function {
    const char *name;
    size_t pointer_bytes;
} functions[] = {
#define X(name) {#name, sizeof(&name)},
    FUNCTIONS
#undef X
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

static void *library;

static const CorvidWgpuAbiEntry *table(void)
{
    const CorvidWgpuAbiEntry *(*get)(void);
    void *symbol = dlsym(library, "corvidWgpuAbiTable");
    assert_non_null(symbol);
    memcpy(&get, &symbol, sizeof get);
    return get();
}

static const CorvidWgpuAbiEntry *find(const char *name)
{
    for (const CorvidWgpuAbiEntry *e = table(); e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}

static void test_runtime_agrees(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < N_ENTRIES; i++) {
        const CorvidWgpuAbiEntry *e = find(entries[i].name);
        if (e && e->value == entries[i].value) continue;
        wrong++;
        if (e)
            print_error("%s: %llu in the runtime, %llu in C\n", entries[i].name, (unsigned long long)e->value,
                        (unsigned long long)entries[i].value);
        else
            print_error("%s: not in the runtime's table\n", entries[i].name);
    }
    assert_int_equal(wrong, 0);
}

static void test_nothing_unchecked(void **state)
{
    (void)state;
    int unchecked = 0;
    for (const CorvidWgpuAbiEntry *e = table(); e->name; e++) {
        size_t i = 0;
        while (i < N_ENTRIES && strcmp(entries[i].name, e->name)) i++;
        if (i < N_ENTRIES) continue;
        print_error("%s: in the runtime's table, not in abi_names.h\n", e->name);
        unchecked++;
    }
    assert_int_equal(unchecked, 0);
}

static void test_functions_are_exported(void **state)
{
    (void)state;
    int missing = 0;
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        if (dlsym(library, functions[i].name)) continue;
        print_error("%s: not exported\n", functions[i].name);
        missing++;
    }
    assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
    if (argc != 2 || !(library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))) {
        fprintf(stderr, "abi: %s\n", argc == 2 ? dlerror() : "usage: abi LIBRARY");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runtime_agrees),
        cmocka_unit_test(test_nothing_unchecked),
        cmocka_unit_test(test_functions_are_exported),
    };
    int failed = cmocka_run_group_tests_name("runtime_abi", tests, NULL, NULL);
    dlclose(library);
    return failed;
}
