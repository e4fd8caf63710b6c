/* text.c - the public face of text/: tokens, characters, conversations, sampling. */
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "engine/engine.h"
#include "text/chat.h"
#include "text/utf8.h"

_Static_assert((int)CORVID_TOKENIZE_BOS == TOKENIZE_BOS && (int)CORVID_TOKENIZE_SPECIAL == TOKENIZE_SPECIAL,
               "same flags");
_Static_assert(sizeof(corvid_utf8) == sizeof(struct utf8_stream), "the public stream is the inner one");
_Static_assert(sizeof(corvid_sampling) == sizeof(struct sampler_params), "the public parameters are the inner ones");

static bool encode(const struct tokenizer *t, const char *text, size_t length, int flags, int32_t **tokens,
                   size_t *count, struct error *err)
{
    struct token_list list = {0};
    if (!tokenizer_encode(t, text, length, flags, &list, err)) {
        token_list_free(&list);
        return false;
    }
    *tokens = list.tokens;
    *count = list.count;
    return true;
}

bool corvid_tokenize(const corvid_model *model, const char *text, size_t length, int flags, int32_t **tokens,
                     size_t *count, corvid_error *err)
{
    const struct trace_zone zone = trace_begin("tokenize");
    bool done = encode(model->tokenizer, text, length, flags, tokens, count, inner(err));
    trace_end(zone, NULL);
    return done;
}

bool corvid_tokenize_file(const char *path, const char *text, size_t length, int flags, int32_t **tokens, size_t *count,
                          corvid_error *err)
{
    struct model_file *file = model_file_open(path, inner(err));
    struct tokenizer *t = file ? tokenizer_create(file, inner(err)) : NULL;
    bool ok = t && encode(t, text, length, flags, tokens, count, inner(err));
    if (file && !ok) fail_in(inner(err), "%s", path);
    tokenizer_destroy(t);
    model_file_close(file);
    return ok;
}

size_t corvid_piece(const corvid_model *model, int32_t token, const char **bytes)
{
    struct bytes b = tokenizer_piece(model->tokenizer, token, false);
    *bytes = b.data;
    return b.length;
}

bool corvid_ends_text(const corvid_model *model, int32_t token) { return tokenizer_ends_text(model->tokenizer, token); }

size_t corvid_utf8_feed(corvid_utf8 *stream, const char *bytes, size_t n, char *out)
{
    struct utf8_stream s;
    memcpy(&s, stream, sizeof s);
    size_t written = utf8_stream_feed(&s, bytes, n, out);
    memcpy(stream, &s, sizeof s);
    return written;
}

bool corvid_chat_turn(const corvid_model *model, bool first, const char *system, const char *user, char **out,
                      corvid_error *err)
{
    struct builder b = {0};
    bool ok = chat_turn(model->tokenizer, model->arch->name, first, system, user, &b, inner(err));
    if (ok && b.failed) ok = fail_memory(inner(err), "a turn of the conversation");
    if (ok && !b.data) builder_text(&b, "");
    if (ok) *out = b.data;
    else builder_free(&b);
    return ok;
}

const char *corvid_chat_stop(const corvid_model *model) { return chat_stop(model->tokenizer, model->arch->name); }

corvid_sampling corvid_sampling_defaults(const corvid_model *model)
{
    if (model->arch->recurrent)
        return (corvid_sampling){.temperature = 1.0f,
                                 .top_k = 128,
                                 .top_p = 0.5f,
                                 .repeat_penalty = 1,
                                 .presence_penalty = 0.3f,
                                 .frequency_penalty = 0.3f,
                                 .penalty_window = 64};
    return (corvid_sampling){
        .temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f, .repeat_penalty = 1, .penalty_window = 64};
}

corvid_sampler *corvid_sampler_create(const corvid_model *model, const corvid_sampling *sampling, corvid_error *err)
{
    corvid_sampler *s = calloc(1, sizeof *s);
    if (!s) return fail_memory(inner(err), "a sampler"), NULL;
    struct sampler_params params;
    memcpy(&params, sampling, sizeof params);
    s->inner = sampler_create(&params, (int32_t)model->hyper.vocab, inner(err));
    if (s->inner) return s;
    free(s);
    return NULL;
}

void corvid_sampler_destroy(corvid_sampler *sampler)
{
    if (!sampler) return;
    sampler_destroy(sampler->inner);
    free(sampler);
}

int32_t corvid_sampler_next(corvid_sampler *sampler, const float *logits)
{
    const struct trace_zone zone = trace_begin("sample");
    int32_t token = sampler_next(sampler->inner, logits);
    trace_end(zone, NULL);
    return token;
}

void corvid_sampler_accept(corvid_sampler *sampler, int32_t token) { sampler_accept(sampler->inner, token); }

bool corvid_sampler_forbid(corvid_sampler *sampler, int32_t token, corvid_error *err)
{
    return sampler_forbid(sampler->inner, token, inner(err));
}
