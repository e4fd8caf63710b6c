/* test_kernel_spirv.c - what a SPIR-V kernel's constants become. Builds without a GLSL compiler have no such kernels. */
#include "model/kernel_cache.h"
#include "ops/matmul_parts.h"
#include "ops/spirv.h"

/* cmocka.h comes last: its macro fail would hide base/error.h's function */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME(name) #name,
static const char *const fields[] = {MATMUL_PARAMS(NAME, NAME)};
enum { N_FIELDS = sizeof fields / sizeof *fields };
_Static_assert(sizeof(struct matmul_params) == N_FIELDS * sizeof(uint32_t), "a word for each field");

static const struct gpu_info device = {.subgroup_size = 32};
static const struct step_limits limits = {.tokens = 301, .seqs = 302, .outputs = 303};

static struct dispatch_desc describe(const char *module, const uint32_t *params, bool baked)
{
    return (struct dispatch_desc){.files = {module},
                                  .spirv = true,
                                  .baked = baked,
                                  .consts = {{"WORKGROUP", 96}},
                                  .params_wgsl = matmul_params_wgsl,
                                  .params = params,
                                  .params_bytes = N_FIELDS * sizeof *params};
}

static void check(const struct spirv_module *m, bool baked)
{
    uint32_t params[N_FIELDS];
    uint32_t *want = malloc(m->n_words * sizeof *want);
    assert_non_null(want);
    memcpy(want, m->words, m->n_words * sizeof *want);
    for (uint32_t i = 0; i < N_FIELDS; i++) {
        params[i] = 1000 + i;
        if (baked) spirv_set(want, m->n_words, fields[i], params[i]);
    }
    assert_true(spirv_set(want, m->n_words, "WORKGROUP", 96));
    spirv_set(want, m->n_words, "SUBGROUP", 32);
    spirv_set(want, m->n_words, "MAX_TOKENS", 301);
    spirv_set(want, m->n_words, "MAX_SEQS", 302);
    spirv_set(want, m->n_words, "MAX_OUTPUTS", 303);
    struct gpu_spirv got = {0};
    struct error err = {0};
    const struct dispatch_desc d = describe(m->name, params, baked);
    assert_true(kernel_spirv(&d, &device, limits, &got, &err));
    assert_int_equal(got.threads, 96);
    assert_int_equal(got.n_words, m->n_words);
    assert_memory_equal(got.words, want, m->n_words * sizeof *want);
    free((void *)got.words);
    free(want);
}

static void sets_every_field(void **unused)
{
    (void)unused;
    if (!spirv_modules[0].name) skip();
    for (const struct spirv_module *m = spirv_modules; m->name; m++) {
        check(m, true);
        check(m, false);
    }
}

static void names_what_is_missing(void **unused)
{
    (void)unused;
    static const uint32_t params[N_FIELDS];
    struct gpu_spirv got = {0};
    struct error err = {0};
    const struct dispatch_desc d = describe("matmul/none q4_k", params, true);
    assert_false(kernel_spirv(&d, &device, limits, &got, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "matmul/none q4_k"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_every_field), cmocka_unit_test(names_what_is_missing)};
    return cmocka_run_group_tests_name("kernel_spirv", tests, NULL, NULL);
}
