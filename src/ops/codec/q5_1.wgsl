// q5_1.wgsl - Q5_1 weights (quant/q5_0.c): d * q + m.
//   quants  1 vec2u a span: byte b of component w holds the low 4 bits of weight 8w + b (low nibble) and of weight
//           8w + 4 + b (high nibble)
//   scales  1 vec2u for 2 spans: x has d in the low half and m in the high half (f16); y has the high bits: bit
//           8b + 4p + c belongs to weight 4c + b of the pair's span p
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<vec2u>;

// four weights from bytes whose low nibbles and whose bits 4 are given
fn q5_1_column(low: u32, high: u32, dm: vec2f) -> vec4f {
    return vec4f(unpack4xU8((low & 0x0f0f0f0fu) | (high & 0x10101010u))) * dm.x + dm.y;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let at = row * params.spans + span;
    let q = quants[at];
    let block = scales[at / 2u];
    let dm = unpack2x16float(block.x);
    let high = block.y >> ((span & 1u) * 4u);
    return mat4x4f(q5_1_column(q.x, high << 4u, dm), q5_1_column(q.x >> 4u, high << 3u, dm),
                   q5_1_column(q.y, high << 2u, dm), q5_1_column(q.y >> 4u, high << 1u, dm));
}
