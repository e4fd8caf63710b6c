// Turns the pairs (i, i + HEAD/2) of each head by position * base^(-2i/HEAD), after an RMS norm if there is a scale:
// a workgroup a head, a thread a pair.
//
// Angles are kept in turns, as 32-bit fractions of one: the whole turns of a product fall off its upper end, so the
// angle is as exact at position 100000 as at 1. turn is that of a position in pair 0; ratio_b multiplies it by
// base^(-2^(b+1)/HEAD) for bit b of i.
// Needs: HEAD, NORM (1 if there is a scale), WORKGROUP = LANES >= HEAD / 2.
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// round(a b / 2^32)
fn multiply_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let middle_2 = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (middle_2 >> 16u) + ((middle_2 >> 15u) & 1u);
}

fn angle_of(i: u32, position: u32) -> f32 {
    var turn = params.turn;
    if (i & 1u) != 0u { turn = multiply_high(turn, params.ratio_0); }
    if (i & 2u) != 0u { turn = multiply_high(turn, params.ratio_1); }
    if (i & 4u) != 0u { turn = multiply_high(turn, params.ratio_2); }
    if (i & 8u) != 0u { turn = multiply_high(turn, params.ratio_3); }
    if (i & 16u) != 0u { turn = multiply_high(turn, params.ratio_4); }
    if (i & 32u) != 0u { turn = multiply_high(turn, params.ratio_5); }
    if (i & 64u) != 0u { turn = multiply_high(turn, params.ratio_6); }
    return f32(bitcast<i32>(turn * position)) * 1.4629180792671596e-9; // 2 pi / 2^32
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let i = lane.thread;
    let at = group.y * params.cols + group.x * HEAD + i;
    var pair = vec2f();
    if i < HEAD / 2u { pair = vec2f(x[at], x[at + HEAD / 2u]); }
    if NORM == 1u {
        let squares = lanes_sum(vec4f(dot(pair, pair), 0.0, 0.0, 0.0), lane).x;
        pair *= inverseSqrt(squares / f32(HEAD) + params.eps);
        if i < HEAD / 2u { pair *= vec2f(scale[i], scale[i + HEAD / 2u]); }
    }
    if i < HEAD / 2u {
        let angle = angle_of(i, batch.position[group.y]);
        y[at] = pair.x * cos(angle) - pair.y * sin(angle);
        y[at + HEAD / 2u] = pair.y * cos(angle) + pair.x * sin(angle);
    }
}
