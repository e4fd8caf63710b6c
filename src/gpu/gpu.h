/* gpu.h - all of a GPU that Corvid needs: buffers, kernels, passes, readback. The portability boundary: native code
 * implements it over webgpu.h, a browser may implement it over JavaScript.
 *
 * Work is recorded between gpu_begin and gpu_submit and runs in order; a dispatch sees what earlier dispatches and
 * writes did. Dispatches that share no written buffer may run side by side.
 * Errors of the device arrive late: gpu_submit, gpu_wait and the create functions report the first one since the last
 * report. After ERR_DEVICE_LOST nothing works any more: close and open anew.
 * One thread at a time per gpu, but kernels may be created on several. Destroy everything made from a gpu before gpu_close. */
#ifndef CORVID_GPU_GPU_H
#define CORVID_GPU_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct gpu;
struct gpu_buffer;
struct gpu_kernel;
struct gpu_bindings;

/* ---- devices ---- */

struct gpu_info {
    char runtime[32], runtime_version[24]; /* the WebGPU library's */
    char name[128], backend[16], kind[16], driver[128];
    char matrix_shapes[512]; /* what matrix units multiply, "f16 -> f32 16x16x16; ..."; "" if the runtime tells none */
    /* of an adapter: it offers it; of an open device: it is on */
    bool shader_f16, subgroups, timestamps, timestamps_in_passes;
    bool matrix_units;   /* WGSL's cooperative matrices (`enable wgpu_cooperative_matrix;`) */
    bool passthrough;    /* shader code given to the driver as it is, SPIR-V on Vulkan */
    bool fragments;      /* of an open device: elements of 16x16x16 f16 matrices lie in threads as fragments.c says */
    bool coherent;       /* `@coherent` storage buffers: what one workgroup wrote, others see in the same dispatch */
    bool mappable;       /* storage buffers that the CPU reads without a copy */
    bool pipeline_cache; /* compiled kernels as bytes */
    uint32_t subgroup_size; /* measured when the device is opened; 0: unknown or no subgroups */
    uint64_t max_buffer_bytes, max_binding_bytes;
    uint32_t max_workgroup_threads, max_workgroup_bytes, max_groups; /* groups: in one dimension of a dispatch */
    uint32_t max_storage_buffers;                                    /* bound to one kernel */
    uint32_t storage_alignment, uniform_alignment;                   /* bytes, of the offset of a binding */
};

struct gpu_options {
    const char *device;  /* index, part of a name, or NULL for the best */
    const char *runtime; /* "wgpu30", "wgpu-native", a library's path, or NULL for CORVID_WEBGPU or the best */
    bool no_f16, no_subgroups, no_matrix;
    bool check_shaders; /* keep run-time checks in shaders */
    bool validate;      /* these, and all that runtime and driver can check */
    /* Gives back what gpu_kernels_save gave in an earlier run, malloc'ed, or NULL. Called once, while the device is
     * opened, if the runtime takes such bytes. `key` names adapter, driver and runtime: no others may get the bytes. It
     * answers for the bytes being what was saved. NULL: kernels are not kept. */
    void *(*kept_kernels)(void *user, const char *key, size_t *bytes);
    void *kept_user;
};

/* Adapters of a runtime (as in gpu_options), best first; infos[0 .. capacity) are filled, *count is how many there are
 * (may exceed capacity). */
bool gpu_list(const char *runtime, struct gpu_info *infos, size_t capacity, size_t *count, struct error *err);

/* The adapter lists a shape, "16x16x16", among those of "f16 -> f32". */
bool gpu_multiplies(const struct gpu_info *info, const char *types, const char *shape);

struct gpu *gpu_open(const struct gpu_options *options, struct error *err);
void gpu_close(struct gpu *gpu); /* accepts NULL */
const struct gpu_info *gpu_describe(const struct gpu *gpu);

