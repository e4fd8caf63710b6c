// q4_1.wgsl - Q4_1 weights (quant/q4_0.c): d * q + m.
//   quants  1 vec2u a span: byte b of component w holds weight 8w + b (low nibble) and 8w + 4 + b (high nibble)
//   scales  1 word for 2 spans: d in the low half, m in the high half (f16)
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

fn q4_1_column(bytes: u32, dm: vec2f) -> vec4f {
    return vec4f(unpack4xU8(bytes & 0x0f0f0f0fu)) * dm.x + dm.y;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let at = row * params.spans + span;
    let q = quants[at];
    let dm = unpack2x16float(scales[at / 2u]);
    return mat4x4f(q4_1_column(q.x, dm), q4_1_column(q.x >> 4u, dm), q4_1_column(q.y, dm), q4_1_column(q.y >> 4u, dm));
}
