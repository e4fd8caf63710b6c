/* source_none.c - see source.h: no file system, models come from memory only */
#include "file/source.h"

bool source_open(struct source *s, const char *path, struct error *err)
{
    *s = (struct source){0};
    return fail(err, ERR_UNSUPPORTED, "cannot open %s: this build reads no files, open the model from memory", path);
}

void source_forget(const struct source *s, uint64_t at, uint64_t bytes)
{
    (void)s;
    (void)at;
    (void)bytes;
}

void source_close(struct source *s) { *s = (struct source){0}; }
