/* special.c - see special.h
 *
 * As in llama.cpp the longest token takes its place first, wherever it stands in the text; of equally long ones the
 * one with the smallest id, then the leftmost. Every place where a token matches is queued with its longest match;
 * what no longer fits when its turn comes is queued again with the next shorter match. */
#include "text/special.h"

#include <stdlib.h>
#include <string.h>

#include "text/heap.h"

static bool create_trie(struct trie *t, const struct vocabulary *v, bool control, struct trie_key *keys,
                        struct error *err)
{
    size_t n = 0;
    for (int32_t i = 0; i < v->size; i++) {
        bool is_control = v->types[i] == TOKEN_CONTROL || v->types[i] == TOKEN_UNKNOWN;
        if (control ? is_control : v->types[i] == TOKEN_USER) keys[n++] = (struct trie_key){v->pieces[i], i};
    }
    return trie_create(t, keys, n, err);
}

bool special_create(struct special *s, const struct vocabulary *v, struct error *err)
{
    *s = (struct special){0};
    struct trie_key *keys = malloc((size_t)v->size * sizeof *keys);
    if (!keys) return fail_memory(err, "the vocabulary's special tokens");
    bool ok = create_trie(&s->user, v, false, keys, err) && create_trie(&s->control, v, true, keys, err);
    free(keys);
    return ok;
}

void special_destroy(struct special *s)
{
    trie_destroy(&s->user);
    trie_destroy(&s->control);
}

struct splitter {
    const struct special *special;
    const char *text;
    size_t length;
    bool with_control;
    struct heap queue; /* rank: bytes, a: token, b: place */
    int32_t *taken;    /* a byte: 0 free, 1 inside a token, token + 2 at its start */
    size_t n_taken;    /* tokens */
};

/* Queues the longest match of at most `limit` bytes at a place. */
static bool queue_match(struct splitter *s, size_t at, size_t limit)
{
    size_t bytes, control_bytes = 0;
    int32_t token = trie_longest(&s->special->user, s->text + at, limit, &bytes), control = NO_TOKEN;
    if (s->with_control) control = trie_longest(&s->special->control, s->text + at, limit, &control_bytes);
    if (control_bytes > bytes || (control_bytes == bytes && control > token)) {
        token = control;
        bytes = control_bytes;
    }
    return token == NO_TOKEN || heap_push(&s->queue, (struct heap_item){(float)bytes, token, (uint32_t)at});
}

static bool take_matches(struct splitter *s)
{
    for (size_t at = 0; at < s->length; at++)
        if (!queue_match(s, at, s->length - at)) return false;
    for (struct heap_item match; heap_pop(&s->queue, &match);) {
        size_t bytes = (size_t)match.rank, free_bytes = 0;
        /* tokens that were taken are no shorter: one in the way covers the first or the last byte */
        if (s->taken[match.b]) continue;
        if (s->taken[match.b + bytes - 1]) {
            while (!s->taken[match.b + free_bytes]) free_bytes++;
            if (!queue_match(s, match.b, free_bytes)) return false;
            continue;
        }
        for (size_t i = 0; i < bytes; i++) s->taken[match.b + i] = 1;
        s->taken[match.b] = match.a + 2;
        s->n_taken++;
    }
    return true;
}

static size_t cut(const struct splitter *s, struct fragment *fragments)
{
    size_t n = 0;
    for (size_t at = 0, end; at < s->length; at = end) {
        int32_t mark = s->taken[at];
        end = at + 1;
        while (end < s->length && (mark ? s->taken[end] == 1 : !s->taken[end])) end++;
        fragments[n++] = (struct fragment){at, end - at, mark ? mark - 2 : NO_TOKEN};
    }
    return n;
}

bool special_split(const struct special *s, const char *text, size_t length, bool with_control,
                   struct fragment **fragments, size_t *n, struct error *err)
{
    struct splitter splitter = {.special = s, .text = text, .length = length, .with_control = with_control};
    splitter.taken = calloc(length + 1, sizeof *splitter.taken);
    bool ok = splitter.taken && take_matches(&splitter);
    *n = 0;
    *fragments = ok ? malloc((2 * splitter.n_taken + 1) * sizeof **fragments) : NULL;
    if (*fragments) *n = cut(&splitter, *fragments);
    heap_free(&splitter.queue);
    free(splitter.taken);
    return *fragments || fail_memory(err, "splitting the text");
}
