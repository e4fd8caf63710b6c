/* wkv7_work.h - what wkv7 by chunks of tokens leaves between its dispatches. */
#ifndef CORVID_OPS_WKV7_WORK_H
#define CORVID_OPS_WKV7_WORK_H

#include <stdint.h>

/* columns of OUT_MORE, for heads of N channels, C in all; 0: no such kernels for this size */
uint32_t wkv7_work(uint32_t N, uint32_t C);

#endif
