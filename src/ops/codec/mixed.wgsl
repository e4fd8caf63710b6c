// mixed.wgsl - F32, F16 and BF16 weights of a stack, each segment of rows in its own type and width (mixed_row.wgsl).
// needs: mixed_row    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // unused

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let place = mixed_row(row);
    let at = place.at + span * place.size;
    if place.size == 2u { return mixed_halves(place.is_brain, quants[at], quants[at + 1u]); }
    return mixed_floats(quants[at], quants[at + 1u], quants[at + 2u], quants[at + 3u]);
}
