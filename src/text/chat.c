/* chat.c - see chat.h */
#include "text/chat.h"

#include <string.h>

#include "text/utf8.h"

/* A turn is  open system_open {system} system_close user_open {user} close  if it is the first, else
 *            next user_open {user} close. */
struct chat_format {
    const char *marker; /* control token that the vocabulary must have; NULL: none */
    const char *open, *system_open, *system_close, *next, *user_open, *close;
    const char *stop; /* NULL: only tokens end an answer */
    bool trims;       /* white space around a text is dropped */
    bool one_newline; /* runs of newlines become one */
};

static const struct chat_format plain_format = {
    .open = "",
    .system_open = "System: ",
    .system_close = "\n\n",
    .next = "\n\n",
    .user_open = "User: ",
    .close = "\n\nAssistant:",
    .stop = "\n\n",
    .trims = true,
    .one_newline = true,
};

static const struct chat_format marked_formats[] = {
    {.marker = "<start_of_turn>",
     .open = "<start_of_turn>user\n",
     .system_open = "",
     .system_close = "\n\n",
     .next = "<end_of_turn>\n<start_of_turn>user\n",
     .user_open = "",
     .close = "<end_of_turn>\n<start_of_turn>model\n",
     .trims = true},
    {.marker = "<|im_start|>",
     .open = "",
     .system_open = "<|im_start|>system\n",
     .system_close = "<|im_end|>\n",
     .next = "<|im_end|>\n",
     .user_open = "<|im_start|>user\n",
     .close = "<|im_end|>\n<|im_start|>assistant\n"},
};

static const struct chat_format *find_format(const struct tokenizer *t, const char *architecture)
{
    if (!strncmp(architecture, "rwkv", 4)) return &plain_format;
    for (size_t i = 0; i < sizeof marked_formats / sizeof *marked_formats; i++) {
        const char *marker = marked_formats[i].marker;
        if (tokenizer_control_name(t, marker, strlen(marker)) == strlen(marker)) return &marked_formats[i];
    }
    return &plain_format;
}

static bool is_newline(char c) { return c == '\n' || c == '\r'; }
static bool is_white(char c) { return c == ' ' || c == '\t' || is_newline(c); }

/* The text without what could be taken for the format itself. */
static void append_text(const struct tokenizer *t, const struct chat_format *f, const char *text, struct builder *out)
{
    size_t length = strlen(text);
    while (f->trims && length && is_white(text[length - 1])) length--;
    while (f->trims && length && is_white(text[0])) text++, length--;
    for (size_t at = 0, bytes; at < length; at += bytes) {
        bytes = utf8_character(text + at, length - at);
        size_t name = tokenizer_control_name(t, text + at, length - at);
        if (name > bytes) {
            builder_append(out, text + at, bytes);
            builder_text(out, "\xE2\x80\x8B"); /* U+200B, no width */
        } else if (name) {
            builder_text(out, "\xEF\xBF\xBD"); /* one character cannot be taken apart: U+FFFD */
        } else if (f->one_newline && is_newline(text[at])) {
            while (at + bytes < length && is_newline(text[at + bytes])) bytes++;
            builder_text(out, "\n");
        } else {
            builder_append(out, text + at, bytes);
        }
    }
}

bool chat_turn(const struct tokenizer *t, const char *architecture, bool first, const char *system, const char *user,
               struct builder *out, struct error *err)
{
    const struct chat_format *f = find_format(t, architecture);
    builder_text(out, first ? f->open : f->next);
    if (first && system) {
        builder_text(out, f->system_open);
        append_text(t, f, system, out);
        builder_text(out, f->system_close);
    }
    builder_text(out, f->user_open);
    append_text(t, f, user, out);
    builder_text(out, f->close);
    return !out->failed || fail_memory(err, "the conversation");
}

const char *chat_stop(const struct tokenizer *t, const char *architecture)
{
    return find_format(t, architecture)->stop;
}
