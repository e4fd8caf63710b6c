/* trie.h - the longest of many byte strings that a text starts with.
 *
 * Nodes lie in one array in breadth-first order, so a node's children are neighbours, sorted by their byte:
 *     root | a b c | aa ab | ba | ...
 * Built once, then read by any number of threads. */
#ifndef CORVID_TEXT_TRIE_H
#define CORVID_TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "file/model_file.h"

struct trie_key {
    struct bytes text;
    int32_t token;
};

struct trie {
    struct trie_node *nodes; /* NULL: no keys */
};

/* Sorts keys[n]. Empty keys are left out; of equal keys the largest token counts. */
bool trie_create(struct trie *t, struct trie_key *keys, size_t n, struct error *err);
void trie_destroy(struct trie *t); /* accepts a zeroed trie */

/* The token of the longest key that text[0 .. length) starts with, and the key's bytes; -1 and 0 if there is none. */
int32_t trie_longest(const struct trie *t, const char *text, size_t length, size_t *matched);

#endif
