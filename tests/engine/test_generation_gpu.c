/* test_generation_gpu.c - generations on the GPU: a recurrent model and a transformer with a window, with and without
 * subgroups, and with states that do not fit one binding together. */
#include "support/generations.h"
#include "support/tiny_gemma.h"

int main(void)
{
    struct path gemma = tiny_gemma_write(TINY_LAYERS);
    const struct generations all[] = {
        {{.label = "rwkv7-tiny", .file = built_in_model, .step_tokens = 8}, 1e-3, 0},
        {{.label = "rwkv7-tiny, no f16, no subgroups, small bindings",
          .no_f16 = true,
          .no_subgroups = true,
          .file = built_in_model,
          .step_tokens = 8},
         1e-4,
         1 << 20},
        {{.label = "tiny gemma", .file = gemma.text, .context = 36, .step_tokens = 4}, 1e-4, 0},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) failed += generations_run(&all[i]);
    return failed;
}
