/* corvid.h - run language models on WebGPU.
 *
 * A device is one GPU (or the scalar reference on the CPU). A model is a loaded file on a device. A session is one
 * sequence of tokens and its state in a model: RWKV's recurrent state or a transformer's key-value cache.
 * corvid_step advances any number of sessions of one model at once and reads the weights once for all of them.
 *
 * Ownership   What corvid_X_open or _create returns is the caller's, to be given to corvid_X_close or _destroy
 *             (which accept NULL). Close sessions before their model and models before their device.
 * Threads     A device, its models and their sessions belong to one thread at a time. Different devices are independent.
 *             Functions that only read a model's description or tokenise may run on any thread. Callbacks are called
 *             on the caller's thread alone.
 * Errors      Functions that can fail return false or NULL and fill *err (may be NULL). The library never prints,
 *             never exits, and treats files and tokens as hostile.
 * Text        UTF-8; a length goes with it and no 0 is needed unless the parameter is called a path or name.
 * Units       sizes in bytes, times in milliseconds unless the name says otherwise.
 */
#ifndef CORVID_H
#define CORVID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORVID_VERSION "0.1.0"

/* ---- errors ---------------------------------------------------------------------------------------------- */

typedef enum corvid_error_code {
    CORVID_OK = 0,
    CORVID_ERROR_ARGUMENT,    /* an argument is wrong */
    CORVID_ERROR_IO,          /* a file cannot be opened, read or written */
    CORVID_ERROR_FORMAT,      /* a file's content is damaged or hostile */
    CORVID_ERROR_UNSUPPORTED, /* valid input that this version does not support */
    CORVID_ERROR_MEMORY,      /* out of host memory */
    CORVID_ERROR_NO_DEVICE,   /* no usable GPU, driver or WebGPU library */
    CORVID_ERROR_DEVICE,      /* the GPU or its driver reported an error */
    CORVID_ERROR_DEVICE_LOST, /* the GPU was lost: close everything on it and open it anew */
    CORVID_ERROR_LIMIT        /* a limit of the model, session or device is exceeded */
} corvid_error_code;

typedef struct corvid_error {
    corvid_error_code code;
    char message[496]; /* one line for people: what was found, what was expected, what to do */
} corvid_error;

/* "0.1.0" of the library that is linked. */
const char *corvid_version(void);

/* ---- devices --------------------------------------------------------------------------------------------- */

typedef struct corvid_device corvid_device;

typedef struct corvid_device_info {
    char runtime[32], runtime_version[24]; /* the WebGPU library: "wgpu-native" "29.0.0.0"; "" of the reference */
    char name[128];                        /* "NVIDIA H200" */
    char backend[16];                      /* "Vulkan", "Metal", "D3D12", "OpenGL", "reference" */
    char kind[16];                         /* "discrete", "integrated", "software", "cpu" */
    char driver[128];
    bool shader_f16, subgroups, timestamps; /* offered; on an open device: in use */
    bool matrix_units, passthrough;         /* matrix products by hardware in WGSL; ready-made shader code */
    bool coherent, mappable; /* memory that workgroups share at once; that the CPU reads without a copy */
    bool pipeline_cache;     /* the runtime hands out compiled kernels to be kept */
    uint32_t subgroup_size;  /* measured by a probe on an open device; 0 if unknown */
    char matrix_shapes[512]; /* what matrix units multiply, "f16 -> f32 16x16x16; i8 -> i32 16x16x32"; "" if the
                                        runtime tells none */
    uint64_t max_buffer_bytes, max_binding_bytes;
    uint32_t max_storage_buffers; /* bound to one kernel */
    uint32_t max_workgroup_threads, max_workgroup_bytes;
    uint32_t max_workgroups;                       /* in one dimension of a dispatch */
    uint32_t storage_alignment, uniform_alignment; /* bytes, of the offset of a binding */
    uint64_t memory_bytes, budget_bytes; /* the device's own memory, and the part of it that this program could
                                                      use when it was opened; 0 where the runtime tells none */
    double open_ms;                      /* what opening it took; 0 of corvid_devices */
} corvid_device_info;

