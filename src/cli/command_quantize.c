/* command_quantize.c - `corvid quantize`: a smaller copy of a model file. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/out.h"
#include "cli/progress.h"

static const char about[] =
    "Writes a copy of the GGUF file IN as OUT with its matrices as TYPE: Q8_0 (8.5 bits a weight) or Q4_K (4.5 bits).\n"
    "Vectors, small sensitive matrices and what is quantised already keep their own. OUT appears under its name only\n"
    "when it is whole.";

int command_quantize(int argc, char **argv)
{
    const char *operands[3];
    struct command_line line = {
        .name = "quantize", .usage = "IN OUT TYPE", .about = about, .operands = operands, .n_operands = 3};
    int code = args_parse(&line, argc, argv);
    if (code != ARGS_GO_ON) return code;
    const char *in = operands[0], *out = operands[1];
    if (path_same(in, out)) {
        out_error("quantize: %s and %s are one file, expected another name for the copy", in, out);
        return EXIT_USAGE;
    }
    if (path_is_folder(out)) {
        out_error("quantize: %s is a folder, expected the name of a file to write", out);
        return EXIT_FAILED;
    }
    corvid_error err = {.code = CORVID_OK};
    struct progress progress = {.title = "quantizing"};
    bool done = corvid_quantize(in, out, operands[2], progress_show, &progress, &err);
    progress_end(&progress);
    return done ? EXIT_OK : report(&err);
}
