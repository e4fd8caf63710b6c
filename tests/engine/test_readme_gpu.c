/* test_readme_gpu.c - the C program in README.md: it compiles without a warning and answers as the README says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "support/run_cli.h"

#include <cmocka.h>

/* beside a link to the build's lib, as the README puts it into build/bin */
static void the_program_compiles(void **state)
{
    (void)state;
    struct cli_result r = cli_run("mkdir $T/bin && ln -s $(dirname $C)/../lib $T/lib && "
                                  "sed -n '/^```c$/,/^```$/p' $S/README.md | grep -v '^```' >$T/hello.c && "
                                  "cc -std=c11 -Wall -Wextra -Wpedantic -Werror $T/hello.c -I$S/include -L$T/lib "
                                  "-lcorvid -lm -lpthread -ldl -o $T/bin/hello");
    cli_expect(&r, 0, NULL, NULL);
    cli_free(&r);
}

static void it_answers(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$T/bin/hello $S/models/rwkv7-tiny-q8_0.gguf 'What is 17 plus 25?'");
    cli_expect(&r, 0, " 7+5=12, 1+2+1=4. The answer is 42.\n", NULL);
    cli_free(&r);
}

static void it_reports_errors(void **state)
{
    (void)state;
    struct cli_result r = cli_run("$T/bin/hello $T/missing.gguf hello");
    cli_expect(&r, 1, "cannot open", NULL);
    cli_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_compiles),
        cmocka_unit_test(it_answers),
        cmocka_unit_test(it_reports_errors),
    };
    return cmocka_run_group_tests_name("README", tests, cli_setup, cli_teardown);
}