/* The first error the device reported since the last call; true if there is none. */
bool gpu_check(struct gpu *gpu, struct error *err);

/* ---- memory ---- */

enum { GPU_MAX_HEAPS = 16 };
struct gpu_memory {
    uint64_t allocated_bytes, reserved_bytes; /* by this device: in use, and held from the driver; 0: not told */
    size_t n_heaps;                           /* 0: not told */
    struct gpu_heap {
        uint64_t bytes, budget_bytes, used_bytes; /* this process's share as the driver estimates it now; 0: not told */
        bool on_device;
    } heaps[GPU_MAX_HEAPS];
};

/* What is known of memory now; false if the runtime tells nothing. */
bool gpu_memory_now(struct gpu *gpu, struct gpu_memory *out);

/* ---- buffers ---- */

/* A zeroed storage buffer (also uniform, copy source and destination) of `bytes`, a multiple of 4 and > 0. */
struct gpu_buffer *gpu_buffer_create(struct gpu *gpu, const char *label, uint64_t bytes, struct error *err);
void gpu_buffer_destroy(struct gpu_buffer *buffer); /* accepts NULL */

/* Copies to the buffer, in order with submitted work; data may be reused at once. Offsets and sizes: multiples of 4. */
void gpu_write(struct gpu *gpu, struct gpu_buffer *buffer, uint64_t at, const void *data, uint64_t bytes);

struct gpu_range {
    struct gpu_buffer *buffer;
    uint64_t at, bytes;
};

/* Ranges of few large buffers, aligned for binding, with one lifetime. gpu_pool_alloc plans ranges; gpu_pool_make
 * creates the buffers, each as large as what was planned in it and not much larger than buffer_bytes, after which
 * nothing can be added. */
struct gpu_pool;
struct gpu_pool *gpu_pool_create(struct gpu *gpu, const char *label, uint64_t buffer_bytes);
bool gpu_pool_alloc(struct gpu_pool *pool, uint64_t bytes, struct gpu_range *range, struct error *err);
bool gpu_pool_make(struct gpu_pool *pool, struct error *err);
uint64_t gpu_pool_bytes(const struct gpu_pool *pool); /* planned or made */
void gpu_pool_destroy(struct gpu_pool *pool);         /* accepts NULL */

/* Much data at once: host memory that the device copies from. `_begin` waits until earlier copies out of it are done
 * and gives all of it, to be written by any thread and not to be read (that is slow); NULL after a failure. `_end`
 * starts the copies and returns at once; offsets and sizes are multiples of 4. Not while something is recorded. */
struct gpu_upload;
struct gpu_upload_copy {
    uint64_t from; /* in the host memory */
    struct gpu_range to;
};
struct gpu_upload *gpu_upload_create(struct gpu *gpu, uint64_t bytes, struct error *err);
void *gpu_upload_begin(struct gpu_upload *upload, struct error *err);
bool gpu_upload_end(struct gpu_upload *upload, const struct gpu_upload_copy *copies, size_t n, struct error *err);
void gpu_upload_destroy(struct gpu_upload *upload); /* accepts NULL */

/* ---- kernels ---- */

/* Compiles WGSL with entry point `main`. It must not rely on bounds checks, nor on workgroup memory being zeroed.
 * bindings: one letter each from binding 0 of group 0: u uniform, r read-only storage, w read-write storage. `name` is
 * the label. */
struct gpu_kernel *gpu_kernel_create(struct gpu *gpu, const char *name, const char *wgsl, const char *bindings,
                                     struct error *err);

/* The same from code that goes to the driver as it is, unchecked. Needs gpu_info.passthrough and the Vulkan backend. */
struct gpu_spirv {
    const uint32_t *words;
    size_t n_words;
    uint32_t threads; /* of a workgroup */
};
struct gpu_kernel *gpu_kernel_create_spirv(struct gpu *gpu, const char *name, const struct gpu_spirv *spirv,
                                           const char *bindings, struct error *err);
