// S[position modulo rows] = (k, v): a thread for 4 channels of a token's k and v.
// grid: x = vectors / WORKGROUP, y = tokens
// Needs: WORKGROUP, reduce/* for Lane; kv_store.
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let quads = params.row_quads / 2u;
    let c = group.x * WORKGROUP + lane.thread;
    let inside = c < quads;
    let at = group.y * quads + min(c, quads - 1u);
    let row_at = batch.slot[batch.seq[group.y]] * params.slot_words + batch.position[group.y] % params.rows * params.row_words;
    kv_store(row_at, c, k[at], inside, lane);
    kv_store(row_at, quads + c, v[at], inside, lane);
}
