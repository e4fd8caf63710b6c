// y = the first half of v * the second: a thread has 4 values. grid: x = quads / WORKGROUP, y = rows
// Needs: WORKGROUP, FLOATS (1: y is written), reduce/* for Lane; q8_store.
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let quad = group.x * WORKGROUP + lane.thread;
    let inside = quad < params.quads;
    let at = group.y * 2u * params.quads + min(quad, params.quads - 1u);
    let value = v[at] * v[at + params.quads];
    if inside && FLOATS == 1u { y[group.y * params.quads + quad] = value; }
    q8_store(group.y, params.quads, quad, value, inside, lane);
}
