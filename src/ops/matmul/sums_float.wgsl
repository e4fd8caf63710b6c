// The sums of ROWS rows of a matvec whose x are floats: a thread takes every LANES-th span of 16 weights and decodes it
// once for all tokens. Needs: LANES, ROWS (1, 2, 4), TOKENS; a codec (weight_span), Segment. Gives: row_sums.
@group(0) @binding(4) var<storage, read> x: array<vec4f>;         // [T, K/4]

fn matvec_x(token: u32, quad: u32) -> mat4x4f {
    // the last span may reach past the row; its weights there are 0
    let row = token * params.quads;
    let last = params.quads - 1u;
    return mat4x4f(x[row + min(quad, last)], x[row + min(quad + 1u, last)], x[row + min(quad + 2u, last)],
                   x[row + min(quad + 3u, last)]);
}

fn matvec_dot(a: mat4x4f, b: mat4x4f) -> f32 {
    return dot(a[0], b[0]) + dot(a[1], b[1]) + (dot(a[2], b[2]) + dot(a[3], b[3]));
}

// a thread's part of them, for each token
fn row_sums(row: u32, last: u32, segment: Segment, part: u32, token: u32, tokens: u32) -> array<vec4f, TOKENS> {
    var sums: array<vec4f, TOKENS>;
    for (var span = part; span < segment.spans; span += LANES) {
        let w0 = weight_span(min(row, last), span);
        var w1: mat4x4f;
        var w2: mat4x4f;
        var w3: mat4x4f;
        if ROWS > 1u { w1 = weight_span(min(row + 1u, last), span); }
        if ROWS > 2u {
            w2 = weight_span(min(row + 2u, last), span);
            w3 = weight_span(min(row + 3u, last), span);
        }
        for (var t = 0u; t < TOKENS; t++) {
            let v = matvec_x(min(token + t, tokens - 1u), segment.x_at + span * 4u);
            var sum = vec4f(matvec_dot(w0, v), 0.0, 0.0, 0.0);
            if ROWS > 1u { sum.y = matvec_dot(w1, v); }
            if ROWS > 2u {
                sum.z = matvec_dot(w2, v);
                sum.w = matvec_dot(w3, v);
            }
            sums[t] += sum;
        }
    }
    return sums;
}
