// S[position modulo rows] = (k, v): a thread for 4 channels of a token.
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> cache: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let c = id.x;
    let t = id.y;
    if c >= params.vectors { return; }
    let row = batch.position[t] % params.rows;
    let at = batch.slot[batch.seq[t]] * params.slot_vectors + row * 2u * params.vectors + c;
    cache[at] = k[t * params.vectors + c];
    cache[at + params.vectors] = v[t * params.vectors + c];
}
