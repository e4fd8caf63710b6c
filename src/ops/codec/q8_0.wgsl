// q8_0.wgsl - Q8_0 weights (quant/q8_0.c): d * q.
//   quants  1 vec4u a span: byte b of component w is weight 4w + b, signed
//   scales  1 word for 4 spans: d of spans 0, 1 in the low half, of spans 2, 3 in the high half (f16)
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let q = quants[row * params.spans + span];
    let pair = scales[row * ((params.spans + 3u) / 4u) + span / 4u];
    let d = unpack2x16float(pair >> ((span & 2u) * 8u)).x;
    return mat4x4f(vec4f(unpack4xI8(q.x)) * d, vec4f(unpack4xI8(q.y)) * d,
                   vec4f(unpack4xI8(q.z)) * d, vec4f(unpack4xI8(q.w)) * d);
}
