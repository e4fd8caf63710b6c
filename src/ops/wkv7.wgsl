// The time mixing of RWKV-7 (formulas: wkv7.c): a workgroup a head of a sequence, thread i owns row i of S.
//
// Tokens go in chunks of WORKGROUP / LANES. First LANES threads a token prepare its vectors, 4 channels each; then
// every thread walks the chunk with its row of S in registers and no barrier, which is all that is serial; then
// LANES threads a token norm and gate its y.
// Needs: HEAD (channels of a head), WORKGROUP >= HEAD, LANES >= HEAD / 4 (both powers of two), V_FIRST (1 if present).
@group(0) @binding(2) var<storage, read> rkv: array<vec4f>;        // [T, 3 C / 4]
@group(0) @binding(3) var<storage, read> wagv: array<vec4f>;       // [T, (3 + V_FIRST) C / 4]
@group(0) @binding(4) var<storage, read> first_rkv: array<vec4f>;  // [T, 3 C / 4]
@group(0) @binding(5) var<storage, read> vectors: array<vec4f>;    // [5, C / 4]: k_k, k_a, r_k, ln, ln_b
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y_out: array<vec4f>;

const VECTORS = HEAD / 4u;
const CHUNK = WORKGROUP / LANES;

var<workgroup> r: array<vec4f, CHUNK * VECTORS>;
var<workgroup> decay: array<vec4f, CHUNK * VECTORS>;
var<workgroup> kk: array<vec4f, CHUNK * VECTORS>;
var<workgroup> kk_a: array<vec4f, CHUNK * VECTORS>;
var<workgroup> k: array<vec4f, CHUNK * VECTORS>;
var<workgroup> v: array<vec4f, CHUNK * VECTORS>;
var<workgroup> y: array<f32, CHUNK * HEAD>;

// sum over a head, whose channels its LANES threads hold by fours
fn head_sum(value: f32, lane: Lane) -> f32 {
    return lanes_sum(vec4f(value, 0.0, 0.0, 0.0), lane).x;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let head = group.x;
    let end = batch.first[group.y] + batch.count[group.y];
    let row = lane.thread;
    let row_at = batch.slot[group.y] * params.slot_vectors + (head * HEAD + row) * VECTORS;
    var s: array<vec4f, VECTORS>;
    if row < HEAD {
        for (var j = 0u; j < VECTORS; j++) { s[j] = state[row_at + j]; }
    }
    let own = lane.thread / LANES;          // token of the chunk
    let j_own = lane.thread % LANES;        // channels of the head
    let c = head * VECTORS + j_own;         // channels of all
    for (var at = batch.first[group.y]; at < end; at += CHUNK) {
        let n_chunk = min(CHUNK, end - at);
        let works = own < n_chunk && j_own < VECTORS;
        let C = params.vectors;
        let rkv_at = (at + own) * 3u * C + c;             // r, k, v lie C apart
        let wagv_at = (at + own) * (3u + V_FIRST) * C + c;
        let to = own * VECTORS + j_own;

        var value = vec4f();
        var sums = vec4f();
        var direction = vec4f();
        var rate = vec4f();
        if works {
            let r_own = rkv[rkv_at];
            let k_own = rkv[rkv_at + C];
            value = rkv[rkv_at + 2u * C];
            if V_FIRST == 1u { value += (first_rkv[rkv_at + 2u * C] - value) * wagv[wagv_at + 3u * C]; }
            rate = wagv[wagv_at + C];
            let key = k_own * (1.0 + (rate - 1.0) * vectors[C + c]);
            direction = k_own * vectors[c];
            sums = vec4f(dot(direction, direction), dot(r_own * key, vectors[2u * C + c]), 0.0, 0.0);
            r[to] = r_own;
            // exp(-1/2) sigmoid(w)
            decay[to] = exp(-0.60653065971 / (1.0 + exp(-wagv[wagv_at])));
            k[to] = key;
            v[to] = value;
        }
        sums = lanes_sum(sums, lane);
        let bonus = sums.y;
        if works {
            direction /= max(sqrt(sums.x), 1e-12);
            kk[to] = direction;
            kk_a[to] = direction * rate;
        }
        workgroupBarrier();

        if row < HEAD {
            for (var t = 0u; t < n_chunk; t++) {
                let t_at = t * VECTORS;
                var removed = vec4f();
                for (var j = 0u; j < VECTORS; j++) { removed += s[j] * kk[t_at + j]; }
                let removed_sum = dot(removed, vec4f(1.0));
                let v_row = v[t_at + row / 4u][row % 4u];
                var seen = vec4f();
                for (var j = 0u; j < VECTORS; j++) {
                    s[j] = s[j] * decay[t_at + j] - removed_sum * kk_a[t_at + j] + v_row * k[t_at + j];
                    seen += s[j] * r[t_at + j];
                }
                y[t * HEAD + row] = dot(seen, vec4f(1.0));
            }
        }
        workgroupBarrier();

        var out = vec4f();
        if works {
            let y_at = own * HEAD + 4u * j_own;
            out = vec4f(y[y_at], y[y_at + 1u], y[y_at + 2u], y[y_at + 3u]);
        }
        let mean = head_sum(dot(out, vec4f(1.0)), lane) / f32(HEAD);
        if works { out -= mean; }
        let inverse_sd = inverseSqrt(head_sum(dot(out, out), lane) / f32(HEAD) + params.eps);
        if works {
            y_out[(at + own) * C + c] = (out * inverse_sd * vectors[3u * C + c] + vectors[4u * C + c] + bonus * value) *
                                        wagv[wagv_at + 2u * C];
        }
    }
    if row < HEAD {
        for (var j = 0u; j < VECTORS; j++) { state[row_at + j] = s[j]; }
    }
}
