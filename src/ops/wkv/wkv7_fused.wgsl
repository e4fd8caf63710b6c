// The time mixing of RWKV-7 (formulas: wkv7.c) with the thin products up to w, a, g and v's mix in it: a workgroup a
// head of a sequence, for few tokens. ROW_LANES threads share a channel i: they make w_i, a_i, g_i and mix_i, and hold
// row i of S. All loads come first; then only w and a have to go round, and y for its norm.
// grid: x = heads, y = sequences
// Needs: HEAD (a multiple of 4 ROW_LANES), WORKGROUP = HEAD * ROW_LANES, ROW_LANES (<= LANES_INSIDE), LANES = HEAD / 4,
// V_FIRST, SINGLES (1: every sequence has one token, so that no load waits for where it is), F32S (bit i: matrix i of
// w, a, g, mix is F32, else F16), RANK_W, RANK_A, RANK_G, RANK_V (multiples of 8; of mix 0 without V_FIRST), FLOATS (1: y
// is written); a reduce, wkv/head_norm, q8_store.
@group(0) @binding(2) var<storage, read> rkv: array<vec4f>;        // [T, (3 C + ..) / 4], also what the ups take
@group(0) @binding(3) var<storage, read> first_rkv: array<vec4f>;  // [T, (3 C + ..) / 4]
@group(0) @binding(4) var<storage, read> vectors: array<vec4f>;    // [5, C / 4]: k_k, k_a, r_k, ln, ln_b
@group(0) @binding(5) var<storage, read> bias: array<f32>;         // [3 + V_FIRST, C]
@group(0) @binding(6) var<storage, read> up: array<vec4u>;
@group(0) @binding(7) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> y_out: array<vec4f>;

const VECTORS = HEAD / 4u;
const QUADS = VECTORS / ROW_LANES;  // of a row of S in a thread, ROW_LANES apart

const N_W = RANK_W / select(8u, 4u, (F32S & 1u) != 0u);  // vec4us of a row
const N_A = RANK_A / select(8u, 4u, (F32S & 2u) != 0u);
const N_G = RANK_G / select(8u, 4u, (F32S & 4u) != 0u);
const N_V = RANK_V / select(8u, 4u, (F32S & 8u) != 0u);
const UNITS_W = (N_W + ROW_LANES - 1u) / ROW_LANES;      // of them in a thread
const UNITS_A = (N_A + ROW_LANES - 1u) / ROW_LANES;
const UNITS_G = (N_G + ROW_LANES - 1u) / ROW_LANES;
const UNITS_V = (N_V + ROW_LANES - 1u) / ROW_LANES;

// what goes round in the workgroup, HEAD values each
const DECAY = 0u;
const A = HEAD;
const V = 2u * HEAD;
const G = 3u * HEAD;
const Y = 4u * HEAD;
var<workgroup> own: array<f32, 5u * HEAD>;

fn own_quad(block: u32, quad: u32) -> vec4f {
    let at = block + 4u * quad;
    return vec4f(own[at], own[at + 1u], own[at + 2u], own[at + 3u]);
}

