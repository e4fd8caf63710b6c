/* tokenizer_kind.h - what a kind of tokenizer is made of. To add one: a file with a struct tokenizer_kind, a line in
 * tokenizer.c's registry. */
#ifndef CORVID_TEXT_TOKENIZER_KIND_H
#define CORVID_TEXT_TOKENIZER_KIND_H

#include "text/vocabulary.h"

struct tokenizer_kind {
    const char *name; /* tokenizer.ggml.model */
    struct vocabulary_rules rules;
    bool adds_bos; /* if the file does not say; a kind without BOS never adds one */
    bool (*create)(void **state, const struct vocabulary *v, const struct model_file *file, struct error *err);
    void (*destroy)(void *state); /* accepts NULL */
    /* Appends the tokens of a text that holds no special tokens. first: a special token or nothing is before it. */
    bool (*encode)(const void *state, const struct vocabulary *v, struct bytes text, bool first,
                   struct token_list *list, struct error *err);
};

extern const struct tokenizer_kind rwkv_tokenizer, llama_tokenizer;

#endif
