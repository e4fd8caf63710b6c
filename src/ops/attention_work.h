/* attention_work.h - what attention of few tokens leaves between its two dispatches. */
#ifndef CORVID_OPS_ATTENTION_WORK_H
#define CORVID_OPS_ATTENTION_WORK_H

#include <stdint.h>

/* up to ATTENTION_FEW tokens of a step are done in parts; a workgroup takes whole blocks of positions */
enum { ATTENTION_FEW = 64, ATTENTION_BLOCK = 32 };

/* Query heads that a workgroup does together: as many as share a key-value head, unless those are too many. */
uint32_t attention_group(uint32_t heads, uint32_t kv_heads);

/* Floats of all parts of a step; `positions` of the cache. */
uint32_t attention_work(uint32_t heads, uint32_t kv_heads, uint32_t head_dim, uint32_t positions);

#endif
