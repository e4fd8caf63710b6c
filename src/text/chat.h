/* chat.h - how a conversation is written for a model.
 *
 *   plain   User: {text}\n\nAssistant:                                        every rwkv*; models without the others
 *   gemma   <start_of_turn>user\n{text}<end_of_turn>\n<start_of_turn>model\n  if the vocabulary has <start_of_turn>
 *   chatml  <|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n       if it has <|im_start|>
 *
 * A later turn starts with what closes the answer before it: the token or text that ended the answer was sampled but
 * not fed to the model. */
#ifndef CORVID_TEXT_CHAT_H
#define CORVID_TEXT_CHAT_H

#include <stdbool.h>

#include "base/builder.h"
#include "text/tokenizer.h"

/* Appends one turn up to where the answer starts. system (may be NULL) counts only if `first`. To be tokenised with
 * TOKENIZE_SPECIAL. Names of control tokens in the texts are taken apart with U+200B; in the plain format, where an
 * empty line ends a turn, the texts lose their empty lines. */
bool chat_turn(const struct tokenizer *t, const char *architecture, bool first, const char *system, const char *user,
               struct builder *out, struct error *err);

/* The text that ends an answer; NULL if only tokens do. */
const char *chat_stop(const struct tokenizer *t, const char *architecture);

#endif
