// What units_many needs of matrix units, without them: a matrix is the elements of a thread, and those of 32 threads
// meet in workgroup memory. All threads of the workgroup multiply and shuffle together. f16 is f32 here: what is
// rounded elsewhere is not. Loops stay loops, as software takes minutes to compile them written out.
#define EACH(i, n) [[dont_unroll]] for (uint i = 0; i < (n); i++)
#define f16vec2 vec2
#define float16_t float
#define unpackFloat2x16 unpackHalf2x16
#define packFloat2x16 packHalf2x16
#define SUM float[8]
#define X_PART float[8]
#define W_PART float[8]
#define ZEROS float[8](0, 0, 0, 0, 0, 0, 0, 0)
#define coopMatMulAdd emulated_multiply
#define subgroupShuffleXor emulated_shuffle

shared float emulated_a[8][256], emulated_b[8][256], emulated_floats[256];

// as gpu/fragments.c has it
uvec2 emulated_place(uint i)
{
    const uint lane = gl_LocalInvocationIndex % 32;
    return uvec2(lane / 4 + i / 4 * 8, lane % 4 * 2 + (i & 1) + (i >> 1 & 1) * 8);
}

float[8] emulated_multiply(float a[8], float b[8], float c[8])
{
    const uint unit = gl_LocalInvocationIndex / 32;
    EACH(i, 8) {
        const uvec2 place = emulated_place(i);
        emulated_a[unit][place.x * 16 + place.y] = a[i];
        emulated_b[unit][place.x * 16 + place.y] = b[i];
    }
    barrier();
    EACH(i, 8) {
        const uvec2 place = emulated_place(i);
        EACH(k, 16) c[i] += emulated_a[unit][place.x * 16 + k] * emulated_b[unit][place.y * 16 + k];
    }
    barrier();
    return c;
}

float emulated_shuffle(float value, uint mask)
{
    emulated_floats[gl_LocalInvocationIndex] = value;
    barrier();
    const float other = emulated_floats[gl_LocalInvocationIndex ^ mask];
    barrier();
    return other;
}

int emulated_shuffle(int value, uint mask) { return floatBitsToInt(emulated_shuffle(intBitsToFloat(value), mask)); }
