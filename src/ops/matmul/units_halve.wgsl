// Makes x in f16 for matmat_units, once for all tiles of rows: the columns that some segment reads,
// which are up to a multiple of 64.
// grid: x = quads / 256, y = tokens. Needs: f16; half_x, segment.
@group(0) @binding(5) var<storage, read_write> halves: array<vec4<f16>>;  // [T, K/4]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let quad = group.x * 256u + thread;
    if quad >= params.quads { return; }
    var is_read = false;
    var first = 0u;
    for (var i = 0u; i < 8u && first < params.rows; i++) {
        let segment = segment_of(first);
        is_read |= quad >= segment.x_at && quad < segment.x_at + (segment.spans + 3u) / 4u * 16u;
        first = segment_end(i);
    }
    if is_read { halves[group.y * params.quads + quad] = half_x(group.y, quad); }
}
