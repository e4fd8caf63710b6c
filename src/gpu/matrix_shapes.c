/* matrix_shapes.c - what the adapter's matrix units multiply, as text:
 * "f16 -> f32 16x16x16, 16x8x16; i8 -> i32 16x16x32": operands, result, rows x columns x depth. */
#include <stdio.h>
#include <string.h>

#include "gpu/native.h"

static const char *scalar_name(CorvidWgpuScalar s)
{
    static const char *const names[] = {"other", "f16", "f32", "f64", "i8",  "i16", "i32",
                                        "i64",   "u8",  "u16", "u32", "u64", "bf16"};
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : names[0];
}

static bool same_types(const CorvidWgpuCooperativeMatrix *a, const CorvidWgpuCooperativeMatrix *b)
{
    return a->aType == b->aType && a->bType == b->bType && a->resultType == b->resultType;
}

static bool same_shape(const CorvidWgpuCooperativeMatrix *a, const CorvidWgpuCooperativeMatrix *b)
{
    return a->m == b->m && a->n == b->n && a->k == b->k;
}

/* Appends a piece; one that does not fit ends the text with "...". */
static void append(char *out, size_t capacity, size_t *at, const char *piece)
{
    const size_t room_for_dots = 5;
    size_t n = (size_t)snprintf(NULL, 0, "%s", piece);
    if (*at + n + room_for_dots < capacity) *at += (size_t)snprintf(out + *at, capacity - *at, "%s", piece);
    else if (*at + room_for_dots <= capacity) snprintf(out + *at, capacity - *at, " ..."), *at = capacity;
}

static void append_types(char *out, size_t capacity, size_t *at, const CorvidWgpuCooperativeMatrix *m, size_t n,
                         size_t first)
{
    char piece[64];
    snprintf(piece, sizeof piece, "%s%s%s%s -> %s", *at ? "; " : "", scalar_name(m[first].aType),
             m[first].aType == m[first].bType ? "" : " x ",
             m[first].aType == m[first].bType ? "" : scalar_name(m[first].bType), scalar_name(m[first].resultType));
    append(out, capacity, at, piece);
    for (size_t i = first; i < n; i++) {
        bool told = !same_types(&m[i], &m[first]);
        for (size_t k = first; k < i && !told; k++) told = same_types(&m[k], &m[first]) && same_shape(&m[k], &m[i]);
        if (told) continue;
        snprintf(piece, sizeof piece, "%s %ux%ux%u", i == first ? "" : ",", m[i].m, m[i].n, m[i].k);
        append(out, capacity, at, piece);
    }
}

void gpu_matrix_shapes(const struct webgpu *w, WGPUAdapter adapter, char *out, size_t capacity)
{
    CorvidWgpuCooperativeMatrix m[64];
    size_t n = 0, at = 0;
    const size_t most = sizeof m / sizeof *m;
    *out = 0;
    if (w->AdapterGetCooperativeMatrices) n = w->AdapterGetCooperativeMatrices(adapter, most, m);
    if (n > most) n = most;
    for (size_t i = 0; i < n; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) told = same_types(&m[k], &m[i]);
        if (!told) append_types(out, capacity, &at, m, n, i);
    }
}

bool gpu_multiplies(const struct gpu_info *info, const char *types, const char *shape)
{
    const char *at = strstr(info->matrix_shapes, types);
    const char *end = at ? strchr(at, ';') : NULL, *found = at ? strstr(at, shape) : NULL;
    return found && (!end || found < end);
}
