/* embed.c - turns shader sources into one C file at build time: embed OUT.c TABLE ROOT FILE...
 *
 * ROOT/matmul/matvec.wgsl becomes {"matmul/matvec", "<its text>"} in the array TABLE of structs of src/ops/shaders.h;
 * n_TABLE is their number. Each line of a shader is one string literal, so the generated file reads like the shaders. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char head[] = "/* made by tools/embed.c from shaders: do not edit */\n"
                           "#include \"ops/shaders.h\"\n\n"
                           "/* the standard promises only 4095 characters; every compiler takes more */\n"
                           "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n"
                           "extern const struct shader %s[];\nextern const size_t n_%s;\n\n"
                           "const struct shader %s[] = {\n";

static void write_byte(FILE *out, int c)
{
    if (c == '\n') {
        fputs("\\n\"\n     \"", out);
    } else if (c == '"' || c == '\\' || c == '?') { /* "??" would start a trigraph */
        fprintf(out, "\\%c", c);
    } else if (c < ' ' || c > '~') {
        fprintf(out, "\\%03o", (unsigned)c);
    } else {
        fputc(c, out);
    }
}

static bool write_shader(FILE *out, const char *root, const char *path)
{
    size_t root_length = strlen(root), length = strlen(path);
    static const char suffix[] = ".wgsl";
    size_t suffix_length = sizeof suffix - 1;
    if (length <= root_length + 1 + suffix_length || strncmp(path, root, root_length) || path[root_length] != '/' ||
        strcmp(path + length - suffix_length, suffix)) {
        fprintf(stderr, "embed: %s is not a .wgsl file below %s\n", path, root);
        return false;
    }
    FILE *in = fopen(path, "rb");
    if (!in) {
        fprintf(stderr, "embed: cannot open %s\n", path);
        return false;
    }
    const char *name = path + root_length + 1;
    fprintf(out, "    {\"%.*s\",\n     \"", (int)(length - root_length - 1 - suffix_length), name);
    for (int c; (c = fgetc(in)) != EOF;) {
        if (c != '\r') write_byte(out, c);
    }
    fputs("\"},\n", out);
    bool ok = !ferror(in);
    fclose(in);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: embed OUT.c TABLE ROOT FILE...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        fprintf(stderr, "embed: cannot write %s\n", argv[1]);
        return 1;
    }
    const char *table = argv[2];
    fprintf(out, head, table, table, table);
    bool ok = true;
    for (int i = 4; i < argc && ok; i++) ok = write_shader(out, argv[3], argv[i]);
    fprintf(out, "};\n\nconst size_t n_%s = sizeof %s / sizeof %s[0];\n", table, table, table);
    ok = !ferror(out) && ok;
    ok = !fclose(out) && ok;
    if (!ok) remove(argv[1]);
    return ok ? 0 : 1;
}
