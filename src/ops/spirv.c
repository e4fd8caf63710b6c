/* spirv.c - see spirv.h. An instruction is a word with its length and opcode, then its operands (SPIR-V 1.5, 2.3). Names,
 * decorations and constants come in this order, before all functions. */
#include "ops/spirv.h"

#include <string.h>

enum { HEADER_WORDS = 5, OP_NAME = 5, OP_SPEC_CONSTANT = 50, OP_FUNCTION = 54, OP_DECORATE = 71, SPEC_ID = 1 };

const struct spirv_module *spirv_find(const char *name)
{
    for (const struct spirv_module *m = spirv_modules; m->name; m++)
        if (!strcmp(m->name, name)) return m;
    return NULL;
}

/* the next instruction of this kind from *at on, of `length` words at least; NULL: there is none before the functions */
static uint32_t *next(uint32_t *words, size_t n_words, size_t *at, uint32_t op, size_t length)
{
    while (*at < n_words) {
        uint32_t *found = &words[*at];
        const size_t own = *found >> 16;
        if (!own || own > n_words - *at || (*found & 0xffff) == OP_FUNCTION) return NULL;
        *at += own;
        if ((*found & 0xffff) == op && own >= length) return found;
    }
    return NULL;
}

/* OpDecorate: id, SpecId, number. The number of a specialisation constant. */
static const uint32_t *number_of(uint32_t *words, size_t n_words, uint32_t id)
{
    size_t at = HEADER_WORDS;
    for (const uint32_t *d; (d = next(words, n_words, &at, OP_DECORATE, 4));)
        if (d[1] == id && d[2] == SPEC_ID) return &d[3];
    return NULL;
}

/* OpSpecConstant: type, id, value */
static bool set_id(uint32_t *words, size_t n_words, uint32_t id, uint32_t value)
{
    size_t at = HEADER_WORDS;
    for (uint32_t *c; (c = next(words, n_words, &at, OP_SPEC_CONSTANT, 4));) {
        if (c[2] != id) continue;
        c[3] = value;
        return true;
    }
    return false;
}

/* OpName: id, text with a zero at its end. A workgroup's size is a constant of its own beside the one that has a name, and
 * of the same number: all of that number are set. */
bool spirv_set(uint32_t *words, size_t n_words, const char *name, uint32_t value)
{
    bool found = false;
    size_t at = HEADER_WORDS;
    for (const uint32_t *n; (n = next(words, n_words, &at, OP_NAME, 3));) {
        if (strncmp((const char *)&n[2], name, 4 * (size_t)((*n >> 16) - 2))) continue;
        const uint32_t *number = number_of(words, n_words, n[1]);
        size_t from = HEADER_WORDS;
        for (const uint32_t *d; number && (d = next(words, n_words, &from, OP_DECORATE, 4));)
            if (d[2] == SPEC_ID && d[3] == *number) found |= set_id(words, n_words, d[1], value);
    }
    return found;
}
