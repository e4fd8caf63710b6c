/* test_equivalence_gpu.c - on the GPU, how tokens are cut into steps changes no more than the last digits. */
#include "support/equivalence.h"

int main(void)
{
    /* seen on lavapipe: logits 4.4e-5, state 1e-6; with f16, where prefill rounds decoded weights, 0.028 and 4.3e-4 */
    static const struct equivalence all[] = {
        {{.label = "rand-rwkv7", .file = "tests/golden/rwkv7/rand-rwkv7.gguf"}, 310, 2e-4, 1e-4},
        {{.label = "rwkv7-tiny", .file = "models/rwkv7-tiny-q8_0.gguf"}, 100, 5e-2, 1e-3},
        {{.label = "rwkv7-tiny, no f16, no subgroups",
          .no_f16 = true,
          .no_subgroups = true,
          .file = "models/rwkv7-tiny-q8_0.gguf"},
         70,
         2e-4,
         1e-4},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += equivalence_run(&all[i]);
    return failed;
}
