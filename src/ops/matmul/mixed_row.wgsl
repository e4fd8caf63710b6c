// Where a row lies in a plane of floats of several types and widths, and what its words mean (quant/f32.c, f16.c).
// Needs: segment. Gives: MixedRow, mixed_row, mixed_halves, mixed_floats.
struct MixedRow {
    at: u32,         // its first vec4u
    size: u32,       // vec4u of a span of 16 weights: 4 of F32, 2 of F16 and BF16
    is_brain: bool,  // BF16
}

fn mixed_row(row: u32) -> MixedRow {
    let index = segment_index(row);
    let first = select(segment_end(max(index, 1u) - 1u), 0u, index == 0u);
    let spans = segment_pick(index, vec4u(params.used0, params.used1, params.used2, params.used3),
                             vec4u(params.used4, params.used5, params.used6, params.used7));
    let plane = segment_pick(index, vec4u(params.plane0, params.plane1, params.plane2, params.plane3),
                             vec4u(params.plane4, params.plane5, params.plane6, params.plane7));
    let kind = (params.types >> (2u * index)) & 3u;
    let size = select(2u, 4u, kind == 0u);
    return MixedRow(plane + (row - first) * spans * size, size, kind == 2u);
}

fn mixed_column(is_brain: bool, low: u32, high: u32) -> vec4f {
    let brain = bitcast<vec4f>(vec4u(low << 16u, low & 0xffff0000u, high << 16u, high & 0xffff0000u));
    return select(vec4f(unpack2x16float(low), unpack2x16float(high)), brain, is_brain);
}

fn mixed_halves(is_brain: bool, a: vec4u, b: vec4u) -> mat4x4f {
    return mat4x4f(mixed_column(is_brain, a.x, a.y), mixed_column(is_brain, a.z, a.w),
                   mixed_column(is_brain, b.x, b.y), mixed_column(is_brain, b.z, b.w));
}

fn mixed_floats(a: vec4u, b: vec4u, c: vec4u, d: vec4u) -> mat4x4f {
    return mat4x4f(bitcast<vec4f>(a), bitcast<vec4f>(b), bitcast<vec4f>(c), bitcast<vec4f>(d));
}
