/* file_posix.c - see file.h */
#define _POSIX_C_SOURCE 200809L

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *file_create(const char *path, struct error *err)
{
    FILE *file = fopen(path, "wb");
    if (!file) fail(err, ERR_IO, "cannot create %s: %s", path, strerror(errno));
    return file;
}

FILE *file_create_own(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file) return file;
    fail(err, ERR_IO, "cannot create %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return NULL;
}

FILE *file_open_own(const char *path)
{
    /* O_NONBLOCK: opening a pipe must not wait for its writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0) return NULL;
    bool own = !fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_uid == geteuid() && !(info.st_mode & 022);
    FILE *file = own ? fdopen(fd, "rb") : NULL;
    if (!file) close(fd);
    return file;
}

bool file_sync(FILE *file, struct error *err)
{
    if (fflush(file)) return fail(err, ERR_IO, "cannot write: %s", strerror(errno));
    /* pipes and some network disks cannot sync, which is no failure to write */
    if (fsync(fileno(file)) && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return fail(err, ERR_IO, "cannot write to the disk: %s", strerror(errno));
    return true;
}

bool file_replace(const char *from, const char *to, struct error *err)
{
    if (rename(from, to)) return fail(err, ERR_IO, "cannot rename %s to %s: %s", from, to, strerror(errno));
    return true;
}

bool file_remove(const char *path, struct error *err)
{
    if (unlink(path) && errno != ENOENT) return fail(err, ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    return true;
}
