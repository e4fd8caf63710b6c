// Which elements of the matrices that matrix units multiply a thread holds: builds A and B from their elements as
// fragments.c wants them to lie, multiplies A with the unit matrix and the unit matrix with B, and reads the elements of C.
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 32) in;
layout(binding = 0) writeonly buffer Out { float products[2 * 256]; float elements[32 * 8]; };

#define MATRIX_A coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define MATRIX_B coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define MATRIX_C coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
shared f16vec4 unit_matrix[64];
shared vec4 numbers[64];

void main()
{
    const uint lane = gl_LocalInvocationIndex;
    [[unroll]] for (uint i = 0; i < 2; i++) {
        const uint at = lane * 2 + i, row = at / 4, column = at % 4 * 4;
        const uvec4 columns = column + uvec4(0, 1, 2, 3);
        unit_matrix[at] = f16vec4(equal(columns, uvec4(row)));
        numbers[at] = vec4(row * 16 + columns);
    }
    barrier();
    MATRIX_A a; // each in a declaration of its own: glslang 13 forgets the use of a second one's type
    MATRIX_A unit_a;
    MATRIX_B b;
    MATRIX_B unit_b;
    MATRIX_C c;
    [[unroll]] for (uint i = 0; i < 8; i++) {
        const uint line = lane / 4 + i / 4 * 8, depth = lane % 4 * 2 + (i & 1) + (i >> 1 & 1) * 8;
        a[i] = float16_t(line * 16 + depth);
        b[i] = float16_t(depth * 16 + line);
    }
    coopMatLoad(unit_a, unit_matrix, 0, 4, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad(unit_b, unit_matrix, 0, 4, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad(c, numbers, 0, 4, gl_CooperativeMatrixLayoutRowMajor);
    coopMatStore(coopMatMulAdd(a, unit_b, MATRIX_C(0)), products, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
    coopMatStore(coopMatMulAdd(unit_a, b, MATRIX_C(0)), products, 256, 16, gl_CooperativeMatrixLayoutRowMajor);
    const uint length = min(a.length(), min(b.length(), c.length()));
    [[unroll]] for (uint i = 0; i < 8; i++) elements[lane * 8 + i] = length == 8 ? c[i] : -1;
}
