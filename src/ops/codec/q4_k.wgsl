// q4_k.wgsl - Q4_K weights (quant/q4_k.c): d * scale * q - dmin * minimum; one scale and minimum for 2 spans.
//   quants  1 vec2u a span: byte b of component w holds weight 8w + b (low nibble) and 8w + 4 + b (high nibble)
//   scales  1 vec4u for 16 spans, s = span in them / 2: x has d in the low half and dmin in the high half (f16);
//           nibble s of y is the low nibble of the scale, of z that of the minimum; w has the upper 2 bits of the scale
//           at bit 2s, of the minimum at bit 16 + 2s
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<vec4u>;

// step and offset of a span's line: weight = step * q + offset
fn q4_k_line(block: vec4u, span: u32) -> vec2f {
    let at = span & 14u;
    let upper = block.w >> at;
    let scale = ((block.y >> (at * 2u)) & 15u) | ((upper & 3u) << 4u);
    let minimum = ((block.z >> (at * 2u)) & 15u) | ((upper >> 12u) & 48u);
    return unpack2x16float(block.x) * vec2f(f32(scale), -f32(minimum));
}

fn q4_k_column(bytes: u32, line: vec2f) -> vec4f {
    return vec4f(unpack4xU8(bytes & 0x0f0f0f0fu)) * line.x + line.y;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let at = row * params.spans + span;
    let q = quants[at];
    let line = q4_k_line(scales[at / 16u], span);
    return mat4x4f(q4_k_column(q.x, line), q4_k_column(q.x >> 4u, line),
                   q4_k_column(q.y, line), q4_k_column(q.y >> 4u, line));
}
