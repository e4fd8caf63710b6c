/* tuning.c - see tuning.h. As text:
 *
 *   corvid tuning
 *   128 32 1 matvec q4_k 2560x2560 t1 q8 */
#include "ops/tuning.h"

#include <string.h>

enum { TUNED_MAX = 4096 };

static const char head[] = "corvid tuning\n";

void choice_add(struct choice *c, uint32_t a, uint32_t b, uint32_t d)
{
    const uint32_t numbers[CHOICE_NUMBERS] = {a, b, d};
    for (uint32_t i = 0; i < c->n; i++)
        if (!memcmp(c->numbers[i], numbers, sizeof numbers)) return;
    if (c->n < CHOICE_MAX) memcpy(c->numbers[c->n++], numbers, sizeof numbers);
}

const uint32_t *plan_choose(const struct op_plan *p, const struct choice *c)
{
    uint32_t i = p->chooser && p->chooser->choose ? p->chooser->choose(p->chooser->user, c) : 0;
    return c->numbers[i < c->n ? i : 0];
}

void tuning_free(struct tuning *t)
{
    arena_free(&t->arena);
    *t = (struct tuning){0};
}

static struct tuned *find(const struct tuning *t, const char *key)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (!strcmp(t->items[i].key, key)) return &t->items[i];
    return NULL;
}

bool tuning_set(struct tuning *t, const char *key, const uint32_t numbers[CHOICE_NUMBERS], struct error *err)
{
    struct tuned *item = find(t, key);
    if (!item && t->n == TUNED_MAX) return fail(err, ERR_LIMIT, "more than %d tuned kernels", TUNED_MAX);
    if (!item && t->n == t->capacity) { /* what a list leaves stays in the arena */
        uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct tuned *larger = arena_alloc(&t->arena, capacity, sizeof *larger);
        if (!larger) return fail_memory(err, "the tuning");
        if (t->n) memcpy(larger, t->items, t->n * sizeof *larger);
        t->items = larger;
        t->capacity = capacity;
    }
    if (!item) {
        const char *copy = arena_copy(&t->arena, key, strlen(key));
        if (!copy) return fail_memory(err, "the tuning");
        item = &t->items[t->n++];
        item->key = copy;
    }
    memcpy(item->numbers, numbers, sizeof item->numbers);
    return true;
}

void tuning_drop(struct tuning *t, const char *key)
{
    struct tuned *item = find(t, key);
    if (item) *item = t->items[--t->n];
}

uint32_t tuning_choose(void *tuning, const struct choice *c)
{
    const struct tuned *item = find(tuning, c->key);
    for (uint32_t i = 0; item && i < c->n; i++)
        if (!memcmp(c->numbers[i], item->numbers, sizeof item->numbers)) return i;
    return 0;
}

void tuning_write(const struct tuning *t, struct builder *out)
{
    builder_text(out, head);
    for (uint32_t i = 0; i < t->n; i++) {
        const uint32_t *n = t->items[i].numbers;
        builder_printf(out, "%u %u %u %s\n", n[0], n[1], n[2], t->items[i].key);
    }
}

/* a number of up to 9 digits and the space behind it */
static bool read_number(const char **at, const char *end, uint32_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; *at < end && *at - start < 9 && **at >= '0' && **at <= '9'; (*at)++)
        *number = 10 * *number + (uint32_t)(**at - '0');
    if (*at == start || *at == end || **at != ' ') return false;
    (*at)++;
    return true;
}

static bool read_line(struct tuning *t, const char *at, const char *end)
{
    char key[CHOICE_KEY_MAX];
    uint32_t numbers[CHOICE_NUMBERS];
    for (int i = 0; i < CHOICE_NUMBERS; i++)
        if (!read_number(&at, end, &numbers[i])) return false;
    size_t length = (size_t)(end - at);
    if (!length || length >= sizeof key) return false;
    for (size_t i = 0; i < length; i++)
        if (at[i] < ' ' || at[i] > '~') return false;
    memcpy(key, at, length);
    key[length] = 0;
    return tuning_set(t, key, numbers, NULL);
}

bool tuning_read(struct tuning *t, const char *text, size_t length)
{
    tuning_free(t);
    if (length < sizeof head - 1 || memcmp(text, head, sizeof head - 1) != 0) return false;
    for (const char *at = text + sizeof head - 1, *end = text + length; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end || !read_line(t, at, line_end)) {
            tuning_free(t);
            return false;
        }
        at = line_end + 1;
    }
    return true;
}