void gpu_kernel_destroy(struct gpu_kernel *kernel);

/* All that was compiled, as bytes for a later run's kept_kernels: malloc'ed, to be called when no kernel is being
 * created. NULL where the options or the runtime keep none, or the driver has nothing to keep. */
void *gpu_kernels_save(struct gpu *gpu, size_t *bytes);

/* Buffers for a kernel's bindings, made once and used in many dispatches. */
struct gpu_bindings *gpu_bindings_create(struct gpu *gpu, const struct gpu_kernel *kernel,
                                         const struct gpu_range *ranges, size_t count, struct error *err);
void gpu_bindings_destroy(struct gpu_bindings *bindings);

/* ---- passes ---- */

/* label: of the commands and passes up to gpu_submit, for debuggers; it must live as long. */
void gpu_begin(struct gpu *gpu, const char *label);
void gpu_dispatch(struct gpu *gpu, const struct gpu_kernel *kernel, const struct gpu_bindings *bindings,
                  const uint32_t groups[3]);
void gpu_copy(struct gpu *gpu, struct gpu_range from, struct gpu_range to); /* from.bytes; different buffers */
void gpu_clear(struct gpu *gpu, struct gpu_range range);

/* Dispatches that are recorded once and run many times, which costs the CPU next to nothing. What is dispatched between
 * _begin and _end (nothing else is recorded there) runs now, and again with each gpu_list_run, with the same bindings
 * and groups. NULL where the runtime cannot, or while dispatches are timed or captured. Kernels, bindings and buffers
 * must not be destroyed before what runs the list has ended; the list may be. */
struct gpu_list;
void gpu_list_begin(struct gpu *gpu);
struct gpu_list *gpu_list_end(struct gpu *gpu);
void gpu_list_run(struct gpu *gpu, const struct gpu_list *list);
void gpu_list_destroy(struct gpu_list *list); /* accepts NULL */

/* Records a copy of `from` to host memory; *ticket names it. Up to GPU_TICKETS may be open at once. */
enum { GPU_TICKETS = 64 };
bool gpu_read(struct gpu *gpu, struct gpu_range from, unsigned *ticket, struct error *err);

/* Ends the recording and starts it on the device; returns at once. */
bool gpu_submit(struct gpu *gpu, struct error *err);

/* Waits for a submitted ticket. *data is valid until gpu_release(ticket), which must follow also after a failure. */
bool gpu_wait(struct gpu *gpu, unsigned ticket, const void **data, struct error *err);
void gpu_release(struct gpu *gpu, unsigned ticket);

/* Waits until everything submitted is done. */
bool gpu_finish(struct gpu *gpu, struct error *err);

/* Around each step: where the environment has CORVID_CAPTURE=1, a graphics debugger captures the second one, by which
 * time nothing is new any more. Fails if none is attached. _end waits for the device only if it was captured. */
bool gpu_capture_begin(struct gpu *gpu, struct error *err);
void gpu_capture_end(struct gpu *gpu);

/* ---- tracing (base/trace.h) ---- */

/* What a dispatch does, for traces and profiles. */
struct gpu_work {
    const char *op; /* lives for ever */
    int layer;      /* -1 outside of layers */
    uint64_t bytes; /* of weights that it must read, and of recurrent state that it must read and write */
    uint64_t flops; /* a multiply-add is two */
};

/* Dispatches are being timed: the device was opened while a trace was recorded, has timestamps, and one is recorded. */
bool gpu_is_traced(const struct gpu *gpu);
/* The next gpu_dispatch does this. To be called only where gpu_is_traced. */
void gpu_describe_next(struct gpu *gpu, const struct gpu_work *work);

/* Bytes a second that a plain kernel reads from a buffer larger than any cache: the ceiling of what depends on memory. */
bool gpu_read_speed(struct gpu *gpu, double *bytes_per_second, struct error *err);

#endif
