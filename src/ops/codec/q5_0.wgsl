// q5_0.wgsl - Q5_0 weights (quant/q5_0.c): d * (q - 16).
//   quants  1 vec2u a span: byte b of component w holds the low 4 bits of weight 8w + b (low nibble) and of weight
//           8w + 4 + b (high nibble)
//   scales  3 words for 4 spans: d of spans 0, 1 in the low half, of spans 2, 3 in the high half (f16), the high bits
//           of spans 0, 1, those of spans 2, 3: bit 8b + 4p + c belongs to weight 4c + b of the pair's span p
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

// four weights from bytes whose low nibbles and whose bits 4 are given
fn q5_0_column(low: u32, high: u32, d: f32) -> vec4f {
    return (vec4f(unpack4xU8((low & 0x0f0f0f0fu) | (high & 0x10101010u))) - 16.0) * d;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let q = quants[row * params.spans + span];
    let entry = (row * ((params.spans + 3u) / 4u) + span / 4u) * 3u;
    let odd = (span >> 1u) & 1u;
    let d = unpack2x16float(scales[entry] >> (odd * 16u)).x;
    let high = scales[entry + 1u + odd] >> ((span & 1u) * 4u);
    return mat4x4f(q5_0_column(q.x, high << 4u, d), q5_0_column(q.x >> 4u, high << 3u, d),
                   q5_0_column(q.y, high << 2u, d), q5_0_column(q.y >> 4u, high << 1u, d));
}
