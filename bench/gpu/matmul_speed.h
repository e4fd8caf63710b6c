/* matmul_speed.h - how fast Corvid's own matrix products are on a device, op by op as models use them. */
#ifndef CORVID_BENCH_MATMUL_SPEED_H
#define CORVID_BENCH_MATMUL_SPEED_H

#include "gpu/gpu.h"
#include "quant/quant.h"

/* TFLOP/s of y[tokens, rows] = W[rows, cols] x, with the kernels that a step of so many tokens takes. */
bool matmul_speed(struct gpu *gpu, const struct quant_info *q, uint32_t rows, uint32_t cols, uint32_t tokens,
                  double *tera, struct error *err);

#endif
