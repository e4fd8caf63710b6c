// q4_0.wgsl - Q4_0 weights (quant/q4_0.c): d * (q - 8).
//   quants  1 vec2u a span: byte b of component w holds weight 8w + b (low nibble) and 8w + 4 + b (high nibble)
//   scales  1 word for 4 spans: d of spans 0, 1 in the low half, of spans 2, 3 in the high half (f16)
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

fn q4_0_column(bytes: u32, d: f32) -> vec4f {
    return (vec4f(unpack4xU8(bytes & 0x0f0f0f0fu)) - 8.0) * d;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let q = quants[row * params.spans + span];
    let pair = scales[row * ((params.spans + 3u) / 4u) + span / 4u];
    let d = unpack2x16float(pair >> ((span & 2u) * 8u)).x;
    return mat4x4f(q4_0_column(q.x, d), q4_0_column(q.x >> 4u, d), q4_0_column(q.y, d), q4_0_column(q.y >> 4u, d));
}
