/* test_equivalence.c - on the scalar reference, how tokens are cut into steps changes nothing at all. */
#include "support/equivalence.h"

int main(void)
{
    static const struct equivalence all[] = {
        {{.label = "rand-rwkv7", .device = "reference", .file = "tests/golden/rwkv7/rand-rwkv7.gguf"}, 310, 0, 0},
        {{.label = "rwkv7-tiny", .device = "reference", .file = "models/rwkv7-tiny-q8_0.gguf"}, 70, 0, 0},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += equivalence_run(&all[i]);
    return failed;
}
