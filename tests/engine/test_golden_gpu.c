/* test_golden_gpu.c - whole models on the GPU against results computed in float64. */
#include "support/golden.h"

int main(void)
{
    /* seen on lavapipe: logits 5.2e-5, state 1.9e-6 */
    static const struct golden all[] = {
        {"tiny-rwkv7", {.label = "plain"}, 2e-4, 1e-4},
        {"tiny-rwkv7", {.label = "no subgroups", .no_subgroups = true}, 2e-4, 1e-4},
        {"tiny-rwkv7", {.label = "no f16", .no_f16 = true}, 2e-4, 1e-4},
        {"rand-rwkv7", {.label = "plain"}, 2e-4, 1e-4},
        {"rand-rwkv7", {.label = "no subgroups", .no_subgroups = true}, 2e-4, 1e-4},
        {"rand-rwkv7", {.label = "no f16", .no_f16 = true}, 2e-4, 1e-4},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += golden_run(&all[i]);
    return failed;
}