typedef struct corvid_device_options {
    const char *runtime; /* the WebGPU library: "wgpu30", "wgpu-native", or its path; NULL: what the environment's
                                 CORVID_WEBGPU says (the same values), else wgpu30 if it is there, else wgpu-native */
    const char *device;  /* index as text ("1"), part of a name in any case ("nvidia"), "reference" for the scalar
                                 executor, NULL for the best: discrete, then integrated, then software */
    bool no_f16;         /* do not use shader-f16 even if there */
    bool no_subgroups;   /* do not use subgroups even if there */
    bool no_matrix;      /* do not use matrix units even if there */
    bool check_shaders;  /* keep WebGPU's run-time checks in shaders (bounds, loops, division, zeroed workgroup
                                 memory), as debug builds always do */
    bool validate;       /* check all that can be checked: check_shaders, and what the runtime and the driver's
                                 validation layers offer */
    const char *cache;   /* folder where compiled kernels are kept, so that a later start need not compile them (runtime
                            wgpu30 on Vulkan; elsewhere drivers keep them); "" or "off": nowhere; NULL: what the
                            environment's CORVID_CACHE says in the same way, else the user's cache folder */
    bool no_tuning;      /* do not use what corvid_tune found, which is kept in the same folder */
} corvid_device_options;

/* Fills infos[0 .. capacity) with the adapters that the WebGPU library finds, best first, and sets *count to how many
 * there are. runtime: as in corvid_device_options. No adapter is an error (CORVID_ERROR_NO_DEVICE) whose message says
 * what to install. */
bool corvid_devices(const char *runtime, corvid_device_info *infos, size_t capacity, size_t *count, corvid_error *err);

/* options may be NULL. */
corvid_device *corvid_device_open(const corvid_device_options *options, corvid_error *err);
void corvid_device_close(corvid_device *device);
const corvid_device_info *corvid_device_describe(const corvid_device *device);

/* Measures how many bytes a second a plain kernel reads from a buffer larger than any cache, in well under a second. Not
 * on the reference (CORVID_ERROR_UNSUPPORTED). */
bool corvid_device_read_speed(corvid_device *device, double *bytes_per_second, corvid_error *err);

/* What went wrong without stopping anything, e.g. a damaged file of compiled kernels that was ignored: one line for
 * people; "" if nothing did. Valid until the device is closed. */
const char *corvid_device_warning(const corvid_device *device);

/* The device's memory as it is now. */
typedef struct corvid_memory {
    uint64_t bytes, budget_bytes; /* as in corvid_device_info */
    uint64_t process_bytes;       /* of the budget, what this process uses as the driver sees it; 0: not told */
    uint64_t used_bytes;          /* by buffers of this device */
    uint64_t reserved_bytes;      /* held from the driver for them */
} corvid_memory;

/* False where the runtime does not tell (wgpu-native, the reference). */
bool corvid_device_memory(const corvid_device *device, corvid_memory *out);

/* Where compiled kernels are kept and what became of it at the last corvid_model_open, one line for people; "" if none
 * are kept. Valid until the next corvid_model_open. */
const char *corvid_device_cache(const corvid_device *device);

/* The file of what corvid_tune found on such a device and how much of it there is, one line for people; "" if nothing is
 * kept (corvid_device_options.cache). Valid until the next corvid_tune. */
const char *corvid_device_tuning(const corvid_device *device);

/* One kernel family, run on the device and compared with its scalar reference. */
typedef struct corvid_check {
    const char *variant; /* how the device was opened: "", "--no-matrix", "--no-subgroups", ... */
    const char *name;    /* "matmul Q4_K" */
    bool ok;
    double nmse, limit;  /* sum (got - reference)^2 / sum reference^2, and what is allowed; NAN if it did not run */
    double ms;           /* compiling and running */
    const char *message; /* what is wrong; "" if nothing is */
} corvid_check;

