/* model_file_internal.h - what an open model file holds; a format's reader (gguf.c) fills it. */
#ifndef CORVID_FILE_MODEL_FILE_INTERNAL_H
#define CORVID_FILE_MODEL_FILE_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "file/model_file.h"

struct model_file {
    struct source source;
    struct arena arena; /* names, string tables and both lists */

    uint32_t version;
    uint64_t alignment;

    struct metadata *metadata;
    size_t n_metadata;
    struct map metadata_by_key;

    struct tensor_info *tensors;
    size_t n_tensors;
    struct map tensors_by_name;
};

#endif
