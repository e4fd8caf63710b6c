/* source_posix.c - see source.h: a private read-only mapping. handle is the mapping's address. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "file/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* the header is wanted at once; asking for a whole model would read it all before the first byte is used */
enum { HEAD_BYTES = 8 << 20 };

static bool map_file(struct source *s, int fd, const char *path, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info)) return fail(err, ERR_IO, "cannot look at %s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode)) return fail(err, ERR_IO, "%s is a folder, expected a model file", path);
    if (!S_ISREG(info.st_mode)) return fail(err, ERR_IO, "%s is not a regular file: it cannot be mapped", path);
    if (info.st_size <= 0) return fail(err, ERR_IO, "%s is empty: download it again", path);
    if ((uint64_t)info.st_size > SIZE_MAX / 2)
        return fail(err, ERR_UNSUPPORTED, "%s is too large for this system's address space", path);

    size_t size = (size_t)info.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return fail(err, ERR_IO, "cannot map %s: %s", path, strerror(errno));
    madvise(data, size, MADV_SEQUENTIAL);
    madvise(data, size < HEAD_BYTES ? size : HEAD_BYTES, MADV_WILLNEED);
    *s = (struct source){data, size, data};
    return true;
}

bool source_open(struct source *s, const char *path, struct error *err)
{
    *s = (struct source){0};
    /* O_NONBLOCK: opening a pipe must not wait for its writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    bool ok = map_file(s, fd, path, err);
    close(fd); /* the mapping stays */
    return ok;
}

void source_forget(const struct source *s, uint64_t at, uint64_t bytes)
{
    if (!s->handle || at >= s->size) return;
    if (bytes > s->size - at) bytes = s->size - at;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t from = (at + page - 1) / page * page, to = (at + bytes) / page * page;
    if (from < to) madvise((uint8_t *)s->handle + from, (size_t)(to - from), MADV_DONTNEED);
}

void source_close(struct source *s)
{
    if (s->handle) munmap(s->handle, (size_t)s->size);
    *s = (struct source){0};
}
