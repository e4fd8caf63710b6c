// The time mixing of RWKV-7 (formulas: wkv7.c): SPLIT workgroups a head of a sequence, S in their registers.
//
// Tokens go in chunks of CHUNK. First LANES threads a token prepare its vectors, 4 channels each; then all walk the
// chunk with no barrier, which is all that is serial; then LANES threads a token norm and gate its y. The next chunk's
// inputs are on their way meanwhile. A workgroup that has only some rows of the head stores y as it is, for wkv7_gate.
// Needs: CHUNK <= WORKGROUP / LANES, FLOATS (1: y is written); wkv/tile, wkv/head_norm, wkv/wkv7_token, q8_store.
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y_out: array<vec4f>;

var<workgroup> r: array<vec4f, CHUNK * LANES>;
var<workgroup> decay: array<vec4f, CHUNK * LANES>;
var<workgroup> kk: array<vec4f, CHUNK * LANES>;
var<workgroup> kk_a: array<vec4f, CHUNK * LANES>;
var<workgroup> k: array<vec4f, CHUNK * LANES>;
var<workgroup> v: array<vec4f, CHUNK * LANES>;
var<workgroup> meets: array<f32, CHUNK>;   // kk_a of the token before . kk
var<workgroup> y: array<f32, CHUNK * LANES * 4u>;

// Walks the n tokens of the chunk, one token ahead with S kk, so that nothing waits for its sum over the row:
//   S' = S diag(decay) + v k^T,  S = S' - removed kk_a^T,  y = S r
//   removed of the next token = S kk_next = S' kk_next - removed (kk_a . kk_next)
fn walk(s: ptr<function, Tile>, place: TilePlace, n: u32, lane: Lane) {
    var removed: array<vec4f, ROW_GROUPS>;
    var kk_next: array<vec4f, QUADS>;
    for (var q = 0u; q < QUADS; q++) { kk_next[q] = kk[place.column + q * ROW_LANES]; }
    for (var group = 0u; group < ROW_GROUPS; group++) { 
        removed[group] = lanes_sum_inside(tile_dot(s, group, &kk_next), GROUP_ROWS, ROW_LANES);
    }
    for (var t = 0u; t < n; t++) {
        let t_at = t * LANES;
        let next_at = min(t + 1u, CHUNK - 1u) * LANES;
        let meets_next = meets[min(t + 1u, CHUNK - 1u)];
        var r_own: array<vec4f, QUADS>;
        var kk_a_own: array<vec4f, QUADS>;
        var decay_own: array<vec4f, QUADS>;
        var k_own: array<vec4f, QUADS>;
        for (var q = 0u; q < QUADS; q++) {
            let j = t_at + place.column + q * ROW_LANES;
            decay_own[q] = decay[j];
            k_own[q] = k[j];
            kk_next[q] = kk[next_at + place.column + q * ROW_LANES];
            kk_a_own[q] = kk_a[j];
            r_own[q] = r[j];
        }
        for (var group = 0u; group < ROW_GROUPS; group++) {
            let row = place.row + group * 4u;
            let value = tile_rows(v[t_at + row / 4u], row);
            for (var i = 0u; i < GROUP_ROWS; i++) {
                for (var q = 0u; q < QUADS; q++) {
                    let at = (group * 4u + i) * QUADS + q;
                    (*s)[at] = (*s)[at] * decay_own[q] + value[i] * k_own[q];
                }
            }
            let ahead = tile_dot(s, group, &kk_next);
            for (var i = 0u; i < GROUP_ROWS; i++) {
                for (var q = 0u; q < QUADS; q++) {
                    (*s)[(group * 4u + i) * QUADS + q] -= removed[group][i] * kk_a_own[q];
                }
            }
            let sums = lanes_sum_both(ahead, tile_dot(s, group, &r_own), GROUP_ROWS, ROW_LANES, lane);
            if place.column < GROUP_ROWS { y[t_at * 4u + row + place.column] = sums.own; }
            removed[group] = sums.all - removed[group] * meets_next;
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let begin = batch.first[group.y];
    let end = begin + batch.count[group.y];
    let state_at = batch.slot[group.y] * params.slot_vectors + group.x / SPLIT * HEAD * VECTORS;
    let place = tile_place(group.x % SPLIT, lane);
    let own = lane.thread / LANES;   // token of the chunk
    let quad = lane.thread % LANES;  // channels of the head
    let inside = own < CHUNK && quad < VECTORS;
    let c = group.x / SPLIT * VECTORS + quad;
    var s: Tile;
    var next: Token;
    var weights: Weights;
    tile_load(&s, place, state_at);
    if inside {
        weights = weights_load(c);
        if begin + own < end { next = token_load(begin + own, c); }
    }
    for (var at = begin; at < end; at += CHUNK) {
        let n_chunk = min(CHUNK, end - at);
        let token = next;
        let key = token_key(token, weights);
        let direction = token.k * weights.k_k;
        let sums = lanes_sum(vec4f(dot(direction, direction), dot(token.r * key, weights.r_k), 0.0, 0.0), lane);
        let unit = direction / max(sqrt(sums.x), 1e-12);
        if own < CHUNK {
            r[lane.thread] = token.r;
            // exp(-1/2) sigmoid(w)
            decay[lane.thread] = exp(-0.60653065971 / (1.0 + exp(-token.w)));
            kk[lane.thread] = unit;
            kk_a[lane.thread] = unit * token.a;
            k[lane.thread] = key;
            v[lane.thread] = token_value(token);
        }
        workgroupBarrier();
        if inside && at + CHUNK + own < end { next = token_load(at + CHUNK + own, c); }
        if n_chunk > 1u {
            var met = vec4f();
            if own > 0u && own < CHUNK { met = unit * kk_a[lane.thread - LANES]; }
            let meet = head_sum(met, lane);
            if quad == 0u && own < CHUNK { meets[own] = meet; }
            workgroupBarrier();
        }
        walk(&s, place, n_chunk, lane);
        workgroupBarrier();

        let works = inside && own < n_chunk;
        var out = vec4f();
        if works {
            let y_at = lane.thread * 4u;
            out = vec4f(y[y_at], y[y_at + 1u], y[y_at + 2u], y[y_at + 3u]);
        }
        if SPLIT == 1u { out = token_output(head_standardize(out, works, params.eps, lane), sums.y, token, weights); }
        let writes = works && quad * 4u / SPLIT_ROWS == group.x % SPLIT;
        if FLOATS == 1u && writes { y_out[(at + own) * params.vectors + c] = out; }
        q8_store(at + own, params.vectors, c, out, writes, lane);
    }
    tile_save(&s, place, state_at);
}
