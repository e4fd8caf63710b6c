// Rows of a thin matrix of F32 beside a matrix of another type. Gives: thin_span.
@group(0) @binding(6) var<storage, read> thin: array<mat4x4f>;  // a span is 16 weights

fn thin_span(row: u32, span: u32) -> mat4x4f { return thin[row * params.thin_spans + span]; }
