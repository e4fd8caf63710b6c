/* arch.h - the architectures: how each reads its shape from metadata and records its forward pass.
 * docs/ADDING_A_MODEL.md walks through adding one. Pure functions; thread-safe. */
#ifndef CORVID_MODEL_ARCH_H
#define CORVID_MODEL_ARCH_H

#include "model/graph.h"

/* a model's shape; an architecture uses the fields it needs */
struct hyper {
    uint32_t layers;          /* L */
    uint32_t embd;            /* C */
    uint32_t ff;              /* F */
    uint32_t vocab;           /* V */
    uint32_t heads, kv_heads; /* of attention */
    uint32_t head_dim;        /* N or D */
    uint32_t window;          /* positions a local attention layer looks back at */
    uint32_t global_every;    /* every n-th layer attends globally */
    uint32_t train_context;   /* tokens the model was trained on; 0: no limit */
    float norm_eps;
    float rope_base, rope_scale, local_rope_base;
    float attention_scale;
};

/* what the user's choices add */
struct session_shape {
    uint32_t context;         /* positions a session can hold */
    uint32_t step_tokens;     /* at most, in one step */
    bool exact;               /* activations stay floats where weights are integers */
    enum kv_type cache;       /* of keys and values */
    struct step_limits units; /* of the session, if the device has matrix units, which need scratch; else zeros */
};

struct arch {
    const char *name; /* general.architecture */
    bool recurrent;   /* no positions: a session is never full */
    bool (*read)(const struct model_file *f, struct hyper *h, struct error *err);
    void (*record)(struct graph *g, const struct hyper *h, const struct session_shape *s);
};

/* The architecture of a file; fails with ERR_UNSUPPORTED and the list of known names. */
const struct arch *arch_find(const struct model_file *f, struct error *err);

/* Reads "ARCH.key" into *out and checks that it lies in [min, max]. */
bool arch_need(const struct model_file *f, const char *arch, const char *key, uint32_t min, uint32_t max, uint32_t *out,
               struct error *err);
bool arch_f32(const struct model_file *f, const char *arch, const char *key, float fallback, float *out,
              struct error *err);
/* Layers, width, hidden size, vocabulary (rows of token_embd.weight) and the norm's epsilon under `eps_key`. */
bool arch_read_common(const struct model_file *f, const char *arch, const char *eps_key, struct hyper *h,
                      struct error *err);

extern const struct arch arch_rwkv7, arch_gemma3;

#endif
