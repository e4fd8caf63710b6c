// x as int8 blocks: a thread has 4 values. grid: x = quads / WORKGROUP, y = rows
// Needs: WORKGROUP, reduce/* for Lane; q8/*
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, lane: Lane) {
    let quad = group.x * WORKGROUP + lane.thread;
    let inside = quad < params.quads;
    q8_store(group.y, params.quads, quad, x[group.y * params.quads + min(quad, params.quads - 1u)], inside, lane);
}
