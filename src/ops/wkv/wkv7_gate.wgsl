// The second half of wkv7 where several workgroups share a head: norms and gates the y that they left, in place.
// LANES threads a head of a token. grid: x = heads / (WORKGROUP / LANES), y = tokens
// Needs: WORKGROUP, LANES >= HEAD / 4, FLOATS (1: y is written); wkv/head_norm, wkv/wkv7_token, q8_store.
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let quad = lane.thread % LANES;
    let c = (group.x * (WORKGROUP / LANES) + lane.thread / LANES) * (HEAD / 4u) + quad;
    let at = group.y * params.vectors + c;
    let inside = quad < HEAD / 4u && c < params.vectors;
    var token: Token;
    var weights: Weights;
    var out = vec4f();
    if inside {
        token = token_load(group.y, c);
        weights = weights_load(c);
        out = y[at];
    }
    let bonus = head_sum(token.r * token_key(token, weights) * weights.r_k, lane);
    out = token_output(head_standardize(out, inside, params.eps, lane), bonus, token, weights);
    if FLOATS == 1u && inside { y[at] = out; }
    q8_store(group.y, params.vectors, c, out, inside, lane);
}
