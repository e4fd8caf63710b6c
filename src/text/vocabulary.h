/* vocabulary.h - the part of a tokenizer that all kinds share: tokenizer.ggml.* of a model file, checked.
 * Immutable after creation. */
#ifndef CORVID_TEXT_VOCABULARY_H
#define CORVID_TEXT_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "file/model_file.h"
#include "text/tokenizer.h"

/* numbered as in tokenizer.ggml.token_type */
enum token_type {
    TOKEN_NORMAL = 1,
    TOKEN_UNKNOWN, /* stands for what has no token */
    TOKEN_CONTROL, /* not text: <bos>, <start_of_turn> */
    TOKEN_USER,    /* found in the text before anything else */
    TOKEN_UNUSED,
    TOKEN_BYTE, /* "<0x0A>" stands for one byte */
    TOKEN_TYPES,
};

struct vocabulary {
    int32_t size;
    const struct bytes *texts; /* as in the file */
    struct bytes *pieces;      /* the bytes that the tokens stand for */
    char *piece_bytes;
    uint8_t *types;            /* enum token_type */
    bool *ends;                /* the token ends an answer */
    int32_t bos, eos, unknown; /* NO_TOKEN if there is none */
};

/* What a kind of tokenizer has to say about vocabularies. */
struct vocabulary_rules {
    int32_t bos, eos, unknown; /* if the file does not say and this token is not text; NO_TOKEN for none */
    /* Writes the bytes that a token stands for to out, at most text.length of them, and sets *length; or says what
     * was expected of the text. */
    const char *(*decode)(struct bytes text, enum token_type type, char *out, size_t *length);
};

bool vocabulary_create(struct vocabulary *v, const struct vocabulary_rules *rules, const struct model_file *file,
                       struct error *err);
void vocabulary_destroy(struct vocabulary *v); /* accepts a zeroed one */

/* A token that is text: it may come out of, and go into, running text. */
bool vocabulary_is_text(const struct vocabulary *v, int32_t token);

#endif
