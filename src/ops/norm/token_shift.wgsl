// h = layer_norm(x); y_i = h + (h of the token before - h) lerp_i: a workgroup a slice of a token's channels.
//
// Each workgroup reads the whole row for its mean and variance, and with it one other: the row before, or for a
// sequence's first row the last one, whose h becomes the state. Only the first row's workgroups touch the state, each
// its own channels: they read it, then write, also the h of the last row but one. All loads come first; one reduction
// serves both rows.
// grid: x = slices, y = tokens
// Needs: OUTPUTS (blends), SLICE (vec4s of a slice, at most WORKGROUP), FLOATS (1: y is written); norm/row,
// q8_store.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;      // scale, bias, OUTPUTS blends
@group(0) @binding(4) var<storage, read_write> state: array<vec4f>;  // h of the last even position, of the last odd one
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;      // [T, OUTPUTS * C / 4]

fn token_shift_load(t: u32, lane: Lane) -> Row {
    var row: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[t * VECTORS + c]; }
    }
    return row;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let shift = row_shift(x[t * VECTORS]);
    var row = token_shift_load(t, lane);
    let seq = batch.seq[t];
    let first = batch.first[seq];
    let is_first = t == first;
    let other = select(t - 1u, first + batch.count[seq] - 1u, is_first);
    let other_shift = row_shift(x[other * VECTORS]);
    var other_row = token_shift_load(other, lane);
    let state_at = batch.slot[seq] * params.slot_vectors;
    let before_at = state_at + (~batch.position[t] & 1u) * VECTORS;
    let last_at = state_at + (batch.position[other] & 1u) * VECTORS;

    let c = group.x * SLICE + lane.thread;
    let inside = lane.thread < SLICE && c < VECTORS;
    var h: vec4f;
    var other_h: vec4f;
    var scale: vec4f;
    var bias: vec4f;
    var before: vec4f;
    var lerps: array<vec4f, OUTPUTS>;
    if inside {
        h = x[t * VECTORS + c];
        other_h = x[other * VECTORS + c];
        scale = vectors[c];
        bias = vectors[VECTORS + c];
        for (var blend = 0u; blend < OUTPUTS; blend++) { lerps[blend] = vectors[(2u + blend) * VECTORS + c]; }
        if is_first { before = state[before_at + c]; }
    }
    let sums = lanes_sum(vec4f(row_sums(&row, shift, lane), row_sums(&other_row, other_shift, lane)), lane);
    let m = row_moments(sums.xy, shift, params.eps);
    let other_m = row_moments(sums.zw, other_shift, params.eps);

    // the last row but one: not there, this one, or another
    let count = batch.count[seq];
    let third = select(other, other - 1u, is_first && count > 1u);
    let third_at = state_at + (batch.position[third] & 1u) * VECTORS;
    var third_m = m;
    if is_first && count > 2u {
        let third_shift = row_shift(x[third * VECTORS]);
        var third_row = token_shift_load(third, lane);
        third_m = row_moments(lanes_sum(vec4f(row_sums(&third_row, third_shift, lane), 0.0, 0.0), lane).xy, third_shift,
                              params.eps);
    }
    let own = (h - m.mean) * m.inverse_sd * scale + bias;
    var behind = (other_h - other_m.mean) * other_m.inverse_sd * scale + bias;
    if inside && is_first {
        if count > 1u {
            let centred = x[third * VECTORS + c] - third_m.mean;
            state[third_at + c] = centred * third_m.inverse_sd * scale + bias;
        }
        state[last_at + c] = behind;
        behind = before;
    }
    for (var blend = 0u; blend < OUTPUTS; blend++) {
        let out = own + (behind - own) * lerps[blend];
        if FLOATS == 1u && inside { y[(t * OUTPUTS + blend) * VECTORS + c] = out; }
        q8_store(t, OUTPUTS * VECTORS, blend * VECTORS + c, out, inside, lane);
    }
}
