// The last part of wkv7 over chunks of tokens: norms and gates the y that wkv7_pass left, in place.
// LANES threads a head of a token. grid: x = heads / (WORKGROUP / LANES), y = tokens
// Needs: HEAD, WORKGROUP, LANES >= HEAD / 4, V_FIRST, FLOATS (1: y is written); wkv/chunk, wkv/head_norm,
// a reduce, q8_store.
@group(0) @binding(2) var<storage, read> wagv: array<vec4f>;       // [T, (3 + V_FIRST) C / 4]
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;    // [5, C / 4]: .., ln, ln_b
@group(0) @binding(4) var<storage, read> chunks: array<vec4f>;     // see wkv/chunk
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let C = params.vectors;
    let head = group.x * (WORKGROUP / LANES) + lane.thread / LANES;
    let quad = lane.thread % LANES;
    let c = head * (HEAD / 4u) + quad;
    let region = chunk_region(group.y, head);
    let block = group.y % CHUNK / 4u;
    let t = group.y % 4u;
    let at = group.y * C + c;
    let inside = quad < HEAD / 4u && c < C;
    var out = vec4f();
    var scale = vec4f();
    var shift = vec4f();
    var gate = vec4f();
    if inside {
        out = y[at];
        scale = vectors[3u * C + c];
        let at_value = region + VALUE + block * HEAD + quad * 4u;
        let value = vec4f(chunks[at_value][t], chunks[at_value + 1u][t], chunks[at_value + 2u][t],
                          chunks[at_value + 3u][t]);
        shift = vectors[4u * C + c] + chunks[region + BONUS + block][t] * value;
        gate = wagv[(group.y * (3u + V_FIRST) + 2u) * C + c];
    }
    out = (head_standardize(out, inside, params.eps, lane) * scale + shift) * gate;
    if FLOATS == 1u && inside { y[at] = out; }
    q8_store(group.y, C, c, out, inside, lane);
}
