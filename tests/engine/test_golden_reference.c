/* test_golden_reference.c - the scalar reference executor against results computed in float64. */
#include "support/golden.h"

int main(void)
{
    /* seen: logits 9.5e-6, state 2.3e-7 */
    static const struct golden all[] = {
        {"tiny-rwkv7", {.label = "reference", .device = "reference"}, 3e-5, 1e-6},
        {"rand-rwkv7", {.label = "reference", .device = "reference"}, 3e-5, 1e-6},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += golden_run(&all[i]);
    return failed;
}
