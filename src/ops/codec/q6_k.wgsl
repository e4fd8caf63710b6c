// q6_k.wgsl - Q6_K weights (quant/q6_k.c): d * scale * (q - 32); one scale a span.
//   quants  1 vec2u a span: byte b of component w holds the low 4 bits of weight 8w + b (low nibble) and of weight
//           8w + 4 + b (high nibble)
//   scales  21 words for 16 spans: 4 words of scales (byte s of them is span s's, signed), 1 word with d (f16) in its
//           low half, 16 words of high bits, one for each span: bits 8b + 2c and 8b + 2c + 1 belong to weight 4c + b
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

// four weights from bytes whose low nibbles and whose bits 4 and 5 are given
fn q6_k_column(low: u32, high: u32, step: f32) -> vec4f {
    return (vec4f(unpack4xU8((low & 0x0f0f0f0fu) | (high & 0x30303030u))) - 32.0) * step;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let at = row * params.spans + span;
    let q = quants[at];
    let entry = at / 16u * 21u;
    let s = span & 15u;
    let scale = extractBits(bitcast<i32>(scales[entry + s / 4u]), (s & 3u) * 8u, 8u);
    let step = unpack2x16float(scales[entry + 4u]).x * f32(scale);
    let high = scales[entry + 5u + s];
    return mat4x4f(q6_k_column(q.x, high << 4u, step), q6_k_column(q.x >> 4u, high << 2u, step),
                   q6_k_column(q.y, high, step), q6_k_column(q.y >> 4u, high >> 2u, step));
}
