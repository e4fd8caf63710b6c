// h = layer_norm(x); y_i = h + (h of the token before - h) lerp_i: a workgroup a token.
// What the token before left is another row of x, normed again here, or for a sequence's first row the state. Only
// that row's workgroup touches the state: it reads it, then writes h of the sequence's last row.
// Needs: OUTPUTS (blends); norm/row.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> scale: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read> lerp: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y: array<vec4f>;  // [T, OUTPUTS * C / 4]

fn norm(t: u32, lane: Lane) -> Row {
    var row: Row;
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = x[t * VECTORS + c]; }
    }
    row_standardize(&row, params.eps, lane);
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS { row[i] = row[i] * scale[c] + bias[c]; }
    }
    return row;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.x;
    let seq = batch.seq[t];
    let first = batch.first[seq];
    var h = norm(t, lane);
    var before: Row;
    if t == first {
        let slot_at = batch.slot[seq] * params.slot_vectors;
        var last = h;
        if batch.count[seq] > 1u { last = norm(first + batch.count[seq] - 1u, lane); }
        for (var i = 0u; i < ITEMS; i++) {
            let c = i * WORKGROUP + lane.thread;
            if c < VECTORS {
                before[i] = state[slot_at + c];
                state[slot_at + c] = last[i];
            }
        }
    } else {
        before = norm(t - 1u, lane);
    }
    for (var i = 0u; i < ITEMS; i++) {
        let c = i * WORKGROUP + lane.thread;
        if c < VECTORS {
            for (var blend = 0u; blend < OUTPUTS; blend++) {
                y[(t * OUTPUTS + blend) * VECTORS + c] = h[i] + (before[i] - h[i]) * lerp[blend * VECTORS + c];
            }
        }
    }
}
