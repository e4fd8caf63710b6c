/* golden.h - reads tests/golden/quant.bin, which make_golden.py describes. */
#ifndef CORVID_TESTS_QUANT_GOLDEN_H
#define CORVID_TESTS_QUANT_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "quant/quant.h"

enum golden_kind { GOLDEN_DECODE, GOLDEN_ENCODE };

/* one record */
struct golden {
    uint32_t kind, type, items, block_bytes, n_blocks;
    uint8_t *blocks;
    float *floats;
};

static inline FILE *golden_open(void)
{
    const char *root = getenv("CORVID_SOURCE_DIR");
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/quant.bin", root ? root : ".");
    FILE *file = fopen(path, "rb");
    if (!file) fprintf(stderr, "cannot open %s: set CORVID_SOURCE_DIR to the repository's root\n", path);
    return file;
}

static inline void golden_free(struct golden *g)
{
    free(g->blocks);
    free(g->floats);
}

/* The next record, to be freed with golden_free; false at the end of the file. A cut file aborts. */
static inline bool golden_next(FILE *file, struct golden *g)
{
    uint32_t head[5];
    if (fread(head, sizeof *head, 5, file) != 5) return false;
    *g = (struct golden){
        .kind = head[0], .type = head[1], .items = head[2], .block_bytes = head[3], .n_blocks = head[4]};
    size_t n_floats = (size_t)g->n_blocks * g->items;
    g->blocks = malloc((size_t)g->n_blocks * g->block_bytes);
    g->floats = malloc(n_floats * sizeof(float));
    if (!g->blocks || !g->floats || fread(g->blocks, g->block_bytes, g->n_blocks, file) != g->n_blocks ||
        fread(g->floats, sizeof(float), n_floats, file) != n_floats) {
        fprintf(stderr, "tests/golden/quant.bin is cut\n");
        abort();
    }
    return true;
}

#endif
