// norm/token_shift where every sequence has one token, which then is row s of sequence s: nothing but that row and the
// state is read.
// grid: x = slices, y = tokens
// Needs: OUTPUTS (blends), SLICE (vec4s of a slice, at most WORKGROUP), FLOATS (1: y is written); norm/row,
// q8_store.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;      // scale, bias, OUTPUTS blends
@group(0) @binding(4) var<storage, read_write> state: array<vec4f>;  // h of the last even position, of the last odd one
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;      // [T, OUTPUTS * C / 4]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let state_at = batch.slot[t] * params.slot_vectors;
    let own_at = (batch.position[t] & 1u) * VECTORS;
    let shift = row_shift(x[t * VECTORS]);
    var row: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[t * VECTORS + c]; }
    }
    let c = group.x * SLICE + lane.thread;
    let inside = lane.thread < SLICE && c < VECTORS;
    var own: vec4f;
    var scale: vec4f;
    var bias: vec4f;
    var before: vec4f;
    var lerps: array<vec4f, OUTPUTS>;
    if inside {
        own = x[t * VECTORS + c];
        scale = vectors[c];
        bias = vectors[VECTORS + c];
        for (var blend = 0u; blend < OUTPUTS; blend++) { lerps[blend] = vectors[(2u + blend) * VECTORS + c]; }
        before = state[state_at + VECTORS - own_at + c];
    }
    let m = row_moments(lanes_sum(vec4f(row_sums(&row, shift, lane), 0.0, 0.0), lane).xy, shift, params.eps);
    let h = (own - m.mean) * m.inverse_sd * scale + bias;
    if inside { state[state_at + own_at + c] = h; }
    for (var blend = 0u; blend < OUTPUTS; blend++) {
        let out = h + (before - h) * lerps[blend];
        if FLOATS == 1u && inside { y[(t * OUTPUTS + blend) * VECTORS + c] = out; }
        q8_store(t, OUTPUTS * VECTORS, blend * VECTORS + c, out, inside, lane);
    }
}
