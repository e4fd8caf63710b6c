// What attention takes from the products q, k, v of a token: y = rotate(q), S[position modulo rows] = (rotate(k), v). The
// pairs (i, i + HEAD/2) of each head turn by position * base^(-2i/HEAD), after an RMS norm if there are scales.
// A workgroup does a head (of q, then k, then v) of a token, a thread 4 channels.
//
// Angles are kept in turns, as 32-bit fractions of one: the whole turns of a product fall off its upper end, so the
// angle is as exact at position 100000 as at 1. turn is that of a position in pair 0; ratio_b multiplies it by
// base^(-2^(b+1)/HEAD) for bit b of i.
// grid: x = heads of q, k and v, y = tokens
// Needs: HEAD (a multiple of 8), NORM (1 if there are scales), WORKGROUP = LANES >= HEAD / 4; a reduce, kv_store.
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> scale_q: array<vec4f>;
@group(0) @binding(4) var<storage, read> scale_k: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

const QUADS = HEAD / 4u;
const HALF = HEAD / 8u;

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
    let t = group.y;
    let i = lane.thread;
    let inside = i < QUADS;
    let quad = min(i, QUADS - 1u);
    let pair = quad % HALF;
    let kv_heads = params.row_quads / (2u * QUADS);
    let heads = params.heads;
    let at = (t * (heads + 2u * kv_heads) + group.x) * QUADS;
    let is_value = group.x >= heads + kv_heads;
    var own = qkv[at + quad];
    if !is_value {
        // the quad's partners in the other half
        var other = qkv[at + (quad + HALF) % QUADS];
        if NORM == 1u {
            let squares = lanes_sum(select(vec4f(), own * own, inside), lane);
            let inverse_rms = inverseSqrt(dot(squares, vec4f(1.0)) / f32(HEAD) + params.eps);
            let partner = (quad + HALF) % QUADS;
            own *= inverse_rms * select(scale_k[quad], scale_q[quad], group.x < heads);
            other *= inverse_rms * select(scale_k[partner], scale_q[partner], group.x < heads);
        }
        var angles: vec4f;
        for (var j = 0u; j < 4u; j++) { angles[j] = angle_of(4u * pair + j, batch.position[t]); }
        own = own * cos(angles) + select(other, -other, quad < HALF) * sin(angles);
    }
    if group.x < heads {
        if inside { y[(t * heads + group.x) * QUADS + quad] = own; }
    } else {
        let row_at = batch.slot[batch.seq[t]] * params.slot_words + batch.position[t] % params.rows * params.row_words;
        kv_store(row_at, (group.x - heads) * QUADS + i, own, inside, lane);
    }
}
