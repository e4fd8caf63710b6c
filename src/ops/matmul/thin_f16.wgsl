// Rows of a thin matrix of F16 beside a matrix of another type. Gives: thin_span.
@group(0) @binding(6) var<storage, read> thin: array<vec4u>;  // a span is 16 weights, 2 vec4u

fn thin_column(low: u32, high: u32) -> vec4f { return vec4f(unpack2x16float(low), unpack2x16float(high)); }

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn thin_span(row: u32, span: u32) -> mat4x4f {
    let at = (row * params.thin_spans + span) * 2u;
    let a = thin[at];
    let b = thin[at + 1u];
    return mat4x4f(thin_column(a.x, a.y), thin_column(a.z, a.w), thin_column(b.x, b.y), thin_column(b.z, b.w));
}
