// Rows of a stack of thin floats beside a matrix of another type. Needs: mixed_row. Gives: thin_span.
@group(0) @binding(6) var<storage, read> thin: array<vec4u>;

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn thin_span(place: MixedRow, span: u32) -> mat4x4f {
    let at = place.at + span * place.size;
    if place.size == 2u { return mixed_halves(place.is_brain, thin[at], thin[at + 1u]); }
    return mixed_floats(thin[at], thin[at + 1u], thin[at + 2u], thin[at + 3u]);
}
