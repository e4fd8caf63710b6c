/* tuning.h - what a plan function leaves to measurement: it offers candidates under a key that says what the problem is,
 * the usual one first, and takes the one that is best on this device, if that was measured and kept.
 *
 *   struct choice c = {.key = "matvec q4_k 2560x2560 t1 q8", .tokens = 1};
 *   choice_add(&c, 128, 32, 1); ...
 *   const uint32_t *shape = plan_choose(p, &c); */
#ifndef CORVID_OPS_TUNING_H
#define CORVID_OPS_TUNING_H

#include "base/arena.h"
#include "base/builder.h"
#include "ops/op.h"

/* To be counted up when a key or a kernel behind one changes its meaning: what was kept before is then not used. */
enum { TUNING_VERSION = 3 };

enum { CHOICE_NUMBERS = 3, CHOICE_MAX = 28, CHOICE_KEY_MAX = 96 };

struct choice {
    char key
        [CHOICE_KEY_MAX]; /* op, weight type, rows x columns, range of tokens, forms: all that the best may depend on */
    const char *names;    /* of the numbers: "threads/lanes/rows" */
    uint32_t tokens;      /* a step that shows what is best: up to CHOICE_FEW sequences of one token, or one of many */
    bool of_kernels;      /* which kernel does it, rather than its shape: to be measured after the shapes */
    uint32_t n;
    uint32_t numbers[CHOICE_MAX][CHOICE_NUMBERS];
};

enum { CHOICE_FEW = 32 };

/* One more candidate; nothing if it is there already or the list is full. */
void choice_add(struct choice *c, uint32_t a, uint32_t b, uint32_t d);

/* who chooses: gives the index of a candidate */
struct chooser {
    uint32_t (*choose)(void *user, const struct choice *c);
    void *user;
};

/* The numbers of the candidate to take: the first without a chooser. They are the choice's own. */
const uint32_t *plan_choose(const struct op_plan *p, const struct choice *c);

/* ---- what was kept ---- */

struct tuned {
    const char *key;
    uint32_t numbers[CHOICE_NUMBERS];
};

/* Zero-initialise. */
struct tuning {
    struct arena arena;
    struct tuned *items;
    uint32_t n, capacity;
};

void tuning_free(struct tuning *t);

/* The numbers for a key, in the place of earlier ones. */
bool tuning_set(struct tuning *t, const char *key, const uint32_t numbers[CHOICE_NUMBERS], struct error *err);
void tuning_drop(struct tuning *t, const char *key);

/* A chooser's function, user a struct tuning: the numbers that were kept if they are among the candidates, else 0. */
uint32_t tuning_choose(void *tuning, const struct choice *c);

/* As text, never empty, a line for each key, and back; false if the text is no such, after which t holds none. */
void tuning_write(const struct tuning *t, struct builder *out);
bool tuning_read(struct tuning *t, const char *text, size_t length);

#endif
