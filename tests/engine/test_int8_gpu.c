/* test_int8_gpu.c - the built-in model with int8 activations: what the rounding costs against exact activations, and that
 * the GPU, the scalar reference, prompts and single tokens agree on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/divergence.h"

static const char text[] =
    "User: What is 17 plus 25?\n\nAssistant: 7+5=12, 1+2+1=4. The answer is 42.\n\nUser: What is a fox?\n\n"
    "Assistant: A fox is a mammal. It lives in a den and eats mice and berries. You may know that it has a thick red "
    "tail.\n\nOnce upon a time, there was a gentle girl called Mia. Mia lived at the edge of a quiet town. She liked "
    "to "
    "draw pictures. One afternoon, Mia saw the tailor in the street. The tailor had to carry a heavy box.";

/* nats a token. Seen: 2.1e-5; 6.2e-6, for a value halfway between two integers may go to either */
static const double cost_allowed = 1e-4, noise_allowed = 5e-5;

static struct text_run exact, int8, int8_reference, int8_single;

static struct text_run run(corvid_device *device, bool is_exact, bool single)
{
    const char *path = in_source(built_in_model).text;
    corvid_model *model = is_exact ? open_model(device, path, 1, 0, 0) : open_model_int8(device, path, 1);
    struct text_run r = text_run(model, text, single);
    corvid_model_close(model);
    return r;
}

static int set_up(void **state)
{
    (void)state;
    corvid_device *device = open_device(&(struct model_setup){.device = NULL});
    exact = run(device, true, false);
    int8 = run(device, false, false);
    int8_single = run(device, false, true);
    corvid_device_close(device);
    device = open_device(&(struct model_setup){.device = "reference"});
    int8_reference = run(device, false, false);
    corvid_device_close(device);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct text_run *runs[] = {&exact, &int8, &int8_single, &int8_reference};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) free(runs[i]->logits);
    return 0;
}

static void test_cost(void **state)
{
    (void)state;
    divergence_check("exact against int8", &exact, &int8, cost_allowed);
    assert_true(divergence(&exact, &int8) > 0); /* the two are not the same path */
}

static void test_reference(void **state)
{
    (void)state;
    divergence_check("scalar reference against GPU", &int8_reference, &int8, noise_allowed);
}

static void test_single(void **state)
{
    (void)state;
    divergence_check("prompt against single tokens", &int8, &int8_single, noise_allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cost), cmocka_unit_test(test_reference),
                                       cmocka_unit_test(test_single)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
