/* tokenizer.h - text to tokens and back, from the vocabulary in a model file.
 *
 * Kinds: "rwkv" (greedy longest match over a trie of byte strings) and "llama" (SentencePiece: scores, merges of
 * the best pair first, byte fallback). Token ids are 0 .. tokenizer_size - 1.
 * A tokenizer is immutable after creation and may be used by many threads. */
#ifndef CORVID_TEXT_TOKENIZER_H
#define CORVID_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "file/model_file.h"

enum { NO_TOKEN = -1 };

struct tokenizer; /* opaque */

/* Reads tokenizer.ggml.*. Keeps pointers into the file: close the tokenizer first. */
struct tokenizer *tokenizer_create(const struct model_file *file, struct error *err);
void tokenizer_destroy(struct tokenizer *t); /* accepts NULL */

int32_t tokenizer_size(const struct tokenizer *t);
int32_t tokenizer_bos(const struct tokenizer *t); /* NO_TOKEN if there is none */
int32_t tokenizer_eos(const struct tokenizer *t);
bool tokenizer_adds_bos(const struct tokenizer *t); /* the model wants BOS in front of a prompt */
/* The token ends an answer: eos; a control token that the file calls eot, eom or eog; one named like <end_of_turn>. An
 * ordinary token that the file calls eot ("\n\n" in RWKV's World vocabularies) does not: see chat_stop. */
bool tokenizer_ends_text(const struct tokenizer *t, int32_t token);

enum tokenize_flags {
    TOKENIZE_BOS = 1,     /* put BOS in front if tokenizer_adds_bos */
    TOKENIZE_SPECIAL = 2, /* text like "<start_of_turn>" becomes the control token; otherwise it is plain text */
};

struct token_list {
    int32_t *tokens; /* malloc'ed; token_list_free */
    size_t count, capacity;
};

/* Appends the tokens of text[0 .. length) to list. Any bytes are legal, also broken UTF-8. */
bool tokenizer_encode(const struct tokenizer *t, const char *text, size_t length, int flags, struct token_list *list,
                      struct error *err);
void token_list_free(struct token_list *list);
bool token_list_push(struct token_list *list, int32_t token);

/* The bytes that the token stands for in running text ({NULL or "", 0} for control, unknown and unused tokens unless
 * `special`, which then gives their name). Valid as long as the tokenizer. An id out of range gives no bytes. */
struct bytes tokenizer_piece(const struct tokenizer *t, int32_t token, bool special);

/* Bytes of the longest name of a control token that text[0 .. length) starts with; 0 if there is none. */
size_t tokenizer_control_name(const struct tokenizer *t, const char *text, size_t length);

#endif
