// What kernels need of matrix units whose registers are known, without them: a matrix is the elements of a thread, and
// those of 32 threads meet in workgroup memory. All threads of the workgroup multiply together, those that have nothing to
// multiply too. Loops stay loops, as software takes minutes to compile them written out.
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#define EACH(i, n) [[dont_unroll]] for (uint i = 0; i < (n); i++)
#define SUM float[8]
#define X_PART float16_t[8]
#define W_PART float16_t[8]
#define ZEROS float[8](0, 0, 0, 0, 0, 0, 0, 0)
#define coopMatMulAdd emulated_multiply

// a subgroup's share of the steps, and turns in which it has none
#define EACH_STEP(step, first, steps, apart) \
    for (uint step = first, turn = 0; emulated_on = step < steps, turn < steps; step += apart, turn += apart)

bool emulated_on = true;
shared float16_t emulated_a[16][256], emulated_b[16][256]; // of each subgroup

// as gpu/fragments.c has it
uvec2 emulated_place(uint i)
{
    const uint lane = gl_LocalInvocationIndex % 32;
    return uvec2(lane / 4 + i / 4 * 8, lane % 4 * 2 + (i & 1) + (i >> 1 & 1) * 8);
}

float[8] emulated_multiply(float16_t a[8], float16_t b[8], float c[8])
{
    const uint unit = gl_LocalInvocationIndex / 32;
    EACH(i, 8) {
        const uvec2 place = emulated_place(i);
        emulated_a[unit][place.x * 16 + place.y] = a[i];
        emulated_b[unit][place.x * 16 + place.y] = b[i];
    }
    barrier();
    if (emulated_on) EACH(i, 8) {
        const uvec2 place = emulated_place(i);
        EACH(k, 16) c[i] += float(emulated_a[unit][place.x * 16 + k]) * float(emulated_b[unit][place.y * 16 + k]);
    }
    barrier();
    return c;
}
