/* special.h - finds the tokens in a text that are taken out of it before the tokenizer proper sees the rest:
 * user-defined tokens always, control tokens on request. Immutable after creation. */
#ifndef CORVID_TEXT_SPECIAL_H
#define CORVID_TEXT_SPECIAL_H

#include "text/trie.h"
#include "text/vocabulary.h"

struct special {
    struct trie user, control;
};

/* A piece of a text: a token, or text if token is NO_TOKEN. */
struct fragment {
    size_t at, length;
    int32_t token;
};

bool special_create(struct special *s, const struct vocabulary *v, struct error *err);
void special_destroy(struct special *s); /* accepts a zeroed one */

/* Cuts text[0 .. length), length < 2^31, into fragments[n], malloc'ed: free() them. */
bool special_split(const struct special *s, const char *text, size_t length, bool with_control,
                   struct fragment **fragments, size_t *n, struct error *err);

#endif