typedef struct corvid_doctor_result {
    uint32_t checks, wrong;
    char advice[200]; /* one sentence; "" if nothing is wrong */
} corvid_doctor_result;

/* Runs each kernel family once on small made-up data, as the device would use it, then without matrix units, without
 * subgroups and without f16 where it has them, and tells of each check as it is done: what to send with a bug report.
 * report returns false to stop (an error). A wrong result is no error: see *result. options as for corvid_device_open,
 * but not "reference". */
bool corvid_doctor(const corvid_device_options *options, bool (*report)(void *user, const corvid_check *check),
                   void *user, corvid_doctor_result *result, corvid_error *err);

/* ---- tuning ---------------------------------------------------------------------------------------------- */

/* How a kernel's work is cut up for an operation of a certain size: which way is best depends on the device. */
typedef struct corvid_tuned {
    const char *key;          /* the problem: "matvec Q4_K 2560x2560 t1 q8": a step of 1 token, int8 activations */
    const char *names;        /* of the numbers that follow: "threads/lanes of a row/rows of a thread" */
    const char *usual, *best; /* "128/32/1", and what is used from now on */
    uint32_t tokens;          /* of the steps that were measured */
    uint32_t calls;           /* of this operation in the model */
    bool shared;              /* an earlier row has the same calls and tokens: its times are of both together */
    uint32_t candidates;      /* that were measured, */
    uint32_t wrong, refused;  /* of which gave another result than the usual one, could not be run */
    double usual_us, best_us; /* of one call */
} corvid_tuned;

typedef struct corvid_tune_options {
    bool exact; /* for models that are opened so */
    /* Both may be NULL, and return false to stop (an error), after which all is as before. left_s: what is still to be
     * done, estimated. key is valid during the call. */
    bool (*progress)(void *user, const char *key, uint32_t done, uint32_t total, double left_s);
    bool (*report)(void *user, const corvid_tuned *row); /* in the end */
    void *user;
} corvid_tune_options;

typedef struct corvid_tune_result {
    uint32_t choices, changed, wrong; /* measured; other than usual now; candidates with wrong results */
    double seconds;
} corvid_tune_result;

/* Measures, for every kernel shape of the model at `path` that Corvid has a choice of, the candidates on the device, with
 * the model's weights; takes those that give the same results, are at least 3 % faster than the usual ones and make steps
 * of the model faster, and keeps them in a file of the cache folder, from which later corvid_device_open of such a device
 * by this version take them. What was found for other models stays. Not on the reference, nor without a folder
 * (CORVID_ERROR_ARGUMENT). Models that are open stay as they are. options may be NULL. */
bool corvid_tune(corvid_device *device, const char *path, const corvid_tune_options *options,
                 corvid_tune_result *result, corvid_error *err);

/* ---- models ---------------------------------------------------------------------------------------------- */

typedef struct corvid_model corvid_model;

/* How a transformer keeps the keys and values of a session's tokens: as floats; as 16-bit floats, half the memory; as 8-bit
 * integers, 32 of which share a scale, 9 bits a value. */
typedef enum corvid_cache_type { CORVID_CACHE_F32, CORVID_CACHE_F16, CORVID_CACHE_Q8_0 } corvid_cache_type;

