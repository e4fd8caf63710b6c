/* trie.c - see trie.h
 *
 * Building: the keys are sorted; a node is a range of keys that agree in its first `depth` bytes. The nodes are taken
 * in order; each splits its range by the next byte and appends its children. No recursion. */
#include "text/trie.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 1 << 24 };

struct trie_node {
    uint32_t first_child;
    int32_t token; /* -1: no key ends here */
    uint16_t n_children;
    uint8_t byte; /* of the edge that leads here */
};

struct range {
    uint32_t low, high, depth;
};

struct builder_state {
    struct trie_node *nodes;
    struct range *ranges; /* of the nodes */
    uint32_t count, capacity;
};

static int compare_keys(const void *a, const void *b)
{
    const struct trie_key *x = a, *y = b;
    size_t common = x->text.length < y->text.length ? x->text.length : y->text.length;
    int order = common ? memcmp(x->text.data, y->text.data, common) : 0;
    if (order) return order;
    if (x->text.length != y->text.length) return x->text.length < y->text.length ? -1 : 1;
    return x->token > y->token ? -1 : x->token < y->token;
}

static bool add_node(struct builder_state *s, uint8_t byte, struct range range, struct error *err)
{
    if (s->count == MAX_NODES)
        return fail(err, ERR_LIMIT,
                    "tokenizer.ggml.tokens: found more than %d distinct beginnings of tokens; "
                    "use a smaller vocabulary",
                    MAX_NODES);
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity ? s->capacity * 2 : 1024;
        struct trie_node *nodes = realloc(s->nodes, capacity * sizeof *nodes);
        if (nodes) s->nodes = nodes;
        struct range *ranges = realloc(s->ranges, capacity * sizeof *ranges);
        if (ranges) s->ranges = ranges;
        if (!nodes || !ranges) return fail_memory(err, "the vocabulary's trie");
        s->capacity = capacity;
    }
    s->nodes[s->count] = (struct trie_node){.token = -1, .byte = byte};
    s->ranges[s->count++] = range;
    return true;
}

static bool split_node(struct builder_state *s, uint32_t node, const struct trie_key *keys, struct error *err)
{
    struct range r = s->ranges[node];
    uint32_t at = r.low, first_child = s->count;
    if (r.depth && keys[at].text.length == r.depth) s->nodes[node].token = keys[at].token;
    while (at < r.high && keys[at].text.length == r.depth) at++;
    while (at < r.high) {
        uint8_t byte = (uint8_t)keys[at].text.data[r.depth];
        struct range child = {at, at, r.depth + 1};
        while (child.high < r.high && (uint8_t)keys[child.high].text.data[r.depth] == byte) child.high++;
        if (!add_node(s, byte, child, err)) return false;
        at = child.high;
    }
    s->nodes[node].first_child = first_child;
    s->nodes[node].n_children = (uint16_t)(s->count - first_child);
    return true;
}

bool trie_create(struct trie *t, struct trie_key *keys, size_t n, struct error *err)
{
    t->nodes = NULL;
    if (n >= UINT32_MAX) return fail(err, ERR_LIMIT, "tokenizer.ggml.tokens: too many tokens for a trie");
    if (!n) return true;
    qsort(keys, n, sizeof *keys, compare_keys);
    struct builder_state s = {0};
    bool ok = add_node(&s, 0, (struct range){0, (uint32_t)n, 0}, err);
    for (uint32_t i = 0; ok && i < s.count; i++) ok = split_node(&s, i, keys, err);
    free(s.ranges);
    if (ok) t->nodes = s.nodes;
    else free(s.nodes);
    return ok;
}

void trie_destroy(struct trie *t)
{
    free(t->nodes);
    t->nodes = NULL;
}

static const struct trie_node *find_child(const struct trie *t, const struct trie_node *node, uint8_t byte)
{
    const struct trie_node *children = t->nodes + node->first_child;
    uint32_t low = 0, high = node->n_children;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (children[middle].byte < byte) low = middle + 1;
        else high = middle;
    }
    return low < node->n_children && children[low].byte == byte ? &children[low] : NULL;
}

int32_t trie_longest(const struct trie *t, const char *text, size_t length, size_t *matched)
{
    int32_t token = -1;
    *matched = 0;
    const struct trie_node *node = t->nodes;
    for (size_t i = 0; node && i < length; i++) {
        node = find_child(t, node, (uint8_t)text[i]);
        if (!node || node->token < 0) continue;
        token = node->token;
        *matched = i + 1;
    }
    return token;
}
