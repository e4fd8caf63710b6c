/* test_golden_reference.c - the scalar reference executor against results computed in float64. */
#include "support/golden.h"

int main(void)
{
    /* seen: logits 2e-5, state 2e-6 */
    static const struct golden all[] = {
        {"tiny-rwkv7", {.label = "reference", .device = "reference"}, 2e-4, 1e-4},
        {"rand-rwkv7", {.label = "reference", .device = "reference"}, 2e-4, 1e-4},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += golden_run(&all[i]);
    return failed;
}
