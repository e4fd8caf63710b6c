/* conversation.h - a chat whose state is kept: a turn costs only its own tokens. */
#ifndef CORVID_CLI_CONVERSATION_H
#define CORVID_CLI_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "corvid.h"
#include "cli/generate.h"

struct conversation {
    corvid_model *model;
    corvid_session *session;
    const char *system;       /* NULL: none */
    corvid_sampling sampling; /* turn t is sampled with seed + t */
    int64_t max_tokens;       /* of one answer */
    bool (*emit)(void *user, const char *text, size_t n);
    void *emit_user;
    uint64_t turns;
    /* of the last answer */
    enum finish finish;
    size_t prefill_tokens, decode_tokens;
    double prefill_ms, decode_ms;
};

/* Asks and emits the answer without the space in front of it. After an error other than CORVID_ERROR_LIMIT the
 * conversation must be reset. */
bool conversation_ask(struct conversation *c, const char *text, corvid_error *err);

bool conversation_reset(struct conversation *c, corvid_error *err);

/* The file appears under its name only when it is whole. It holds a header and corvid_session_save's bytes:
 * "CORVIDCH", version u32, zero u32, turns u64, bytes u64; little endian. */
bool conversation_save(const struct conversation *c, const char *path, corvid_error *err);

/* Goes on where conversation_save stopped; the model must be the same. */
bool conversation_load(struct conversation *c, const char *path, corvid_error *err);

#endif
