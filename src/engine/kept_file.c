/* kept_file.c - see kept_file.h. A file, little-endian:
 *
 *   0  magic      "CORVIDKC"
 *   8  version    u32
 *   12 key_bytes  u32
 *   16 data_bytes u64
 *   24 hash       u64: XXH64 of the 24 bytes before it, the key and the data
 *   32 key, data
 *
 * It counts only if its size is what the header says, the hash is right and the key is the one that is asked for: then
 * the data are what was saved for the same device. The hash is no signature, so files that others may write are not opened. */
#include "engine/kept_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/caches.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "base/path.h"
#include "corvid.h"

static const char magic[8] = {'C', 'O', 'R', 'V', 'I', 'D', 'K', 'C'};
enum { STORE_VERSION = 1, HEADER_BYTES = 32, HASH_AT = 24, DATA_BYTES_MAX = 256 << 20 };

void kept_file_init(struct kept_file *s, const char *kind, const char *what, const char *folder)
{
    char caches[STORE_PATH_MAX - sizeof "/corvid/"];
    *s = (struct kept_file){.kind = kind, .what = what};
    if (!folder) folder = getenv("CORVID_CACHE");
    if (folder && (!*folder || !strcmp(folder, "off"))) return;
    int length = -1;
    if (folder) length = snprintf(s->folder, sizeof s->folder, "%s/", folder);
    else if (caches_folder(caches, sizeof caches)) length = snprintf(s->folder, sizeof s->folder, "%s/corvid/", caches);
    if (length < 0 || (size_t)length >= sizeof s->folder) *s->folder = 0;
}

static uint64_t hash_of(const uint8_t header[HEADER_BYTES], const char *key, const void *data, size_t bytes)
{
    return XXH64(data, bytes, XXH64(key, strlen(key), XXH64(header, HASH_AT, 0)));
}

static void make_header(const struct kept_file *s, const void *data, size_t bytes, uint8_t header[HEADER_BYTES])
{
    memcpy(header, magic, sizeof magic);
    store_u32(header + 8, STORE_VERSION);
    store_u32(header + 12, (uint32_t)strlen(s->key));
    store_u64(header + 16, bytes);
    store_u64(header + HASH_AT, hash_of(header, s->key, data, bytes));
}

/* The data of an open file, malloc'ed; NULL and what is wrong. */
static uint8_t *read_file(struct kept_file *s, FILE *file, size_t *bytes, const char **wrong)
{
    uint8_t header[HEADER_BYTES], expected[HEADER_BYTES];
    char key[sizeof s->key];
    size_t key_bytes = strlen(s->key);
    *wrong = "it is shorter than its header";
    if (fread(header, 1, sizeof header, file) != sizeof header) return NULL;
    uint64_t size = load_u64(header + 16);
    *wrong = "its header is damaged";
    if (memcmp(header, magic, sizeof magic) || load_u32(header + 8) != STORE_VERSION || !size || size > DATA_BYTES_MAX)
        return NULL;
    *wrong = "it was made for something else";
    if (load_u32(header + 12) != key_bytes || fread(key, 1, key_bytes, file) != key_bytes ||
        memcmp(key, s->key, key_bytes))
        return NULL;
    uint8_t *data = malloc((size_t)size);
    *wrong = "its size or its hash is wrong";
    bool whole = data && fread(data, 1, (size_t)size, file) == size && fgetc(file) == EOF;
    if (whole) make_header(s, data, (size_t)size, expected);
    if (whole && !memcmp(header, expected, sizeof header)) {
        *bytes = (size_t)size;
        return data;
    }
    free(data);
    return NULL;
}

void *kept_file_load(void *kept_file, const char *key, size_t *bytes)
{
    struct kept_file *s = kept_file;
    const char *wrong;
    *bytes = 0;
    if (!*s->folder) return NULL;
    snprintf(s->key, sizeof s->key, "corvid " CORVID_VERSION ", %s", key);
    snprintf(s->path, sizeof s->path, "%s%s-%016llx", s->folder, s->kind,
             (unsigned long long)XXH64(s->key, strlen(s->key), 0));
    snprintf(s->state, sizeof s->state, "%s: nothing is kept yet", s->path);
    errno = 0;
    FILE *file = file_open_own(s->path);
    if (!file) {
        if (errno && errno != ENOENT && errno != ENOTDIR)
            snprintf(s->state, sizeof s->state, "%s: cannot be opened: %s", s->path, strerror(errno));
        return NULL;
    }
    uint8_t *data = read_file(s, file, bytes, &wrong);
    fclose(file);
    if (data) {
        s->hash = XXH64(data, *bytes, 0);
        snprintf(s->state, sizeof s->state, "%s: %zu KB were read", s->path, *bytes / 1000);
    } else {
        snprintf(s->warning, sizeof s->warning, "the file of %s %.300s was ignored, for %s; it will be written anew",
                 s->what, s->path, wrong);
    }
    return data;
}

static bool write_file(const struct kept_file *s, const char *path, const void *data, size_t bytes, struct error *err)
{
    uint8_t header[HEADER_BYTES];
    make_header(s, data, bytes, header);
    FILE *file = file_create_own(path, err);
    if (!file) return false;
    bool ok = fwrite(header, 1, sizeof header, file) == sizeof header && fputs(s->key, file) >= 0 &&
              fwrite(data, 1, bytes, file) == bytes;
    if (!ok) fail(err, ERR_IO, "cannot write: %s", strerror(errno));
    ok = ok && file_sync(file, err);
    if (fclose(file) && ok) ok = fail(err, ERR_IO, "cannot write: %s", strerror(errno));
    return ok;
}

void kept_file_save(struct kept_file *s, const void *data, size_t bytes)
{
    uint64_t hash = XXH64(data, bytes, 0);
    if (!*s->path || !bytes || bytes > DATA_BYTES_MAX || hash == s->hash) return;
    struct error err = {.code = ERR_NONE};
    char temporary[sizeof s->path + 32];
    /* the clock and where the stack lies differ between processes that write at once */
    snprintf(temporary, sizeof temporary, "%s.%llx", s->path,
             (unsigned long long)(clock_ns() ^ (uint64_t)(uintptr_t)&err << 20));
    bool ok = path_make_folders(s->path) || fail(&err, ERR_IO, "the folder cannot be made");
    ok = ok && write_file(s, temporary, data, bytes, &err) && file_replace(temporary, s->path, &err);
    if (ok) {
        s->hash = hash;
        snprintf(s->state, sizeof s->state, "%s: %zu KB were written", s->path, bytes / 1000);
    } else {
        file_remove(temporary, NULL);
        snprintf(s->state, sizeof s->state, "%s: %s", s->path, err.message);
    }
}
