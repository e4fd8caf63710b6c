// q5_k.wgsl - Q5_K weights (quant/q5_k.c): d * scale * q - dmin * minimum; one scale and minimum for 2 spans.
//   quants  1 vec2u a span: byte b of component w holds the low 4 bits of weight 8w + b (low nibble) and of weight
//           8w + 4 + b (high nibble)
//   scales  3 vec4u for 16 spans, s = span in them / 2: [0].x has d in the low half and dmin in the high half (f16);
//           nibble s of [0].y is the low nibble of the scale, of [0].z that of the minimum; [0].w has the upper 2 bits
//           of the scale at bit 2s, of the minimum at bit 16 + 2s; [1] and [2] have a word of high bits for each s: bit
//           8b + 4p + c belongs to weight 4c + b of the pair's span p
// needs: params.spans (spans in a row)    gives: weight_span

@group(0) @binding(2) var<storage, read> quants: array<vec2u>;
@group(0) @binding(3) var<storage, read> scales: array<vec4u>;

// step and offset of a span's line: weight = step * q + offset
fn q5_k_line(block: vec4u, span: u32) -> vec2f {
    let at = span & 14u;
    let upper = block.w >> at;
    let scale = ((block.y >> (at * 2u)) & 15u) | ((upper & 3u) << 4u);
    let minimum = ((block.z >> (at * 2u)) & 15u) | ((upper >> 12u) & 48u);
    return unpack2x16float(block.x) * vec2f(f32(scale), -f32(minimum));
}

// four weights from bytes whose low nibbles and whose bits 4 are given
fn q5_k_column(low: u32, high: u32, line: vec2f) -> vec4f {
    return vec4f(unpack4xU8((low & 0x0f0f0f0fu) | (high & 0x10101010u))) * line.x + line.y;
}

// 16 consecutive weights of a row: column c is weights 4c to 4c + 3
fn weight_span(row: u32, span: u32) -> mat4x4f {
    let at = row * params.spans + span;
    let q = quants[at];
    let entry = at / 16u * 3u;
    let line = q5_k_line(scales[entry], span);
    let high = scales[entry + 1u + ((span >> 3u) & 1u)][(span >> 1u) & 3u] >> ((span & 1u) * 4u);
    return mat4x4f(q5_k_column(q.x, high << 4u, line), q5_k_column(q.x >> 4u, high << 3u, line),
                   q5_k_column(q.y, high << 2u, line), q5_k_column(q.y >> 4u, high << 1u, line));
}
