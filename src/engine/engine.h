/* engine.h - inside of engine/: what the handles of corvid.h hold. */
#ifndef CORVID_ENGINE_ENGINE_H
#define CORVID_ENGINE_ENGINE_H

#include "corvid.h"
#include "engine/ahead.h"
#include "engine/kept_file.h"
#include "file/model_file.h"
#include "model/arch.h"
#include "model/exec.h"
#include "ops/sampler.h"
#include "ops/tuning.h"
#include "text/tokenizer.h"

struct corvid_device {
    struct gpu *gpu;          /* NULL: the scalar reference */
    struct kept_file store;   /* of compiled kernels */
    struct kept_file tunings; /* of `tuning` */
    struct tuning tuning;     /* what is kept and in use */
    struct chooser chooser;
    struct ahead ahead; /* rests whenever anything but ahead_next uses the device */
    corvid_device_info info;
};

struct corvid_model {
    corvid_device *device;
    struct model_file *file;
    struct tokenizer *tokenizer;
    const struct arch *arch;
    struct hyper hyper;
    struct graph graph;
    struct exec *exec;
    struct step_limits limits;
    struct step step;
    float **rows;         /* [limits.outputs]: where each row of a step's logits goes */
    size_t *fed, *taken;  /* [limits.seqs]: tokens of each input that are done, that this step takes */
    bool *slot_used;      /* [limits.seqs] */
    uint64_t fingerprint; /* of the architecture, the shapes and samples of the weights; 0 until asked */
    corvid_model_info info;
};

struct corvid_session {
    corvid_model *model;
    uint32_t slot;
    uint64_t length;
    bool broken;     /* a step failed midway: reset before use */
    bool generating; /* a generation has it */
};

struct corvid_sampler {
    struct sampler *inner;
};

/* struct error has the same codes and message as corvid_error (checked in handles.c) */
static inline struct error *inner(corvid_error *err) { return (struct error *)(void *)err; }

static inline struct gpu_options gpu_options_of(const corvid_device_options *o)
{
    return (struct gpu_options){.device = o->device,
                                .runtime = o->runtime,
                                .no_f16 = o->no_f16,
                                .no_subgroups = o->no_subgroups,
                                .no_matrix = o->no_matrix,
                                .check_shaders = o->check_shaders,
                                .validate = o->validate};
}

/* Takes what an earlier corvid_tune on such a device has kept, from where `folder` says (kept_file.h). */
void device_load_tuning(corvid_device *d, const char *folder, bool ignored);

/* Keeps the kernels that were compiled so far, if they are to be kept. */
void device_keep_kernels(corvid_device *d);

/* No generation has it. */
bool session_check_free(const corvid_session *s, struct error *err);

/* The session can be used, and has room for `count` more tokens; what: of the caller's list, for the message. */
bool session_check(const corvid_session *s, const corvid_model *m, const char *what, size_t index, size_t count,
                   struct error *err);

uint64_t session_room(const corvid_session *s); /* tokens that still fit */

bool model_find_tensor(void *file, const char *name, struct tensor_info *out);

/* Records the file's architecture into g (initialised here). */
bool model_record(struct graph *g, const struct model_file *file, const struct arch *arch, const struct hyper *h,
                  const struct session_shape *shape, struct error *err);

uint64_t model_fingerprint(corvid_model *m);

/* What to do, given which variants of a device (doctor.c) were examined and how many results were wrong in each: as it
 * is, without subgroups, without f16, without both. "" if nothing is wrong. */
enum { DOCTOR_VARIANTS = 5 };
void doctor_advise(const bool *ran, const uint32_t *wrong, char *out, size_t capacity);

#endif
