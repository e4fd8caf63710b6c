// The time mixing of RWKV-7 (formulas: wkv7.c) where every sequence has one token, which then is row s of sequence s: a
// workgroup a head of a sequence. What counts is to read S and write it, so that all loads come first and every thread
// makes the vectors of its own columns. S kk and S' r are both sums over S, of which one goes with the other:
//
//   removed = S kk;  y = S' r = S (d r) + v (k' . r) - removed (kk_a . r)
//
// grid: x = heads, y = sequences
// Needs: HEAD, ROW_LANES (threads that share ROWS rows of S; >= 4, <= LANES_INSIDE), ROWS (a multiple of 4),
// WORKGROUP = HEAD / ROWS * ROW_LANES >= LANES = HEAD / 4, FLOATS (1: y is written); a reduce, wkv/head_norm,
// wkv/wkv7_token, q8_store.
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y_out: array<vec4f>;

const VECTORS = HEAD / 4u;
const QUADS = VECTORS / ROW_LANES;  // of a row of S in a thread, ROW_LANES apart
const GROUPS = ROWS / 4u;           // of 4 rows, whose sums are a vec4

var<workgroup> y: array<f32, HEAD>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let t = group.y;
    let column = lane.thread % ROW_LANES;
    let row = lane.thread / ROW_LANES * ROWS;
    let state_at = batch.slot[t] * params.slot_vectors + (group.x * HEAD + row) * VECTORS + column;
    var s: array<vec4f, ROWS * QUADS>;
    for (var i = 0u; i < ROWS; i++) {
        for (var q = 0u; q < QUADS; q++) { s[i * QUADS + q] = state[state_at + i * VECTORS + q * ROW_LANES]; }
    }
    var columns: array<Token, QUADS>;
    var weights: array<Weights, QUADS>;
    for (var q = 0u; q < QUADS; q++) {
        columns[q] = token_load(t, group.x * VECTORS + column + q * ROW_LANES);
        weights[q] = weights_load(group.x * VECTORS + column + q * ROW_LANES);
    }
    var values: array<vec4f, GROUPS>;
    for (var g = 0u; g < GROUPS; g++) { values[g] = token_value(token_load(t, group.x * VECTORS + row / 4u + g)); }
    let quad = lane.thread % LANES;  // channels of the norm
    let c = group.x * VECTORS + quad;
    var own: Token;
    var own_weights: Weights;
    if lane.thread < LANES {
        own = token_load(t, c);
        own_weights = weights_load(c);
    }

    // of the row: |k k_k|^2, k' . r, (k k_k a) . r and the bonus
    var sums = vec4f();
    var decay: array<vec4f, QUADS>;
    var keys: array<vec4f, QUADS>;
    var directions: array<vec4f, QUADS>;
    var faded: array<vec4f, QUADS>;
    for (var q = 0u; q < QUADS; q++) {
        let r = columns[q].r;
        directions[q] = columns[q].k * weights[q].k_k;
        keys[q] = token_key(columns[q], weights[q]);
        decay[q] = exp(-0.60653065971 / (1.0 + exp(-columns[q].w)));  // exp(-1/2) sigmoid(w)
        faded[q] = decay[q] * r;
        sums += vec4f(dot(directions[q], directions[q]), dot(keys[q], r), dot(directions[q] * columns[q].a, r),
                      dot(r * keys[q], weights[q].r_k));
    }
    sums = lanes_sum_inside(sums, 4u, ROW_LANES);
    let unit = 1.0 / max(sqrt(sums.x), 1e-12);
    for (var g = 0u; g < GROUPS; g++) {
        var along = vec4f();
        var seen = vec4f();
        for (var i = 0u; i < 4u; i++) {
            for (var q = 0u; q < QUADS; q++) {
                along[i] += dot(s[(g * 4u + i) * QUADS + q], directions[q]);
                seen[i] += dot(s[(g * 4u + i) * QUADS + q], faded[q]);
            }
        }
        let both = lanes_sum_both(along, seen, 4u, ROW_LANES, lane);
        let removed = both.all * unit * unit;  // kk and kk_a are directions times unit
        let added = values[g] * sums.y - removed * sums.z;
        if column < 4u { y[row + g * 4u + column] = both.own + added[column]; }
        for (var i = 0u; i < 4u; i++) {
            for (var q = 0u; q < QUADS; q++) {
                let at = (g * 4u + i) * QUADS + q;
                state[state_at + (g * 4u + i) * VECTORS + q * ROW_LANES] =
                    s[at] * decay[q] - removed[i] * (directions[q] * columns[q].a) + values[g][i] * keys[q];
            }
        }
    }
    workgroupBarrier();
    let standard = head_standardize(vec4f(y[quad * 4u], y[quad * 4u + 1u], y[quad * 4u + 2u], y[quad * 4u + 3u]), true,
                                    params.eps, lane);
    let out = token_output(standard, sums.w, own, own_weights);
    let writes = lane.thread < LANES;
    if FLOATS == 1u && writes { y_out[t * params.vectors + c] = out; }
    q8_store(t, params.vectors, c, out, writes, lane);
}
