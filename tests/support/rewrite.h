/* rewrite.h - a copy of a model file with something wrong in it. */
#ifndef CORVID_TESTS_SUPPORT_REWRITE_H
#define CORVID_TESTS_SUPPORT_REWRITE_H

#include <stdint.h>

#include "file/model_file.h"

/* What is NULL is left alone. */
struct rewrite {
    const char *drop;       /* a tensor or a key */
    const char *transpose;  /* a tensor whose two dimensions change places */
    const char *other_type; /* a tensor that gets a type number that no version has */
    const char *key;        /* of a value that is set: */
    enum value_type type;   /* VALUE_U32, VALUE_F32 or VALUE_STRING */
    double number;
    const char *text;
};

/* Fails the running test if the copy cannot be made. */
void rewrite_model(const char *from, const char *to, const struct rewrite *rewrite);

#endif
