// y = f(W x_i), x_i a blend of a token shift (token_shift.c), for one token: each workgroup norms and blends the x of
// its rows itself and keeps it in workgroup memory. So it does many rows, TURNS times ROWS a thread; ROW_LANES threads
// share them. One workgroup writes the shift's state. Thin rows of floats (shifted_thin) come first. No bias, nothing
// combined. grid: x = thin groups, then rows / GROUP_ROWS
// Needs: WORKGROUP, LANES = WORKGROUP, ROW_LANES (<= LANES_INSIDE), ROWS (1, 2, 4), TURNS, VECTORS (of x), X_INT8 (1:
// the rows that are not thin take it as int8), X_VECTORS (what both forms need); own_sums (shifted_q8, shifted_float),
// thin_group (shifted_thin, shifted_only), norm/row, segment, epilogue, q8/pack, store_*.
@group(0) @binding(4) var<storage, read> x: array<vec4f>;                  // [C / 4]
@group(0) @binding(5) var<storage, read> vectors: array<vec4f>;            // scale, bias, blends, [C / 4] each
@group(0) @binding(6) var<storage, read_write> shift_state: array<vec4f>;  // h of the last even, the last odd position

// floats: the first vec4s of all spans of 16, then the second ones, ..., so that neighbours who take a span each read
// without bank conflicts; or int8: the first halves of all blocks, then the last halves
var<workgroup> x_own: array<vec4u, X_VECTORS>;
var<workgroup> x_scales: array<vec2u, VECTORS / 8u>;
var<workgroup> shifted_partial: array<vec2f, WORKGROUP / LANES_INSIDE>;

fn x_place(quad: u32) -> u32 { return (quad & 3u) * (VECTORS / 4u) + quad / 4u; }

fn x_float(quad: u32) -> vec4f { return bitcast<vec4f>(x_own[x_place(quad)]); }

fn shifted_store(c: u32, value: vec4f, int8: bool, lane: Lane) {
    if !int8 {
        if c < VECTORS { x_own[x_place(c)] = bitcast<vec4u>(value); }
        return;
    }
    let packed = q8_pack(value, lane);
    let words = vec4u(packed.word, subgroupShuffleXor(packed.word, 1u), subgroupShuffleXor(packed.word, 2u),
                      subgroupShuffleXor(packed.word, 3u));
    if c < VECTORS && (c & 3u) == 0u { x_own[c / 8u + select(0u, VECTORS / 8u, (c & 4u) != 0u)] = words; }
    if c < VECTORS && (c & 7u) == 0u { x_scales[c / 8u] = vec2u(q8_scale(packed), packed.sums); }
}

// lanes_sum of two values
fn shifted_sum(value: vec2f, lane: Lane) -> vec2f {
    let own = lanes_sum_inside(vec4f(value, 0.0, 0.0), 2u, LANES_INSIDE).xy;
    if lane.thread % LANES_INSIDE == 0u { shifted_partial[lane.thread / LANES_INSIDE] = own; }
    workgroupBarrier();
    var sum = shifted_partial[0];
    for (var i = 1u; i < LANES_OUTSIDE; i++) { sum += shifted_partial[i]; }
    return sum;
}

// puts the blend into workgroup memory
fn shifted_x(blend: u32, int8: bool, writes_state: bool, lane: Lane) {
    let state_at = batch.slot[0] * params.slot_vectors;
    let own_at = state_at + (batch.position[0] & 1u) * VECTORS;
    let before_at = state_at + (~batch.position[0] & 1u) * VECTORS;
    let shift = row_shift(x[0]);
    var row: Row;
    var scales: Row;
    var biases: Row;
    var before: Row;
    var lerps: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = min(i * WORKGROUP + lane.thread, VECTORS - 1u);
        row[i] = x[c];
        scales[i] = vectors[c];
        biases[i] = vectors[VECTORS + c];
        before[i] = shift_state[before_at + c];
        lerps[i] = vectors[(2u + blend) * VECTORS + c];
    }
    let m = row_moments(shifted_sum(row_sums(&row, shift, lane), lane), shift, params.eps);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        let h = (row[i] - m.mean) * m.inverse_sd * scales[i] + biases[i];
        if writes_state && c < VECTORS { shift_state[own_at + c] = h; }
        shifted_store(c, h + (before[i] - h) * lerps[i], int8, lane);
    }
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    if group.x < params.thin_groups {
        thin_group(group.x, lane);
        return;
    }
    let begin = (group.x - params.thin_groups) * GROUP_ROWS;
    let last = params.first_thin - 1u;
    let segment = segment_of(begin);
    let part = lane.thread % ROW_LANES;
    var own = lane.thread / ROW_LANES * ROWS;
    shifted_x(segment.x_at / VECTORS, X_INT8 == 1u, group.x == params.thin_groups, lane);
    for (var i = 0u; i < TURNS; i++) {
        let sums = lanes_sum_inside(own_sums(begin + own, last, part), ROWS, ROW_LANES);
        if part < ROWS && begin + own + part <= last {
            let value = epilogue(segment.act, sums[part], 0.0, 0.0);
            store_value(0u, params.row_at + begin + own + part, own + part, value);
        }
        own += WORKGROUP / ROW_LANES * ROWS;
    }
    store_token(0u, true, params.row_at + begin, lane);
}