typedef struct corvid_model_options {
    uint32_t max_sessions;    /* state slots on the device; 0: 1 */
    uint32_t context;         /* tokens that a transformer's session can hold; 0: the model's own, at most 4096 */
    uint32_t max_step_tokens; /* longest chunk computed at once; 0: 512. Longer input is cut into chunks */
    bool exact;               /* activations stay floats. Otherwise those that meet integer weights (Q8_0, Q4_K, ...)
                                 are rounded to 8 bits, 32 of them sharing a scale: faster, and nearly the same */
    corvid_cache_type cache_type;
    uint64_t max_memory; /* bytes of weights, states (and their copies) and activations on the device at most: more
                                 is refused before anything is loaded (CORVID_ERROR_LIMIT); 0: no limit */
    bool (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL; false cancels the load */
    void *progress_user;
} corvid_model_options;

typedef struct corvid_model_info {
    char architecture[32]; /* "rwkv7", "gemma3" */
    char name[128];        /* general.name, or the file's */
    char type[32];         /* the weights' most common type: "Q8_0" */
    uint32_t layers, embedding, vocabulary;
    uint32_t context; /* tokens that a session can hold; 0: without end */
    uint64_t file_bytes, parameters;
    uint64_t weight_bytes, state_bytes, work_bytes; /* on the device: weights, one session's state, activations */
    double read_ms, upload_ms, compile_ms;          /* of opening: file and vocabulary, weights, kernels */
    uint32_t kernels;                               /* compiled */
    bool recurrent;                                 /* the state has one size whatever the length */
    int32_t bos, eos;                               /* tokens, -1 if there is none */
    uint64_t copies_bytes;                          /* of a session's state, on the device once it has generated */
} corvid_model_info;

/* Loads a GGUF file. The device must outlive the model. options may be NULL. */
corvid_model *corvid_model_open(corvid_device *device, const char *path, const corvid_model_options *options,
                                corvid_error *err);
void corvid_model_close(corvid_model *model);
const corvid_model_info *corvid_model_describe(const corvid_model *model);

/* ---- text ------------------------------------------------------------------------------------------------ */

typedef enum corvid_tokenize_flags {
    CORVID_TOKENIZE_BOS = 1,    /* put the BOS token in front if the model wants one */
    CORVID_TOKENIZE_SPECIAL = 2 /* names of control tokens become those tokens */
} corvid_tokenize_flags;

/* Tokenises text[0 .. length). *tokens is malloc'ed: free() it. */
bool corvid_tokenize(const corvid_model *model, const char *text, size_t length, int flags, int32_t **tokens,
                     size_t *count, corvid_error *err);

/* The same with only the vocabulary of a file: no device, no weights. */
bool corvid_tokenize_file(const char *path, const char *text, size_t length, int flags, int32_t **tokens, size_t *count,
                          corvid_error *err);

/* The bytes that a token stands for: *bytes is the model's, not 0-terminated, and may be a part of a UTF-8 character.
 * Returns their number; 0 for control tokens and ids out of range. */
size_t corvid_piece(const corvid_model *model, int32_t token, const char **bytes);

/* The token ends an answer. */
bool corvid_ends_text(const corvid_model *model, int32_t token);

/* Holds back the bytes of a character that is not complete yet. Zero-initialise. */
typedef struct corvid_utf8 {
    char pending[4];
    unsigned n_pending;
} corvid_utf8;

/* Feeds n bytes; writes whole characters to out (room for 3 * n + 12) and returns their bytes. Bytes that are not UTF-8
 * become U+FFFD. bytes = NULL ends the text: what was held back becomes U+FFFD. */
size_t corvid_utf8_feed(corvid_utf8 *stream, const char *bytes, size_t n, char *out);

/* How the model wants a conversation to be written. */
typedef enum corvid_role { CORVID_ROLE_SYSTEM, CORVID_ROLE_USER, CORVID_ROLE_ASSISTANT } corvid_role;

/* Text of one turn up to where the assistant's answer starts, e.g. "User: Hi\n\nAssistant:". first: the conversation
 * begins here; system (may be NULL) is put in front then. *out is malloc'ed, 0-terminated: free() it. Tokenise it with
 * CORVID_TOKENIZE_SPECIAL, and with _BOS if first. The user's text cannot fake a turn: control tokens' names in it are
 * taken apart by a zero-width character. */
bool corvid_chat_turn(const corvid_model *model, bool first, const char *system, const char *user, char **out,
                      corvid_error *err);

/* Where an answer ends in text, e.g. "\n\n" for RWKV's plain format; NULL if only tokens end it. */
const char *corvid_chat_stop(const corvid_model *model);

/* ---- sessions -------------------------------------------------------------------------------------------- */

typedef struct corvid_session corvid_session;

/* Takes one of the model's state slots; CORVID_ERROR_LIMIT if none is free. Starts empty. */
corvid_session *corvid_session_create(corvid_model *model, corvid_error *err);
void corvid_session_destroy(corvid_session *session);

/* Back to empty. */
bool corvid_session_reset(corvid_session *session, corvid_error *err);

/* Tokens that the state holds. */
uint64_t corvid_session_length(const corvid_session *session);

typedef struct corvid_input {
    corvid_session *session;
    const int32_t *tokens; /* tokens[count], each 0 .. vocabulary - 1 */
    size_t count;          /* >= 1 */
    float *logits;         /* [vocabulary] after the last token; NULL if not wanted */
    float *all_logits;     /* [count, vocabulary] after every token; NULL if not wanted. Slow: for tests, perplexity */
} corvid_input;

/* Feeds tokens to sessions, prefill and decode mixed; no session twice. Blocks until the logits are there. On failure
 * the sessions of this call are undefined until reset; nothing is computed if the arguments are wrong. */
bool corvid_step(corvid_model *model, const corvid_input *inputs, size_t n_inputs, corvid_error *err);

/* The state as bytes, to go on later, elsewhere, or twice. The blob says which model it belongs to and is checked by
 * hash when restored. *blob is malloc'ed: free() it. */
bool corvid_session_save(corvid_session *session, void **blob, size_t *size, corvid_error *err);
bool corvid_session_restore(corvid_session *session, const void *blob, size_t size, corvid_error *err);

/* ---- sampling -------------------------------------------------------------------------------------------- */

typedef struct corvid_sampling {
    float temperature;       /* 0: greedy */
    int32_t top_k;           /* 0: off */
    float top_p;             /* 1: off */
    float min_p;             /* 0: off */
    float repeat_penalty;    /* 1: off */
    float presence_penalty;  /* 0: off */
    float frequency_penalty; /* 0: off */
    int32_t penalty_window;  /* last tokens that penalties look at; 0: off, -1: all */
    uint64_t seed;
} corvid_sampling;

typedef struct corvid_sampler corvid_sampler;

/* The architecture's customary values (RWKV: 1.0, top-p 0.5, penalties 0.3; others: llama.cpp's); seed 0. */
corvid_sampling corvid_sampling_defaults(const corvid_model *model);

corvid_sampler *corvid_sampler_create(const corvid_model *model, const corvid_sampling *sampling, corvid_error *err);
void corvid_sampler_destroy(corvid_sampler *sampler);
/* The next token of logits[vocabulary], or -1 if every logit is NaN. */
int32_t corvid_sampler_next(corvid_sampler *sampler, const float *logits);
/* The token now stands in the text: penalties look at it. */
void corvid_sampler_accept(corvid_sampler *sampler, int32_t token);
/* The token is never chosen from now on. */
bool corvid_sampler_forbid(corvid_sampler *sampler, int32_t token, corvid_error *err);

/* ---- generations ------------------------------------------------------------------------------------------ */

/* Tokens one after the other, of one or more sessions at once, without the way to the CPU and back for each: the GPU
 * draws a token and goes on with it at once, while its tokens are on their way to the caller. A thread of the device's
 * own hands the steps in, also while the caller is busy with a token; it rests while another function uses the device,
 * and ends with it. The same as
 *
 *   corvid_step of the last token; token = corvid_sampler_next; corvid_sampler_accept
 *
 * again and again, and the very same tokens but for the rounding that goes with the number of sessions in a step. Where
 * the GPU cannot draw as a sampler wants (a penalty window of more than 512 tokens or without end, more than 16
 * forbidden tokens), and on the reference device, it is done in just that way. */
typedef struct corvid_generation corvid_generation;

typedef struct corvid_sequence {
    corvid_session *session;
    corvid_sampler
        *sampler;  /* of this session alone; counts every token as accepted that corvid_generation_next gives */
    int32_t token; /* the text's last token, which the session was not fed yet */
} corvid_sequence;

typedef struct corvid_generation_options {
    uint64_t max_steps; /* nothing is made beyond so many calls of corvid_generation_next; 0: unknown */
    uint32_t
        ahead; /* steps on the device at once, 8 at most; 0: as many as help: 10 ms of work, or two steps within 50 */
} corvid_generation_options;

/* Sessions and samplers must outlive the generation, and nothing else may use them meanwhile; other sessions of the
 * model may be used. options may be NULL. A device has room for 8 generations. Of a recurrent state that has generated,
 * three copies stay on the device until the model is closed. */
corvid_generation *corvid_generation_open(corvid_model *model, const corvid_sequence *sequences, size_t n,
                                          const corvid_generation_options *options, corvid_error *err);

/* Feeds each sequence its last token and gives the next: tokens[i] of sequence i, or -1 if it was dropped or every
 * logit is NaN. Blocks until the tokens are there. CORVID_ERROR_LIMIT if a session's context is full: drop it. After another
 * failure all its sessions are undefined until reset. */
bool corvid_generation_next(corvid_generation *generation, int32_t *tokens, corvid_error *err);

/* Ends sequence i, and the rest goes on. Its session has what was fed: every token but the last one that was given.
 * Where the device was ahead, the session goes back when it is used next, which costs up to 3 tokens then. */
bool corvid_generation_drop(corvid_generation *generation, size_t i, corvid_error *err);

/* Drops what is left and frees the generation (NULL is accepted). False if a session could not be set back: it is
 * undefined until reset. */
bool corvid_generation_close(corvid_generation *generation, corvid_error *err);

/* ---- files ----------------------------------------------------------------------------------------------- */

typedef struct corvid_file corvid_file;

typedef struct corvid_metadata {
    const char *key;
    const char *type; /* "u32", "string", "array of string", ... */
    uint64_t count;   /* items of an array, else 1 */
    bool is_string, is_number, is_bool;
} corvid_metadata;

typedef struct corvid_tensor {
    const char *name;
    char type[16]; /* "Q4_K", or "type 99" for one that Corvid does not know */
    uint32_t n_dims;
    uint64_t dims[4];  /* dims[0] is contiguous */
    uint64_t at, size; /* bytes in the file */
} corvid_tensor;

/* Opens a model file to look at it: every field is checked, no weight is read. */
corvid_file *corvid_file_open(const char *path, corvid_error *err);
void corvid_file_close(corvid_file *file);
uint32_t corvid_file_version(const corvid_file *file);
uint64_t corvid_file_bytes(const corvid_file *file);
size_t corvid_file_n_metadata(const corvid_file *file);
size_t corvid_file_n_tensors(const corvid_file *file);
corvid_metadata corvid_file_metadata(const corvid_file *file, size_t index);
corvid_tensor corvid_file_tensor(const corvid_file *file, size_t index);
/* Item `item` of an entry: text with its length (not 0-terminated), or a number (exact for integers up to 2^53). */
const char *corvid_file_string(const corvid_file *file, size_t index, uint64_t item, size_t *length);
double corvid_file_number(const corvid_file *file, size_t index, uint64_t item);

/* Writes a copy of a GGUF file with its matrices as `type` ("Q8_0", "Q4_K"); the rest keeps its type. The output
 * appears under its name only when it is whole. progress as in corvid_model_options. */
bool corvid_quantize(const char *in_path, const char *out_path, const char *type,
                     bool (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes), void *user,
                     corvid_error *err);

/* The model's recorded operations with formulas, shapes and buffers, as text, without a device: *out is malloc'ed. */
bool corvid_explain(const char *path, char **out, corvid_error *err);

#ifdef __cplusplus
}
#endif
#endif
