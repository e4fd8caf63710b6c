/* test_generation.c - generations on the scalar reference, which goes step by step. */
#include "support/generations.h"
#include "support/tiny_gemma.h"

int main(void)
{
    struct path gemma = tiny_gemma_write(TINY_LAYERS);
    const struct generations g = {
        {.label = "tiny gemma, reference", .device = "reference", .file = gemma.text, .context = 36, .step_tokens = 4},
        0,
        0};
    return generations_run(&g);
}
