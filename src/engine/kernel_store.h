/* kernel_store.h - compiled kernels in a file of the user's cache folder, one for each combination of adapter, driver,
 * runtime and Corvid version. Nothing here can fail a run: a file that is not to be trusted is told in `warning` and
 * written anew, one that cannot be written is told in `state`. One thread at a time; processes may share a folder. */
#ifndef CORVID_ENGINE_KERNEL_STORE_H
#define CORVID_ENGINE_KERNEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_PATH_MAX = 2048 };

struct kernel_store {
    char folder[STORE_PATH_MAX];    /* ends in '/'; "": kernels are not kept */
    char path[STORE_PATH_MAX + 64]; /* "" until a key is known */
    char key[640];
    uint64_t hash;                    /* of what the file holds; 0: nothing to rely on */
    char state[STORE_PATH_MAX + 640]; /* what became of the file, for people; "" */
    char warning[496];                /* ""; one line */
};

/* folder: where to keep files; "" or "off": nowhere; NULL: what CORVID_CACHE says in the same way, else `corvid` in the
 * user's cache folder. */
void kernel_store_init(struct kernel_store *s, const char *folder);

/* gpu_options.kept_kernels, with the store as its user. */
void *kernel_store_load(void *store, const char *key, size_t *bytes);

/* Replaces the file in one step if `data` is not what it holds. After kernel_store_load. */
void kernel_store_save(struct kernel_store *s, const void *data, size_t bytes);

#endif