fn up_dot(w: vec4u, f32s: bool, at: u32, unit: u32) -> f32 {
    if f32s { return dot(bitcast<vec4f>(w), rkv[at + unit]); }
    return dot(vec4f(unpack2x16float(w.x), unpack2x16float(w.y)), rkv[at + 2u * unit]) +
           dot(vec4f(unpack2x16float(w.z), unpack2x16float(w.w)), rkv[at + 2u * unit + 1u]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let C = params.vectors;
    let i = lane.thread / ROW_LANES;
    let part = lane.thread % ROW_LANES;
    let row = group.x * HEAD + i;
    let state_at = batch.slot[group.y] * params.slot_vectors + row * VECTORS + part;
    let quad = lane.thread % LANES;  // channels of the norm
    let c_norm = group.x * VECTORS + quad;
    var begin = group.y;
    var end = begin + 1u;
    if SINGLES == 0u {
        begin = batch.first[group.y];
        end = begin + batch.count[group.y];
    }

    var w_row: array<vec4u, UNITS_W>;
    var a_row: array<vec4u, UNITS_A>;
    var g_row: array<vec4u, UNITS_G>;
    var v_row: array<vec4u, max(UNITS_V, 1u)>;
    for (var u = 0u; u < UNITS_W; u++) {
        w_row[u] = up[params.w_at + row * params.w_stride + min(part + u * ROW_LANES, N_W - 1u)];
    }
    for (var u = 0u; u < UNITS_A; u++) {
        a_row[u] = up[params.a_at + row * params.a_stride + min(part + u * ROW_LANES, N_A - 1u)];
    }
    for (var u = 0u; u < UNITS_G; u++) {
        g_row[u] = up[params.g_at + row * params.g_stride + min(part + u * ROW_LANES, N_G - 1u)];
    }
    for (var u = 0u; u < UNITS_V; u++) {
        v_row[u] = up[params.v_at + row * params.v_stride + min(part + u * ROW_LANES, N_V - 1u)];
    }
    var s: array<vec4f, QUADS>;
    var k_k: array<vec4f, QUADS>;
    var k_a: array<vec4f, QUADS>;
    var r_k: array<vec4f, QUADS>;
    for (var q = 0u; q < QUADS; q++) {
        let c = group.x * VECTORS + part + q * ROW_LANES;
        s[q] = state[state_at + q * ROW_LANES];
        k_k[q] = vectors[c];
        k_a[q] = vectors[C + c];
        r_k[q] = vectors[2u * C + c];
    }
    let ln = vectors[3u * C + c_norm];
    let ln_b = vectors[4u * C + c_norm];
    var biases = vec4f(bias[row], bias[4u * C + row], bias[8u * C + row], 0.0);
    if V_FIRST == 1u { biases.w = bias[12u * C + row]; }

    for (var t = begin; t < end; t++) {
        let rkv_at = t * params.rkv_vectors;
        var r: array<vec4f, QUADS>;
        var k: array<vec4f, QUADS>;
        for (var q = 0u; q < QUADS; q++) {
            let c = rkv_at + group.x * VECTORS + part + q * ROW_LANES;
            r[q] = rkv[c];
            k[q] = rkv[C + c];
        }
        var value = rkv[rkv_at + 2u * C + row / 4u][row % 4u];
        var first_value = 0.0;
        if V_FIRST == 1u { first_value = first_rkv[t * params.first_vectors + 2u * C + row / 4u][row % 4u]; }

        // |k k_k|^2 and S k k_k
        var sums = vec4f();
        for (var q = 0u; q < QUADS; q++) {
            let direction = k[q] * k_k[q];
            sums += vec4f(dot(direction, direction), dot(s[q], direction), 0.0, 0.0);
        }
        sums = lanes_sum_inside(sums, 2u, ROW_LANES);
        let unit = 1.0 / max(sqrt(sums.x), 1e-12);
        let removed = sums.y * unit * unit;

        var ups = vec4f();
        for (var u = 0u; u < UNITS_W; u++) {
            let n = part + u * ROW_LANES;
            if n < N_W { ups.x += up_dot(w_row[u], (F32S & 1u) != 0u, rkv_at + params.w_x, n); }
        }
        for (var u = 0u; u < UNITS_A; u++) {
            let n = part + u * ROW_LANES;
            if n < N_A { ups.y += up_dot(a_row[u], (F32S & 2u) != 0u, rkv_at + params.a_x, n); }
        }
        for (var u = 0u; u < UNITS_G; u++) {
            let n = part + u * ROW_LANES;
            if n < N_G { ups.z += up_dot(g_row[u], (F32S & 4u) != 0u, rkv_at + params.g_x, n); }
        }
        for (var u = 0u; u < UNITS_V; u++) {
            let n = part + u * ROW_LANES;
            if n < N_V { ups.w += up_dot(v_row[u], (F32S & 8u) != 0u, rkv_at + params.v_x, n); }
        }
        ups = lanes_sum_inside(ups, 4u, ROW_LANES) + biases;
        if V_FIRST == 1u { value += (first_value - value) / (1.0 + exp(-ups.w)); }
        if part == 0u {
            own[DECAY + i] = exp(-0.60653065971 / (1.0 + exp(-ups.x)));  // exp(-1/2) sigmoid(w)
            own[A + i] = 1.0 / (1.0 + exp(-ups.y));
            own[V + i] = value;
            own[G + i] = ups.z;
        }
        workgroupBarrier();

        // S r, and r k' r_k
        sums = vec4f();
        for (var q = 0u; q < QUADS; q++) {
            let column = part + q * ROW_LANES;
            let own_a = own_quad(A, column);
            let key = k[q] * (1.0 + (own_a - 1.0) * k_a[q]);
            s[q] = s[q] * own_quad(DECAY, column) - removed * k[q] * k_k[q] * own_a + value * key;
            sums += vec4f(dot(s[q], r[q]), dot(r[q] * key, r_k[q]), 0.0, 0.0);
        }
        sums = lanes_sum_inside(sums, 2u, ROW_LANES);
        if part == 0u { own[Y + i] = sums.x; }
        workgroupBarrier();

        let normed = head_standardize(own_quad(Y, quad), true, params.eps, lane);
        let out = (normed * ln + ln_b + sums.y * own_quad(V, quad)) * own_quad(G, quad);
        let writes = lane.thread < LANES;
        if FLOATS == 1u && writes { y_out[t * C + c_norm] = out; }
        q8_store(t, C, c_norm, out, writes, lane);
        workgroupBarrier();
    }
    for (var q = 0u; q < QUADS; q++) { state[state_at + q * ROW_LANES] = s[q]; }
}
