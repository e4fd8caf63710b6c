/* conversation.c - see conversation.h */
#include "cli/conversation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "base/terminal.h"
#include "cli/common.h"

enum { MAGIC_BYTES = 8, HEADER_BYTES = 32, VERSION = 1 };

static const char magic[] = "CORVIDCH";

/* takes the space away that many models put in front of an answer */
struct trimmer {
    struct conversation *conversation;
    bool started;
};

static bool emit_trimmed(void *user, const char *text, size_t n)
{
    struct trimmer *t = user;
    while (!t->started && n && (*text == ' ' || *text == '\n')) text++, n--;
    if (!n) return true;
    t->started = true;
    return t->conversation->emit(t->conversation->emit_user, text, n);
}

static bool copy_error(corvid_error *err, const struct error *from)
{
    err->code = (corvid_error_code)from->code;
    snprintf(err->message, sizeof err->message, "%s", from->message);
    return false;
}

/* Feeds without wanting logits. */
static bool feed_quietly(struct conversation *c, const int32_t *tokens, size_t n, corvid_error *err)
{
    corvid_input input = {.session = c->session, .tokens = tokens, .count = n};
    return !n || corvid_step(c->model, &input, 1, err);
}

/* Feeds what the state lacks of the answer: the next turn begins with what ends an answer, so the last token is
 * missing, and of a token that reached into the stop string the part before it. A full context is noticed later. */
static bool close_answer(struct conversation *c, const struct generation *g, const char *stop, corvid_error *err)
{
    const int32_t *last = g->tokens + g->decode_tokens;
    if (g->n_tokens == g->decode_tokens) return true;
    if (!g->stopped_by_text) return feed_quietly(c, last, 1, err) || err->code == CORVID_ERROR_LIMIT;
    const char *piece = NULL;
    size_t length = corvid_piece(c->model, *last, &piece), stop_length = strlen(stop), at = 0, n = 0;
    while (at + stop_length <= length && memcmp(piece + at, stop, stop_length) != 0) at++;
    if (!at || at + stop_length > length) return true;
    int32_t *tokens = NULL;
    bool done = corvid_tokenize(c->model, piece, at, 0, &tokens, &n, err) && feed_quietly(c, tokens, n, err);
    free(tokens);
    return done;
}

static bool answer(struct conversation *c, const int32_t *prompt, size_t n, corvid_error *err)
{
    const char *stop = corvid_chat_stop(c->model);
    struct trimmer trimmer = {.conversation = c};
    corvid_sampling sampling = c->sampling;
    sampling.seed += c->turns;
    struct generation g = {.model = c->model,
                           .session = c->session,
                           .sampling = &sampling,
                           .stops = &stop,
                           .n_stops = stop ? 1 : 0,
                           .max_tokens = c->max_tokens,
                           .emit = emit_trimmed,
                           .emit_user = &trimmer};
    bool done = generate(&g, prompt, n, err);
    c->finish = g.finish;
    c->prefill_tokens = g.prefill_tokens;
    c->prefill_ms = g.prefill_ms;
    c->decode_tokens = g.decode_tokens;
    c->decode_ms = g.decode_ms;
    if (done) {
        c->turns++;
        done = close_answer(c, &g, stop, err);
    }
    free(g.tokens);
    return done;
}

bool conversation_ask(struct conversation *c, const char *text, corvid_error *err)
{
    char *turn = NULL;
    int32_t *tokens = NULL;
    size_t n = 0;
    bool first = c->turns == 0;
    int flags = CORVID_TOKENIZE_SPECIAL | (first ? CORVID_TOKENIZE_BOS : 0);
    bool done = corvid_chat_turn(c->model, first, first ? c->system : NULL, text, &turn, err) &&
                corvid_tokenize(c->model, turn, strlen(turn), flags, &tokens, &n, err) && answer(c, tokens, n, err);
    free(turn);
    free(tokens);
    return done;
}

bool conversation_reset(struct conversation *c, corvid_error *err)
{
    c->turns = 0;
    return corvid_session_reset(c->session, err);
}

/* ---- files ---- */

static bool write_file(const char *path, const uint8_t *header, const void *blob, size_t size, struct error *err)
{
    FILE *file = file_create(path, err);
    if (!file) return false;
    bool written = fwrite(header, 1, HEADER_BYTES, file) == HEADER_BYTES && fwrite(blob, 1, size, file) == size;
    if (!written) fail(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    written = written && file_sync(file, err);
    if (fclose(file) != 0 && written) written = fail(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return written;
}

bool conversation_save(const struct conversation *c, const char *path, corvid_error *err)
{
    void *blob = NULL;
    size_t size = 0;
    char part[COMMON_PATH_MAX];
    struct error e = {.code = ERR_NONE};
    int length = snprintf(part, sizeof part, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof part) {
        fail(&e, ERR_ARGUMENT, "the path is longer than %d bytes", COMMON_PATH_MAX);
        return copy_error(err, &e);
    }
    if (!corvid_session_save(c->session, &blob, &size, err)) return false;
    uint8_t header[HEADER_BYTES] = {0};
    memcpy(header, magic, MAGIC_BYTES);
    store_u32(header + 8, VERSION);
    store_u64(header + 16, c->turns);
    store_u64(header + 24, size);
    bool done = write_file(part, header, blob, size, &e) && file_replace(part, path, &e);
    free(blob);
    if (done) return true;
    file_remove(part, NULL);
    return copy_error(err, &e);
}

static bool check_header(const char *path, const uint8_t *data, size_t size, struct error *err)
{
    if (size < HEADER_BYTES || memcmp(data, magic, MAGIC_BYTES) != 0)
        return fail(err, ERR_FORMAT, "%s is no conversation, expected a file written by /save", path);
    if (load_u32(data + 8) != VERSION) {
        return fail(err, ERR_UNSUPPORTED, "%s has version %u, this Corvid reads version %d", path,
                    (unsigned)load_u32(data + 8), VERSION);
    }
    if (load_u64(data + 24) != size - HEADER_BYTES) {
        return fail(err, ERR_FORMAT, "%s has %zu bytes of state, its header says %llu: it is cut or damaged", path,
                    size - HEADER_BYTES, (unsigned long long)load_u64(data + 24));
    }
    return true;
}

bool conversation_load(struct conversation *c, const char *path, corvid_error *err)
{
    char *data = NULL;
    size_t size = 0;
    struct error e = {.code = ERR_NONE};
    bool done = file_read(path, &data, &size, &e) && check_header(path, (const uint8_t *)data, size, &e);
    if (!done) copy_error(err, &e);
    done = done && corvid_session_restore(c->session, data + HEADER_BYTES, size - HEADER_BYTES, err);
    if (done) c->turns = load_u64(data + 16);
    free(data);
    return done;
}
