/* kept_file.h - what is kept from run to run in a file of the user's cache folder: compiled kernels, and what tuning
 * found; one file of each kind for each combination of adapter, driver, runtime and Corvid version. Nothing here can fail
 * a run: a file that is not to be trusted is told in `warning` and written anew, one that cannot be written is told in
 * `state`. One thread at a time; processes may share a folder. */
#ifndef CORVID_ENGINE_KEPT_FILE_H
#define CORVID_ENGINE_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_PATH_MAX = 2048 };

struct kept_file {
    const char *kind, *what;        /* the file's name before "-HASH"; what it holds, for people; both live for ever */
    char folder[STORE_PATH_MAX];    /* ends in '/'; "": nothing is kept */
    char path[STORE_PATH_MAX + 64]; /* "" until a key is known */
    char key[640];
    uint64_t hash;                    /* of what the file holds; 0: nothing to rely on */
    char state[STORE_PATH_MAX + 640]; /* what became of the file, for people; "" */
    char warning[496];                /* ""; one line */
};

/* kind and what: as above. folder: where to keep files; "" or "off": nowhere; NULL: what CORVID_CACHE says in the same way, else `corvid` in the
 * user's cache folder. */
void kept_file_init(struct kept_file *s, const char *kind, const char *what, const char *folder);

/* The data of the file for `key`, malloc'ed, or NULL. Such is gpu_options.kept_kernels, with a kept_file as its user. */
void *kept_file_load(void *kept_file, const char *key, size_t *bytes);

/* Replaces the file in one step if `data` is not what it holds. After kept_file_load. */
void kept_file_save(struct kept_file *s, const void *data, size_t bytes);

#endif
