/* spirv.c - see spirv.h. An instruction is a word with its length and opcode, then its operands (SPIR-V 1.5, 2.3). */
#include "ops/spirv.h"

#include <string.h>

enum { HEADER_WORDS = 5, OP_NAME = 5, OP_SPEC_CONSTANT = 50, OP_DECORATE = 71, SPEC_ID = 1 };

const struct spirv_module *spirv_find(const char *name)
{
    for (const struct spirv_module *m = spirv_modules; m->name; m++)
        if (!strcmp(m->name, name)) return m;
    return NULL;
}

/* OpSpecConstant: type, id, value */
static bool set_id(uint32_t *words, size_t n_words, uint32_t id, uint32_t value)
{
    for (size_t at = HEADER_WORDS; at < n_words && words[at] >> 16; at += words[at] >> 16) {
        if ((words[at] & 0xffff) != OP_SPEC_CONSTANT || at + 3 >= n_words || words[at + 2] != id) continue;
        words[at + 3] = value;
        return true;
    }
    return false;
}

/* OpDecorate: target, SpecId, number. All that have the number of `id`: a workgroup's size is a constant of its own beside
 * the one that has a name. */
static bool set_number(uint32_t *words, size_t n_words, uint32_t id, uint32_t value)
{
    const uint32_t *own = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t at = HEADER_WORDS; at < n_words && words[at] >> 16; at += words[at] >> 16) {
            if ((words[at] & 0xffff) != OP_DECORATE || at + 3 >= n_words || words[at + 2] != SPEC_ID) continue;
            if (!pass && words[at + 1] == id) own = &words[at + 3];
            if (pass && own && words[at + 3] == *own) set_id(words, n_words, words[at + 1], value);
        }
    }
    return own && set_id(words, n_words, id, value);
}

/* OpName: id, text with a zero at its end */
bool spirv_set(uint32_t *words, size_t n_words, const char *name, uint32_t value)
{
    bool found = false;
    for (size_t at = HEADER_WORDS; at < n_words && words[at] >> 16; at += words[at] >> 16) {
        const size_t length = words[at] >> 16;
        if ((words[at] & 0xffff) != OP_NAME || length < 3 || at + length > n_words) continue;
        if (strncmp((const char *)&words[at + 2], name, 4 * (length - 2))) continue;
        found |= set_number(words, n_words, words[at + 1], value);
    }
    return found;
}
