/* wkv7_plan.h - what the choices of kernels for wkv7 share (wkv7.c, wkv7_chunked.c). */
#ifndef CORVID_OPS_WKV7_PLAN_H
#define CORVID_OPS_WKV7_PLAN_H

#include "ops/op.h"

#define WKV7_PARAMS(U, F) U(vectors) U(rkv_vectors) U(first_vectors) U(slot_vectors) F(eps)
PARAMS(wkv7, WKV7_PARAMS);

enum { RKV, WAGV, FIRST_RKV }; /* inputs */

/* the steps that a dispatch is for: see struct dispatch_desc */
struct wkv7_reach {
    uint32_t min_rows, max_rows, min_run, max_run;
};

/* From so many tokens of a sequence on the chunked form is faster: measured, with one sequence and with two. */
enum { WKV7_LONG_RUN = 192 };

/* For steps where every sequence has one token and that have min_rows rows or more; *done says whether the device can. */
bool wkv7_plan_one(struct op_plan *p, const struct wkv7_params *params, uint32_t min_rows, bool *done,
                   struct error *err);

/* whether the device has what the chunked form needs */
bool wkv7_fits_chunked(const struct op_plan *p);
bool wkv7_plan_chunked(struct op_plan *p, const struct wkv7_params *params, struct wkv7_reach reach, struct error *err);

#endif
