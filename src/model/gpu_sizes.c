/* gpu_sizes.c - what a graph will take on the device, before any of it is there. */
#include "model/exec_gpu.h"
#include "model/gpu_weights.h"
#include "model/memory_plan.h"

uint64_t fixed_state_bytes(const struct graph *g)
{
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < g->n_states; i++)
        if (!g->states[i].positions) bytes += state_stride(&g->states[i]) * sizeof(float);
    return bytes;
}

bool exec_gpu_sizes(struct gpu *gpu, const struct graph *g, struct step_limits limits, struct exec_sizes *out,
                    struct error *err)
{
    struct arena arena = {0};
    struct gpu_weights weights = {0};
    struct memory_plan plan;
    *out = (struct exec_sizes){.weight_bytes = 0};
    bool ok = gpu_weights_plan(&weights, gpu, g, &arena, err) && memory_plan_make(&plan, g, limits, &arena, err);
    if (ok) {
        out->weight_bytes = gpu_pool_bytes(weights.pool);
        for (uint32_t i = 0; i < plan.n_buffers; i++) out->work_bytes += plan.bytes[i];
        out->copies_bytes = SNAPSHOTS * fixed_state_bytes(g);
        for (uint32_t i = 1; i < g->n_states; i++) out->state_bytes += state_stride(&g->states[i]) * sizeof(float);
    }
    gpu_weights_free(&weights);
    arena_free(&arena);
    return ok;
}
